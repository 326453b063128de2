"""The designs whose work may stop at page faults: with a fence for its completion, or without."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle
from typing import ClassVar, Final

from fencepost.actors import Entity, Job
from fencepost.fences import Compare, Fence, UserFence, promise
from fencepost.hw.batch import Batch
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.long_running.designs.design import Design, Touches, Work
from fencepost.hw.long_running.designs.hooked_ring import HookedRing
from fencepost.hw.long_running.engine_group import EngineGroup, ResumeWork
from fencepost.hw.long_running.fault_firmware import FaultFirmware
from fencepost.hw.long_running.faulting_queue import FaultingQueue
from fencepost.hw.memory import BufferObject, FaultHandler, Vm
from fencepost.policies import Priority
from fencepost.sync.observer import signalling

__all__ = ["AnnotatedFences", "FaultingQueues"]

PREEMPT_US: Final = 5


class FaultingDesign(Design):
    """What both have: an engine with rings, a firmware, a handler of faults."""

    faults: ClassVar[bool] = True

    @property
    def leaves_stalled(self) -> bool:
        """Whether work can be taken off at a fault."""
        return self.settings.preemptible

    def prepare(self) -> None:
        self.engines = [ClockedEngine(f"ccs{number}") for number in range(self.settings.engines)]
        self._turns = cycle(self.engines)
        self._short: dict[str, Entity] = {}
        self.firmware = self.runtime.start(FaultFirmware, self.settings.preempt_timeout_s, name="firmware")
        self.handler = self.runtime.start(FaultHandler, self.memory, name="H")

    def long_job(self, name: str, duration_us: float, touches: Touches, vm: Vm) -> tuple[FaultingQueue, Job]:
        """Make a job, which is yet to be armed."""
        engine = next(self._turns)
        queue = FaultingQueue(engine, vm, self.firmware, self.handler, priority=Priority.NORMAL, preempt_us=PREEMPT_US)
        scheduler = self.runtime.scheduler(queue, name=f"ring of {name}", policy="single")
        work = Batch(memory=vm, touches=tuple(touches), leaves_stalled=self.leaves_stalled)
        return queue, scheduler.entity(name).job(duration_us=duration_us, work=work)

    def short_job(self, name: str, duration_us: float, after: Sequence[Fence]) -> Job:
        """Make a job on the ring of that name, which is yet to be armed."""
        if name not in self._short:
            ring = HookedRing(self.engines[0], Priority.NORMAL, PREEMPT_US, self._before_run)
            self._short[name] = self.runtime.scheduler(ring, name=f"ring of {name}").entity(name)
        job = self._short[name].job(duration_us=duration_us)
        for fence in after:
            job.add_dependency(fence)
        return job

    def _before_run(self, name: str) -> None:
        self.signalling_path(name)

    def busy_ns(self) -> int:
        return sum(engine.statistics()[0].busy_ns for engine in self.engines)

    def push(self, job: Job, buffers: Iterable[BufferObject]) -> Fence:
        """Arm a job, publish its fence, and push it."""
        job.arm()
        self.publish(job.finished, (buffer.reservation for buffer in buffers))
        job.push()
        return job.finished


class AnnotatedFences(FaultingDesign):
    """Option 1: a fence for completion, in the reservations of all that is there of what the work uses.

    Its faults are handled in a signalling section, which only tells what is wrong. (That no program gets hold of such a
    fence is the matter of `fencepost.fences.long_running`.) Work in an address space that is `long_running` publishes
    none. Programs may have fences that stand for user fences.
    """

    name: ClassVar[str] = "1 annotated fences"
    long_running: ClassVar[bool] = False

    @property
    def leaves_stalled(self) -> bool:
        """No: nobody would take it off, or know when to put it back."""
        return False

    def start(self, name: str, duration_us: float, touches: Touches = (), vm: Vm | None = None) -> Work:
        vm = vm or self.vm
        _, job = self.long_job(name, duration_us, touches, vm)
        job.arm()
        if not vm.long_running:
            there = (buffer.reservation for buffer in vm.buffers() if buffer.placement is not None)
            self.publish(job.finished, (vm.reservation, *there))
        done = UserFence(name=f"{name} done")
        done.write_after(job.finished, 1)
        job.push()
        return Work(done)

    def draw(
        self, name: str, duration_us: float, buffers: Iterable[BufferObject] = (), after: Sequence[Fence] = ()
    ) -> Fence:
        return self.push(self.short_job(name, duration_us, after), buffers)

    def import_user_fence(self, user_fence: UserFence) -> Fence:
        proxy = Fence(name=f"import of {user_fence.name}")
        promise(proxy, after=[user_fence])

        def stand_in() -> None:
            user_fence.wait(Compare.EQ, 1)
            with signalling():
                proxy.signal()

        self.runtime.spawn(stand_in, "import")
        return proxy


class FaultingQueues(FaultingDesign):
    """Option 2 with faults: user fences for completion, no fence of the work anywhere, never beside work with one."""

    name: ClassVar[str] = "2 faults, exclusion"
    group_class: ClassVar[type[EngineGroup]] = EngineGroup

    def prepare(self) -> None:
        super().prepare()
        self.group = self.group_class("engines")
        self.runtime.start(ResumeWork, self.group, name="resume work")

    def start(self, name: str, duration_us: float, touches: Touches = (), vm: Vm | None = None) -> Work:
        queue, job = self.long_job(name, duration_us, touches, vm or self.vm)
        done = UserFence(name=f"{name} done")
        job.arm()
        self.group.add(queue)
        done.write_after(job.finished, 1)
        job.push()
        return Work(done)

    def draw(
        self, name: str, duration_us: float, buffers: Iterable[BufferObject] = (), after: Sequence[Fence] = ()
    ) -> Fence:
        job = self.short_job(name, duration_us, after)
        return self.group.submit(lambda: self.push(job, buffers), after)
