"""Option 3: queues that programs write and ring for by themselves, and preempt fences for whoever wants the memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from fencepost.fences import Fence, UserFence
from fencepost.hw.long_running.designs.design import Touches, Work
from fencepost.hw.long_running.designs.preempting import PREEMPT_US, QUANTUM_US, PreemptingDesign
from fencepost.hw.memory import BufferObject, Vm
from fencepost.hw.user_queue import Mes, Packet, Process, UserQueue, UserWrite
from fencepost.hw.user_queue.messages import Suspend
from fencepost.sync.observer import signalling

__all__ = ["HeldProcess", "UserQueues"]


class HeldProcess:
    """All queues of a process, as whoever wants its memory sees them: a `Suspendable`."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._queues: list[UserQueue] = []

    @property
    def name(self) -> str:
        """What reports call it."""
        return self.process.name

    def queue(self) -> UserQueue:
        """Make one more. Client context."""
        queue = self.process.queue("ccs")
        self._queues.append(queue)
        return queue

    def suspend(self) -> Fence:
        """Hold them off the hardware; the fence signals when they are."""
        off = Fence(name=f"the suspension of {self.name}")

        def told() -> None:
            with signalling():
                off.signal()

        self.process.mes.firmware.post(Suspend(self.process, told))
        return off

    def resume(self) -> None:
        """Hold them off no more."""
        self.process.release()

    def kill(self) -> None:
        """Destroy them."""
        for queue in self._queues:
            queue.remove(at_once=True)


class UserQueues(PreemptingDesign):
    """Work of user queues. Nothing is asked of a driver but the fences of its memory."""

    name: ClassVar[str] = "3 user queues"

    def prepare(self) -> None:
        super().prepare()
        self._short: dict[str, UserQueue] = {}
        preemptible = self.settings.preemptible
        self.mes = Mes(
            self.runtime,
            {"ccs": self.settings.engines},
            preempt_us=PREEMPT_US if preemptible else 0,
            quantum_us=QUANTUM_US if preemptible else 0,
        )

    def start(self, name: str, duration_us: float, touches: Touches = (), vm: Vm | None = None) -> Work:
        del touches
        process = HeldProcess(self.mes.process(name))
        self.join(process, vm or self.vm)
        done = UserFence(name=f"{name} done")
        process.queue().submit(Packet(duration_us=duration_us, write=UserWrite(done, 1)))
        return Work(done)

    def draw(
        self, name: str, duration_us: float, buffers: Iterable[BufferObject] = (), after: Sequence[Fence] = ()
    ) -> Fence:
        queue = self._short.get(name) or self._short.setdefault(name, self.mes.process(name).queue("ccs"))
        queue.submit(Packet(duration_us=duration_us, waits=tuple(after), protected=True))
        fence = queue.fence()
        self.publish(fence, (buffer.reservation for buffer in buffers))
        return fence

    def busy_ns(self) -> int:
        return sum(engine.busy_ns for engine in self.mes.statistics().engines.values())
