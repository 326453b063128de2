from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial

from fencepost import Runtime
from fencepost.actors import Job
from fencepost.actors import Runtime as AnyRuntime
from fencepost.checks.observers import Observers
from fencepost.fences import Fence, Usage, locked
from fencepost.hw import Batch, Gpu
from fencepost.hw.access import AccessFault
from fencepost.hw.memory import PAGE_BYTES, BufferObject, FaultHandler, MemoryManager, Placement, ProcessMemory, Vm
from fencepost.hw.memory.fault_handler import Missing
from fencepost.sync import current
from fencepost.sync.observed import ObservedWorld
from tests.searching import assert_clean

Placed = Callable[..., BufferObject]
PAGE = PAGE_BYTES


class Machine:
    """A GPU whose faults are handled."""

    def __init__(self, runtime: Runtime, memory: MemoryManager, *, long_running: bool = True) -> None:
        self.gpu = Gpu({"rcs": 1})
        self.vm = Vm(memory, long_running=long_running)
        self.handler = runtime.start(FaultHandler, memory, name="faults")
        self.handler.serve(self.vm)
        self._entity = runtime.scheduler(self.gpu.ring("rcs0"), name="rcs0").entity()

    def touch(self, *addresses: int) -> Job:
        touches = tuple((1.0 + number, address) for number, address in enumerate(addresses))
        return self._entity.submit(10, work=Batch(memory=self.vm, touches=touches))


def test_what_work_touches_is_brought(rt: Runtime, memory: MemoryManager) -> None:
    machine, buffers = Machine(rt, memory), [memory.create(PAGE, name) for name in ("a", "b")]
    for number, buffer in enumerate(buffers):
        machine.vm.bind(buffer, number * PAGE, populate=False)
    job = machine.touch(0, PAGE, 0, PAGE)
    job.finished.wait()
    assert (job.finished.error, machine.handler.handled, machine.handler.refused) == (0, 2, 0)
    assert [buffer.placement for buffer in buffers] == [Placement.VRAM] * 2
    assert memory.regions[Placement.SYSTEM].used_bytes == 0


def test_memory_of_a_process_is_brought_too(rt: Runtime, memory: MemoryManager) -> None:
    machine, process = Machine(rt, memory), ProcessMemory()
    machine.vm.bind_userptr(process, 0, PAGE, 0, populate=False)
    job = machine.touch(0)
    job.finished.wait()
    assert (job.finished.error, machine.vm.is_mapped(0)) == (0, True)


def test_where_nothing_is_bound_the_work_is_recovered(rt: Runtime, memory: MemoryManager) -> None:
    machine = Machine(rt, memory)
    job = machine.touch(7 * PAGE)
    job.finished.wait()
    assert (job.finished.error, machine.handler.handled, machine.handler.refused) == (-errno.EIO, 0, 1)


def test_where_there_is_no_memory_the_work_is_recovered(rt: Runtime, memory: MemoryManager, placed: Placed) -> None:
    machine, pinned = Machine(rt, memory), placed("pinned", 4)
    with pinned.reservation:
        pinned.pin()
    machine.vm.bind(memory.create(PAGE), 0, populate=False)
    job = machine.touch(0)
    job.finished.wait()
    assert job.finished.error == -errno.EIO
    assert memory.regions[Placement.SYSTEM].used_bytes == 0


def test_an_address_space_without_a_handler_has_its_work_recovered(rt: Runtime, memory: MemoryManager) -> None:
    machine = Machine(rt, memory)
    machine.vm.on_fault = None
    machine.vm.bind(memory.create(PAGE), 0, populate=False)
    job = machine.touch(0)
    job.finished.wait()
    assert job.finished.error == -errno.EIO


def test_a_fault_of_work_that_is_dead_is_refused_and_not_waited_for(rt: Runtime, memory: MemoryManager) -> None:
    """T6-12: one fault keeps the handler busy; the work of the next one is reset before its turn comes."""
    machine, other = Machine(rt, memory), Machine(rt, memory)
    faults: list[AccessFault] = []
    first, second = memory.create(PAGE, "first"), memory.create(PAGE, "second")
    machine.vm.bind(first, 0, populate=False)
    other.vm.bind(second, 0, populate=False)

    def note(vm: Vm, fault: AccessFault) -> None:
        machine.handler.post(Missing(vm, fault))
        faults.append(fault)

    machine.vm.on_fault, other.vm.on_fault = partial(note, machine.vm), partial(note, other.vm)
    with locked([first.reservation, second.reservation]):
        jobs = [machine.touch(0)]
        until(lambda: len(faults) == 1)
        jobs.append(other.touch(0))
        until(lambda: len(faults) == 2)
        other.gpu.reset("rcs0")
        jobs[1].finished.wait()
        first.reservation.unlock()
        jobs[0].finished.wait()
        # The handler gets to this one past the dead fault, and would not if it wanted `second` for that.
        machine.vm.invalidate(machine.vm.bindings()[0])
        jobs.append(machine.touch(0))
        jobs[2].finished.wait()
    assert [job.finished.error for job in jobs] == [0, -errno.EIO, 0]
    assert (machine.handler.handled, machine.handler.refused, second.placement) == (2, 0, None)


def until(condition: Callable[[], bool]) -> None:
    while not condition():
        current().sleep(1e-4)


def test_the_handler_is_in_a_section_for_work_that_others_may_wait_for() -> None:
    found: list[int] = []
    for long_running in (True, False):
        observers = Observers()
        with Runtime(ObservedWorld(observers)) as runtime:
            memory = MemoryManager(PAGE, PAGE)
            machine = Machine(runtime, memory, long_running=long_running)
            machine.vm.bind(memory.create(PAGE), 0, populate=False)
            machine.touch(0).finished.wait()
        found.append(len(observers.findings))
    assert found[0] == 0 < found[1]


def test_faults_and_evictions_whoever_goes_on() -> None:
    """Work that nobody waits for by a fence faults while its memory is taken away, again and again."""

    def model(runtime: AnyRuntime) -> None:
        memory = MemoryManager(PAGE, 4 * PAGE)
        machine = Machine(runtime, memory)
        buffer, other = memory.create(PAGE, "a"), memory.create(PAGE, "b")
        machine.vm.bind(buffer, 0, populate=False)
        job = machine.touch(0, 0)

        def take() -> None:
            with memory.validated([other]):
                pass

        runtime.spawn(take)
        job.finished.wait()
        assert job.finished.error == 0

    assert_clean(model, schedules=150)


def test_a_fence_of_the_work_is_no_matter_where_its_memory_is_there(rt: Runtime, memory: MemoryManager) -> None:
    machine, buffer, fence = Machine(rt, memory), memory.create(PAGE), Fence()
    machine.vm.bind(buffer, 0)
    with buffer.reservation:
        buffer.reservation.reserve()
        buffer.reservation.add(fence, Usage.BOOKKEEP)
    job = machine.touch(0)
    job.finished.wait()
    assert (job.finished.error, machine.handler.handled) == (0, 0)
    fence.signal()
