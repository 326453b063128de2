"""The way off the hardware and back, in any order: I24 is checked at each resume, by the queue itself."""

from __future__ import annotations

from functools import partial

import pytest

from fencepost.actors import Runtime
from fencepost.checks import Kind, explore
from fencepost.fences import Reservation
from fencepost.hw.long_running import ComputeVm, Member
from fencepost.hw.memory import PAGE_BYTES, ProcessMemory
from tests.hw.long_running.kit import FakeQueue, Space
from tests.searching import assert_clean


def evictions(rt: Runtime) -> None:
    """Have two queues join, and two tasks take memory away, all at once."""
    space = Space(rt, pages=2)
    queues = [FakeQueue(f"q{number}") for number in range(2)]
    tasks = [rt.spawn(partial(space.join, queue)) for queue in queues]
    tasks += [rt.spawn(partial(space.evict, number)) for number in range(2)]
    for task in tasks:
        task.join()
        assert task.error is None
    while not all(queue.runs for queue in queues):
        rt.world.sleep(0.001)


def test_evictions_and_joins_in_any_order() -> None:
    assert_clean(evictions, schedules=200)


def user_memory(rt: Runtime) -> None:
    """Take memory of a process away while it is being brought back."""
    space, queue, process = Space(rt, pages=1), FakeQueue(), ProcessMemory()
    space.vm.bind_userptr(process, 0, PAGE_BYTES, 0x10000, populate=False)
    tasks = [rt.spawn(lambda: space.join(queue)), rt.spawn(lambda: process.unmap(0, PAGE_BYTES))]
    for task in tasks:
        task.join()
        assert task.error is None
    while not queue.runs:
        rt.world.sleep(0.001)
    assert space.vm.is_mapped(0x10000)


def test_memory_of_a_process_that_goes_while_it_is_brought_back() -> None:
    assert_clean(user_memory, schedules=300)


def leaving(rt: Runtime) -> None:
    """Have a queue leave for good while its memory is taken."""
    space, queue = Space(rt), FakeQueue()
    member = space.join(queue)
    tasks = [rt.spawn(lambda: space.compute.leave(member)), rt.spawn(space.evict)]
    for task in tasks:
        task.join()
        assert task.error is None


def test_leaving_at_any_moment() -> None:
    assert_clean(leaving, schedules=300)


def end(rt: Runtime) -> None:
    """Leave while a queue is being brought back."""
    space, queue = Space(rt), FakeQueue()
    member = space.join(queue)
    member.preemption.fence.enable_signaling()


def test_the_end_may_come_at_any_moment() -> None:
    assert_clean(end, schedules=300)


class ResumesFirst(ComputeVm):
    """Lets a queue run before its fence is where others find it: what I24 is about."""

    def resume(self, members: list[Member], reservations: tuple[Reservation, ...]) -> None:
        for member in members:
            member.queue.resume()
        super().resume(members, reservations)


def test_a_resume_before_the_fences_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.hw.long_running.kit.ComputeVm", ResumesFirst)
    assert explore(evictions, schedules=50).kind is Kind.ASSERTION


def test_in_any_order_on_real_threads() -> None:
    for _ in range(5):
        with Runtime(world="native") as rt:
            evictions(rt)
