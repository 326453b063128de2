from __future__ import annotations

import pytest

from fencepost import Runtime
from fencepost.actors import Runtime as AnyRuntime
from fencepost.checks.observers import Observers
from fencepost.errors import BadInput
from fencepost.hw.memory import PAGE_BYTES, MemoryManager, Placement, ProcessMemory, Queues, Residency, Vm
from fencepost.sync import Gate, Timer, current
from fencepost.sync.observed_virtual import ObservedVirtualWorld
from tests.searching import assert_clean

PAGE = PAGE_BYTES
DAY_S = 86_400


class Work(Queues):
    """So much work, which gets done while its memory is there."""

    def __init__(self, runtime: AnyRuntime, memory: MemoryManager, name: str, pages: int, work_ms: int) -> None:
        self.vm = Vm(memory, name, long_running=True)
        self.buffer = memory.create(pages * PAGE, name)
        self.vm.bind(self.buffer, 0, populate=False)
        self.complete = Gate(f"the end of {name}")
        self.stretches_ms: list[tuple[float, float]] = []
        self.actor = runtime.start(Residency, self.vm, self, min_run_s=0.010, back_off_s=0.002, name=name)
        self._left_ns = work_ms * 1_000_000
        self._since_ns = 0
        self._timer: Timer | None = None

    def resume(self) -> None:
        assert all(binding.valid for binding in self.vm.bindings())
        self._since_ns = current().now_ns()
        self._timer = current().timers.call_at(self._since_ns + self._left_ns, self._end)

    def suspend(self) -> None:
        assert all(binding.valid for binding in self.vm.bindings()), "the memory moved under the work"
        assert self._timer is not None
        self._timer.cancel()
        now_ns = current().now_ns()
        self.stretches_ms.append((self._since_ns / 1e6, now_ns / 1e6))
        self._left_ns -= now_ns - self._since_ns

    def _end(self) -> None:
        self.complete.open()
        self.actor.finish()


def test_two_that_do_not_fit_in_together_take_turns_and_both_get_on(rt: Runtime) -> None:
    """T6-10: each needs seven tenths of the memory."""
    memory = MemoryManager(10 * PAGE, 20 * PAGE)
    works = [Work(rt, memory, name, 7, 25) for name in ("first", "second")]
    for work in works:
        work.actor.begin()
    for work in works:
        work.complete.wait()
    assert all(work.actor.runs <= 3 for work in works)
    if rt.world.name == "virtual":
        assert works[0].stretches_ms == [(0, 10), (20, 30), (40, 45)]
        assert works[1].stretches_ms[:2] == [(10, 20), (30, 40)]


def test_two_that_fit_in_are_left_alone() -> None:
    with Runtime(world="virtual") as runtime:
        memory = MemoryManager(10 * PAGE, 20 * PAGE)
        works = [Work(runtime, memory, name, 5, 25) for name in ("first", "second")]
        for work in works:
            work.actor.begin()
        for work in works:
            work.complete.wait()
    assert [work.stretches_ms for work in works] == [[(0, 25)], [(0, 25)]]


def test_a_fence_that_nobody_waits_for_may_be_pending_for_days_and_is_in_time_then() -> None:
    """T6-11: a preempt fence is not late as long as nobody asks for it."""
    observers = Observers()
    with Runtime(ObservedVirtualWorld(observers)) as runtime:
        memory = MemoryManager(4 * PAGE, 8 * PAGE)
        work = Work(runtime, memory, "compute", 4, 10 * DAY_S * 1000)
        work.actor.begin()
        current().sleep(3 * DAY_S)
        observers.rules.look(current().now_ns())
        (fence,) = work.buffer.reservation.get_fences(3)  # type: ignore[arg-type]
        other = memory.create(PAGE)
        with memory.validated([other]):
            assert fence.signaled
            assert work.buffer.placement is Placement.SYSTEM
        work.actor.finish()
    assert observers.findings == ()
    assert work.stretches_ms[0] == (0, 3 * DAY_S * 1000)


def test_memory_of_a_process_that_goes_has_the_work_leave_and_come_back(rt: Runtime) -> None:
    memory, process = MemoryManager(4 * PAGE, 8 * PAGE), ProcessMemory()
    work = Work(rt, memory, "compute", 1, 60_000)
    work.vm.bind_userptr(process, 0, PAGE, 64 * PAGE, populate=False)
    work.actor.begin()
    while not work.actor.runs:
        current().sleep(1e-4)
    process.unmap(0, PAGE)
    assert len(work.stretches_ms) == 1
    while work.actor.runs < 2:
        current().sleep(1e-4)
    work.actor.finish()


def test_it_stays_away_for_a_while_even_if_there_is_room() -> None:
    with Runtime(world="virtual") as runtime:
        memory = MemoryManager(4 * PAGE, 8 * PAGE)
        work = Work(runtime, memory, "compute", 4, 60_000)
        work.actor.begin()
        current().sleep(0.020)
        with memory.validated([memory.create(PAGE)]):
            pass
        current().sleep(0.005)
        assert (work.stretches_ms, work.actor.resumed_ns) == ([(0, 20)], 22_000_000)
        work.actor.finish()


def test_where_there_is_no_room_it_comes_back_later(rt: Runtime) -> None:
    memory = MemoryManager(4 * PAGE, 8 * PAGE)
    scanout, work = memory.create(4 * PAGE), Work(rt, memory, "compute", 4, 20)
    with memory.validated([scanout]):
        scanout.pin()
    work.actor.begin()
    current().sleep(0.01)
    assert work.actor.runs == 0
    with scanout.reservation:
        scanout.unpin()
    work.complete.wait()
    assert work.actor.runs == 1
    # And once more, after it had to leave.
    again = Work(rt, memory, "other", 4, 60_000)
    again.actor.begin()
    while not again.actor.runs:
        current().sleep(1e-4)
    with memory.validated([scanout]):
        scanout.pin()
    current().sleep(0.01)
    with scanout.reservation:
        scanout.unpin()
    while again.actor.runs < 2:
        current().sleep(1e-4)
    again.actor.finish()


def test_what_has_ended_is_not_brought_back(rt: Runtime) -> None:
    memory = MemoryManager(4 * PAGE, 8 * PAGE)
    work = Work(rt, memory, "compute", 4, 1000)
    work.actor.begin()
    while not work.actor.runs:
        current().sleep(1e-4)
    work.actor.finish()
    work.actor.finish()
    work.actor.begin()
    other = memory.create(4 * PAGE)
    with memory.validated([other]):
        assert work.actor.runs == 1


@pytest.mark.parametrize("option", ["min_run_s", "back_off_s"])
def test_a_time_is_not_negative(option: str) -> None:
    with Runtime(world="virtual") as runtime:
        memory = MemoryManager(PAGE, PAGE)
        with pytest.raises(BadInput, match=f"{option}: found -1, expected 0 or more seconds"):
            runtime.start(Residency, Vm(memory), None, name="compute", **{option: -1})


def test_it_never_runs_without_its_memory_whoever_goes_on() -> None:
    """I23: memory moves only when the work is off, and work runs only with a fence on all its memory."""

    def model(runtime: AnyRuntime) -> None:
        memory = MemoryManager(10 * PAGE, 20 * PAGE)
        works = [Work(runtime, memory, name, 7, 15) for name in ("first", "second")]
        for work in works:
            work.actor.begin()
        for work in works:
            work.complete.wait()

    assert_clean(model, schedules=100)
