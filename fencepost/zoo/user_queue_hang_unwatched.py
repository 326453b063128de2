"""A user queue that hung, and nobody looked for that who was not asked to."""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.hw.user_queue import Mes, Packet
from fencepost.hw.user_queue.mqd import Mqd
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]

TIMEOUT_S: Final = 0.001

BAD_PACKET: Final = Packet(duration_us=None, preempt_us=0, protected=True)


class DeviceAsItWas(Mes):
    """Finds a hang when something preempts the queue."""

    def watch(self, mqd: Mqd, fence: Fence) -> None:
        """Leave it to others."""


def model(device: type[Mes], runtime: Runtime) -> None:
    """Write a bad packet, and wait for it."""
    queue = device(runtime, {"ccs": 1}, hang_timeout_s=TIMEOUT_S).process("game").queue("ccs")
    queue.submit(BAD_PACKET)
    queue.fence().wait()


BUG = Bug(
    name="user-queue-hang-unwatched",
    title=None,
    fix="fc3336be9c62 (amdgpu), date and title not known",
    symptom="whoever waits for the fence of a bad packet waits for ever",
    interleaving="a packet neither ends nor gives way; nobody else wants its engine or its slot, so that nothing ever"
    " preempts it; its fence never signals",
    repair="a timer for each fence, whether anybody waits or not; reset the queue that hangs, and force its completion",
    broken=lambda runtime: model(DeviceAsItWas, runtime),
    fixed=lambda runtime: model(Mes, runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
