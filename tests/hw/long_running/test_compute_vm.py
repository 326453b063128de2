from __future__ import annotations

import errno

import pytest

from fencepost import Runtime
from fencepost.checks.observers import Observers
from fencepost.fences import PreemptState, Usage
from fencepost.hw.memory import PAGE_BYTES, MemoryManager, Placement, ProcessMemory
from fencepost.sync.observed_virtual import ObservedVirtualWorld
from tests.hw.long_running.kit import FakeQueue, Space, wait_for


def test_a_queue_runs_once_its_memory_is_there() -> None:
    with Runtime(world="virtual") as rt:
        space, queue = Space(rt, pages=3), FakeQueue()
        space.join(queue)
        assert not queue.runs
        wait_for(rt, queue)
        assert all(binding.valid for binding in space.vm.bindings())
        assert {buffer.placement for buffer in space.buffers} == {Placement.VRAM}
        assert space.checks == 1


@pytest.mark.parametrize("world", ["virtual", "native"])
def test_who_takes_the_memory_waits_until_the_queue_is_off_and_it_comes_back(world: str) -> None:
    with Runtime(world=world) as rt:  # type: ignore[arg-type]
        space, queue = Space(rt), FakeQueue()
        space.join(queue)
        wait_for(rt, queue)
        space.evict()
        assert queue.told[:3] == ["suspend", "resume", "suspend"]
        wait_for(rt, queue, resumes=2)
        assert space.vm.is_mapped(0)


def test_all_queues_of_an_address_space_leave_and_come_back_together() -> None:
    with Runtime(world="virtual") as rt:
        space = Space(rt)
        queues = [FakeQueue(f"q{number}") for number in range(3)]
        for queue in queues:
            space.join(queue)
        rt.world.sleep(0.01)
        assert all(queue.runs for queue in queues)
        rebinds = space.compute.rebinder.rebinds
        space.evict()
        rt.world.sleep(0.01)
        assert space.compute.rebinder.rebinds == rebinds + 1
        assert all(queue.runs for queue in queues)
        told = [queue.told for queue in queues]
        assert told[0][-2:] == told[1][-2:] == told[2][-2:] == ["suspend", "resume"]


def test_a_queue_that_joins_during_a_preemption_is_brought_in_step() -> None:
    with Runtime(world="virtual") as rt:
        space, first, second = Space(rt), FakeQueue("first"), FakeQueue("second")
        space.join(first)
        wait_for(rt, first)
        first.stubborn = True
        space.members[0].preemption.fence.enable_signaling()
        rt.world.sleep(0.001)
        member = space.join(second)
        assert second.told == ["suspend"]
        assert member.preemption.fence.signaled
        first.stubborn = False
        first.off[-1].signal()
        wait_for(rt, second)
        assert first.told.count("resume") == 2


def test_a_queue_that_joins_while_all_run_runs_at_once() -> None:
    with Runtime(world="virtual") as rt:
        space, first, second = Space(rt), FakeQueue("first"), FakeQueue("second")
        space.join(first)
        wait_for(rt, first)
        space.join(second)
        assert second.told == []
        assert first.told.count("suspend") == 1
        assert space.members[1].preemption.fence in space.buffers[0].reservation.get_fences(Usage.BOOKKEEP)


def test_it_is_banned_when_there_is_no_memory_for_a_second() -> None:
    with Runtime(world="virtual") as rt:
        memory = MemoryManager(2 * PAGE_BYTES, 8 * PAGE_BYTES)
        hog = memory.create(PAGE_BYTES, "hog")
        with memory.validated([hog]):
            hog.pin()
        space, queue = Space(rt, pages=2, memory=memory), FakeQueue()
        began_ns = rt.world.now_ns()
        member = space.join(queue)
        rt.world.sleep(2)
        assert queue.killed
        assert space.compute.error == -errno.ENOSPC
        # Every 20 ms, and one last time when the second is over.
        assert space.compute.rebinder.retries == 50
        assert rt.world.now_ns() - began_ns == 2_000_000_000
        assert member.preemption.state is PreemptState.LOST
        with pytest.raises(OSError, match="takes no queues any more") as refused:
            space.join(FakeQueue())
        assert refused.value.errno == errno.ECANCELED


def test_memory_that_is_there_again_in_time_is_used() -> None:
    with Runtime(world="virtual") as rt:
        memory = MemoryManager(2 * PAGE_BYTES, 8 * PAGE_BYTES)
        hog = memory.create(PAGE_BYTES, "hog")
        with memory.validated([hog]):
            hog.pin()
        space, queue = Space(rt, pages=2, memory=memory), FakeQueue()
        space.join(queue)
        rt.world.sleep(0.5)
        with hog.reservation:
            hog.unpin()
        rt.world.sleep(0.03)
        assert queue.runs
        assert space.compute.error == 0


def test_one_that_leaves_is_waited_for_no_more() -> None:
    with Runtime(world="virtual") as rt:
        space, queue = Space(rt), FakeQueue()
        member = space.join(queue)
        wait_for(rt, queue)
        space.compute.leave(member)
        space.compute.leave(member)
        space.evict()
        assert queue.told == ["suspend", "resume"]
        assert member.preemption.fence.error == -errno.ENOENT


def test_it_stays_away_for_the_back_off() -> None:
    with Runtime(world="virtual") as rt:
        space, queue = Space(rt, back_off_s=0.5), FakeQueue()
        space.join(queue)
        wait_for(rt, queue)
        assert rt.world.now_ns() < 1_000_000, "the first time there is none"
        space.evict()
        rt.world.sleep(0.49)
        assert not queue.runs
        rt.world.sleep(0.02)
        assert queue.runs


def test_memory_of_a_process_that_goes_has_it_leave() -> None:
    with Runtime(world="virtual") as rt:
        space, queue = Space(rt), FakeQueue()
        process = ProcessMemory()
        space.vm.bind_userptr(process, 0, PAGE_BYTES, 0x10000, populate=False)
        space.join(queue)
        wait_for(rt, queue)
        process.unmap(0, PAGE_BYTES)
        assert queue.told[2:3] == ["suspend"]
        wait_for(rt, queue, resumes=2)


def test_no_rule_of_fences_is_broken_on_the_way() -> None:
    """I24: no lock of an address space and no memory in the section of a preempt fence; T6-7 shows that it is seen."""
    observers = Observers()
    with Runtime(ObservedVirtualWorld(observers)) as rt:
        space = Space(rt, pages=2)
        queues = [FakeQueue(f"q{number}") for number in range(2)]
        for queue in queues:
            space.join(queue)
        for number in range(4):
            rt.world.sleep(0.01)
            assert all(queue.runs for queue in queues)
            space.evict(number % 2)
    assert observers.findings == ()
