"""A reply to an enable of before a reset, which was taken for one to the enable after it."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.hw.guc import Guc, GucQueue
from fencepost.hw.guc.driver_context import DriverContext
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class Context(DriverContext):
    """Does not put up with a reply that is refused and tells of what is so now."""

    def on_schedule_done(self, generation: int | None, *, enabled: bool) -> bool:
        expected = super().on_schedule_done(generation, enabled=enabled)
        assert expected or generation != self.id.generation, "the firmware's true reply is refused"
        return expected


class ContextAsItWas(Context):
    """Asks only whether a reply is pending."""

    def _on_enabled(self, generation: int | None) -> bool:
        del generation
        return super()._on_enabled(None)


class Queue(GucQueue):
    context_class = Context


class QueueAsItWas(GucQueue):
    context_class = ContextAsItWas


class Device(Guc):
    queue_class = Queue


class DeviceAsItWas(Guc):
    queue_class = QueueAsItWas


def model(guc: Guc, runtime: Runtime) -> None:
    """Reset a device while a queue is being enabled."""
    job = guc.queue(runtime, "rcs0").entity.submit(1)
    guc.reset("a test", blame=False)
    job.finished.wait()


BUG = Bug(
    name="stale-reply-to-enable-accepted",
    title=None,
    fix="none known: a hazard of the xe driver's design, written down by this project",
    symptom="a protocol error for a reply that tells the truth; until it comes the driver believes that the firmware"
    " runs a queue of which it has not even heard",
    interleaving="the firmware answers an enable; before anybody handles that the device is reset, and the queue is"
    " registered and enabled anew; the handler sees that a reply is pending, and takes the old one for it",
    repair="remember which registration of the queue a reply is about",
    broken=lambda runtime: model(DeviceAsItWas({"rcs": 1}), runtime),
    fixed=lambda runtime: model(Device({"rcs": 1}), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
