"""Option 2: a scheduler, user fences for completion, and preempt fences for whoever wants the memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from fencepost.actors import Entity
from fencepost.fences import Fence, UserFence
from fencepost.hw.guc import Guc
from fencepost.hw.long_running.designs.design import Touches, Work
from fencepost.hw.long_running.designs.preempting import PREEMPT_US, QUANTUM_US, PreemptingDesign
from fencepost.hw.memory import BufferObject, Vm

__all__ = ["PreemptFences"]


class PreemptFences(PreemptingDesign):
    """Work of queues of a firmware like GuC. The fences of its jobs never leave the driver."""

    name: ClassVar[str] = "2 preempt fences"
    knows_min_run: ClassVar[bool] = True

    def prepare(self) -> None:
        super().prepare()
        self._short: dict[str, Entity] = {}
        self.guc = Guc(
            {"ccs": self.settings.engines},
            preempt_us=PREEMPT_US,
            quantum_us=QUANTUM_US if self.settings.preemptible else 0,
            minimum_run_s=self.settings.min_run_s,
        )

    def start(self, name: str, duration_us: float, touches: Touches = (), vm: Vm | None = None) -> Work:
        del touches
        queue = self.guc.queue(self.runtime, "ccs", name)
        self.join(queue, vm or self.vm)
        done = UserFence(name=f"{name} done")
        done.write_after(queue.entity.submit(duration_us=duration_us).finished, 1)
        return Work(done)

    def draw(
        self, name: str, duration_us: float, buffers: Iterable[BufferObject] = (), after: Sequence[Fence] = ()
    ) -> Fence:
        if name not in self._short:
            self._short[name] = self.guc.queue(self.runtime, "ccs", name).entity
        job = self._short[name].job(duration_us=duration_us)
        for fence in after:
            job.add_dependency(fence)
        job.arm()
        self.publish(job.finished, (buffer.reservation for buffer in buffers))
        job.push()
        return job.finished

    def busy_ns(self) -> int:
        return sum(engine.busy_ns for engine in self.guc.statistics().engines.values())
