"""A recovery that waited for a firmware which had been stopped for good."""

from __future__ import annotations

from collections.abc import Callable

from fencepost.actors import Runtime, Until
from fencepost.checks import Kind
from fencepost.hw.guc import Guc, GucQueue
from fencepost.sync import NS_PER_S
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import guc_with

__all__ = ["BUG"]


class QueueAsItWas(GucQueue):
    """Expects every reply, unless a reset is under way."""

    def until(self, condition: Callable[[], bool]) -> Until:
        guc = self.guc
        return Until(lambda: condition() or guc.stopped, self.state.changed, guc.ack_timeout_s)


def model(guc: Guc, runtime: Runtime) -> None:
    """Unload the driver while a queue is killed."""
    queue = guc.queue(runtime, "rcs0")
    job = queue.entity.submit()
    job.scheduled.wait()
    runtime.spawn(queue.kill, "owner")
    guc.unload()
    job.finished.wait()
    waited_s = runtime.world.now_ns() / NS_PER_S
    assert waited_s < guc.ack_timeout_s, f"it was waited {waited_s} s for a firmware that does not run"


BUG = Bug(
    name="dead-firmware-waited-for",
    title=None,
    fix="dd1ef5e24565 (xe), date and title not known",
    symptom="unloading a driver stalls for five seconds",
    interleaving="the driver asks the firmware to take a queue off its engine; the firmware is stopped; whoever waits"
    " for the reply waits until the limit",
    repair="wait until the reply is there or the firmware does not run, and ask for nothing in the second case",
    broken=lambda runtime: model(guc_with(queue=QueueAsItWas), runtime),
    fixed=lambda runtime: model(guc_with(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
