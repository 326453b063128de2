"""All queues of a device, which were stopped to take those of one process off it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar, Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.hw.user_queue import Mes, Packet
from fencepost.hw.user_queue.firmware import Firmware
from fencepost.hw.user_queue.messages import Release, Suspend
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]

MOVE_S: Final = 0.01
LIMIT_S: Final = 0.005
"""The time-out of work that has nothing to do with all this."""


class FirmwareAsItWas(Firmware):
    """Knows only how to stop and start everything."""

    def on_suspend(self, message: Suspend) -> None:
        for other in self.others(message.process):
            super().on_suspend(Suspend(other, lambda: None))
        super().on_suspend(message)

    def on_release(self, message: Release) -> None:
        for other in self.others(message.process):
            super().on_release(Release(other))
        super().on_release(message)

    messages: ClassVar = {**Firmware.messages, Suspend: on_suspend, Release: on_release}

    def others(self, process: Hashable) -> set[Hashable]:
        """Return who has queues besides."""
        return {mqd.identity.process for mqd in self._known.values()} - {process}


class MesAsItWas(Mes):
    """A device with that firmware."""

    firmware_class = FirmwareAsItWas


def model(mes_class: type[Mes], runtime: Runtime) -> None:
    """Take a process off to move its memory, while the kernel uses the same device."""
    mes = mes_class(runtime, {"ccs": 1})
    compute, kernel = mes.process("compute"), mes.process("kernel")
    compute.queue("ccs")
    queue = kernel.queue("ccs")
    queue.submit(Packet(duration_us=100, protected=True))
    fence = queue.fence()

    def move() -> None:
        compute.hold().wait()
        runtime.world.sleep(MOVE_S)
        compute.release()

    runtime.spawn(move, "memory manager")
    assert fence.wait(LIMIT_S), "a queue of the kernel times out, since the memory of another process was wanted"


BUG = Bug(
    name="scheduler-stopped-for-one-process",
    title=None,
    fix="3fd20580b96a (KFD), date and title not known",
    symptom="queues of the kernel time out while the memory of a process is moved, and the device is reset",
    interleaving="somebody wants memory of a process, and the whole scheduler is stopped to take its queues off; the"
    " work of others is on the hardware, and its time runs out before the process is restored",
    repair="take off the queues of the process, one by one",
    broken=lambda runtime: model(MesAsItWas, runtime),
    fixed=lambda runtime: model(Mes, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
