"""The ways in which memory and fences deadlock, as they happen: each can be carried out in any world.

F_J is the fence of a job J on the engine, H the handler of its page faults, X a buffer of others. What a scene needs to
go wrong is done in that order; what may go either way is left to who comes first.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

from fencepost.actors import Actor, Job, Runtime
from fencepost.actors.dispatch import Dispatch
from fencepost.fences import Compare, Fence, Preemption, Reservation, Usage, UserFence, promise
from fencepost.hw import Batch, Gpu, MockBackend
from fencepost.hw.memory import PAGE_BYTES, BufferObject, FaultHandler, MemoryManager, Placement, ProcessMemory, Vm
from fencepost.sync import Task
from fencepost.sync.observer import signalling

__all__ = ["SCENES", "Scene", "allocation_in_run_job"]

UntilWaiting: TypeAlias = Callable[[Task], object]

AT = 0x10000
PAGES = 16


def at_once(_task: Task) -> None:
    """Do not wait until a task waits: a search will."""


class Scene:
    """A GPU with one engine, its memory, and an address space whose faults are handled.

    Attributes:
        break_it: ends the hang, as the reset does to which the hang leads.
    """

    def __init__(self, runtime: Runtime, *, long_running: bool = False) -> None:
        self.runtime = runtime
        self.gpu = Gpu({"rcs": 1})
        self.memory = MemoryManager(4 * PAGES * PAGE_BYTES, PAGES * PAGE_BYTES)
        self.vm = Vm(self.memory, "vm", long_running=long_running)
        runtime.start(FaultHandler, self.memory, name="H").serve(self.vm)
        self.break_it: Callable[[], object] = lambda: self.gpu.reset("rcs0")

    def job(
        self,
        name: str,
        address: int | None = None,
        *,
        depends_on: Fence | None = None,
        priority: int = 0,
        leaves_stalled: bool = False,
    ) -> Job:
        """Arm a job that touches an address, on a ring of its own."""
        scheduler = self.runtime.scheduler(self.gpu.ring("rcs0", priority=priority), name=f"ring of {name}")
        touches = () if address is None else ((1.0, address),)
        batch = Batch(memory=self.vm, touches=touches, leaves_stalled=leaves_stalled)
        job = self.runtime.entity([scheduler], name).job(duration_us=10, work=batch)
        if depends_on is not None:
            job.add_dependency(depends_on)
        job.arm()
        return job

    def buffer(self, placement: Placement, pages: int = PAGES) -> BufferObject:
        """Make X, which leaves no room in system memory if all of it is there."""
        buffer = self.memory.create(pages * PAGE_BYTES, "X")
        with self.memory.validated([buffer], placement):
            pass
        return buffer

    def missing(self) -> int:
        """Bind what is not there yet; return where."""
        self.vm.bind(self.memory.create(PAGE_BYTES, "P"), AT, populate=False)
        return AT


def publish(fence: Fence, reservation: Reservation, usage: Usage = Usage.BOOKKEEP) -> None:
    with reservation:
        reservation.reserve()
        reservation.add(fence, usage)


def fault_and_reclaim(
    runtime: Runtime, _until_waiting: UntilWaiting = at_once, *, harmless: bool = False, fenced: bool = True
) -> Scene:
    """T6-1: J faults, H wants memory, and what could be freed is X, in which F_J is."""
    scene = Scene(runtime, long_running=not fenced)
    buffer = scene.buffer(Placement.VRAM if harmless else Placement.SYSTEM)
    job = scene.job("J", scene.missing())
    if fenced:
        publish(job.finished, buffer.reservation)
    job.push()
    runtime.spawn(job.finished.wait, "client")
    return scene


def fault_and_mmap_lock(
    runtime: Runtime, until_waiting: UntilWaiting = at_once, *, harmless: bool = False, fenced: bool = True
) -> Scene:
    """T6-2: T unmaps memory of the process and waits for F_J; J faults there, and H wants the mmap lock."""
    scene = Scene(runtime, long_running=not fenced)
    process = ProcessMemory("process")
    scene.vm.bind_userptr(process, 0, PAGE_BYTES, AT, populate=False)
    job = scene.job("J", AT)
    if fenced:
        publish(job.finished, scene.vm.reservation)
    if not harmless:
        until_waiting(runtime.spawn(lambda: process.unmap(0, PAGE_BYTES), "T"))
    job.push()
    runtime.spawn(job.finished.wait, "client")
    return scene


def fault_and_reservation(
    runtime: Runtime, until_waiting: UntilWaiting = at_once, *, harmless: bool = False, fenced: bool = True
) -> Scene:
    """T6-3: T evicts X and waits for F_J; J faults in X, and H wants its reservation."""
    scene = Scene(runtime, long_running=not fenced)
    buffer = scene.buffer(Placement.VRAM, pages=1)
    scene.vm.bind(buffer, AT, populate=False)
    job = scene.job("J", AT)
    if fenced:
        publish(job.finished, buffer.reservation)

    def evict() -> None:
        with buffer.reservation:
            scene.memory.evict(buffer)

    if not harmless:
        until_waiting(runtime.spawn(evict, "T"))
    job.push()
    runtime.spawn(job.finished.wait, "client")
    return scene


def across_engines(
    runtime: Runtime, _until_waiting: UntilWaiting = at_once, *, harmless: bool = False, gives_way: bool = False
) -> Scene:
    """T6-4: L is long-running work and faults; K is behind it on the engine, and F_K in X, which H frees."""
    scene = Scene(runtime, long_running=True)
    buffer = scene.buffer(Placement.VRAM if harmless else Placement.SYSTEM)
    long = scene.job("L", scene.missing(), leaves_stalled=gives_way, priority=1)
    job = scene.job("K")
    publish(job.finished, buffer.reservation)
    long.push()
    long.scheduled.wait()
    job.push()
    runtime.spawn(job.finished.wait, "client")
    return scene


def user_fence_imported(runtime: Runtime, _until_waiting: UntilWaiting = at_once, *, harmless: bool = False) -> Scene:
    """T6-5: K comes after a fence that stands for a user fence, which a thread writes that wants memory before."""
    scene = Scene(runtime)
    buffer = scene.buffer(Placement.VRAM if harmless else Placement.SYSTEM)
    flip, proxy = UserFence(name="U"), Fence(name="proxy")
    job = scene.job("K", depends_on=proxy)
    publish(job.finished, buffer.reservation)
    job.push()

    def write() -> None:
        scene.memory.allocate(PAGE_BYTES)
        flip.write(1)
        scene.memory.release(PAGE_BYTES)

    def stand_in() -> None:
        if flip.wait(Compare.EQ, 1):
            proxy.signal()

    runtime.spawn(stand_in, "import")
    runtime.spawn(write, "user")
    scene.break_it = lambda: flip.write(1)
    return scene


@dataclass(frozen=True, slots=True)
class Completed:
    """Hardware -> completer: the work of a fence is done."""

    fence: Fence


class Completer(Actor):
    """Takes memory before it signals."""

    signals: ClassVar = True

    def __init__(self, dispatch: Dispatch, name: str, memory: MemoryManager) -> None:
        super().__init__(dispatch, name)
        self._memory = memory

    def on_completed(self, message: Completed) -> None:
        self._memory.allocate(PAGE_BYTES)
        self._memory.release(PAGE_BYTES)
        message.fence.signal()

    messages: ClassVar = {Completed: on_completed}


def allocation_to_complete(
    runtime: Runtime, _until_waiting: UntilWaiting = at_once, *, harmless: bool = False
) -> Scene:
    """T6-6: W wants memory to complete F_1, and what could be freed waits for F_1."""
    scene = Scene(runtime)
    buffer = scene.buffer(Placement.VRAM if harmless else Placement.SYSTEM)
    fence = Fence(seqno=1, name="1")
    worker = runtime.start(Completer, scene.memory, name="W")
    promise(fence, by="W")
    publish(fence, buffer.reservation)
    worker.post(Completed(fence))
    runtime.spawn(fence.wait, "client")
    scene.break_it = lambda: force(fence)
    return scene


def force(fence: Fence) -> None:
    """Complete a fence as a reset does."""
    with signalling():
        fence.signal(-errno.EIO)


class AllocatingBackend(MockBackend):
    """Takes memory where a job is handed over."""

    def __init__(self, memory: MemoryManager) -> None:
        super().__init__()
        self._memory = memory

    def run_job(self, job: Job) -> Fence:
        self._memory.allocate(PAGE_BYTES)
        self._memory.release(PAGE_BYTES)
        return super().run_job(job)


def allocation_in_run_job(runtime: Runtime, _until_waiting: UntilWaiting = at_once, *, harmless: bool = False) -> Scene:
    """T6-6, in a scheduler, which nothing can stop then, so that no reset ends it."""
    scene = Scene(runtime)
    buffer = scene.buffer(Placement.VRAM if harmless else Placement.SYSTEM)
    job = runtime.scheduler(AllocatingBackend(scene.memory), name="W").entity("1").job(duration_us=10)
    job.arm()
    publish(job.finished, buffer.reservation)
    job.push()
    return scene


@dataclass(frozen=True, slots=True)
class Preempt:
    """Fence -> worker: somebody waits. `before` is what the worker does first."""

    preemption: Preemption
    before: Callable[[], object]


class Preempter(Actor):
    """The worker of preemptions: an ordered work queue."""

    signals: ClassVar = True

    def on_preempt(self, message: Preempt) -> None:
        message.before()
        message.preemption.suspended()

    messages: ClassVar = {Preempt: on_preempt}


def preempt_by(worker: Preempter, before: Callable[[], object]) -> Preemption:
    """Make a preemption that a worker carries out, after something else."""
    made: list[Preemption] = []
    made.append(Preemption(lambda: worker.post(Preempt(made[0], before)), name=worker.name))
    return made[0]


def lock_of_preempt_worker(
    runtime: Runtime, _until_waiting: UntilWaiting = at_once, *, harmless: bool = False
) -> Scene:
    """T6-7: R holds the lock of the address space and waits for a preemption; the worker of that wants the lock."""
    scene = Scene(runtime)
    worker = runtime.start(Preempter, name="P")

    def look() -> None:
        with scene.vm.lock.read():
            pass

    preemption = preempt_by(worker, look)
    publish(preemption.fence, scene.vm.reservation)

    def rebind() -> None:
        with scene.vm.lock.write():
            preemption.fence.wait(1e-6 if harmless else None)

    runtime.spawn(rebind, "R")
    scene.break_it = lambda: lose(preemption)
    return scene


def ordered_work(runtime: Runtime, _until_waiting: UntilWaiting = at_once, *, harmless: bool = False) -> Scene:
    """T6-8: the worker waits, for the first preemption, until the second is done, which is behind that."""
    scene = Scene(runtime)
    worker, other = runtime.start(Preempter, name="W"), runtime.start(Preempter, name="other")
    second = preempt_by(other if harmless else worker, lambda: None)
    first = preempt_by(worker, second.fence.wait)
    for preemption in (first, second):
        publish(preemption.fence, scene.vm.reservation)
    runtime.spawn(lambda: scene.vm.reservation.wait(Usage.BOOKKEEP), "memory manager")
    scene.break_it = lambda: lose(second)
    return scene


def lose(preemption: Preemption) -> None:
    with signalling():
        preemption.lose()


SCENES: Final[Mapping[str, Callable[..., Scene]]] = {
    "T6-1": fault_and_reclaim,
    "T6-2": fault_and_mmap_lock,
    "T6-3": fault_and_reservation,
    "T6-4": across_engines,
    "T6-5": user_fence_imported,
    "T6-6": allocation_to_complete,
    "T6-7": lock_of_preempt_worker,
    "T6-8": ordered_work,
}
