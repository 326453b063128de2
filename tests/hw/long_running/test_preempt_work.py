from __future__ import annotations

import errno

import pytest

from fencepost import Runtime
from fencepost.fences import PreemptState
from fencepost.hw.long_running import PreemptWork
from fencepost.sync.observer import signalling
from tests.hw.long_running.kit import FakeQueue, Space, wait_for


@pytest.mark.parametrize("world", ["virtual", "native"])
def test_a_fence_that_is_waited_for_takes_its_queue_off(world: str) -> None:
    with Runtime(world=world) as rt:  # type: ignore[arg-type]
        space, queue = Space(rt), FakeQueue()
        member = space.join(queue)
        wait_for(rt, queue)
        fence = member.preemption.fence
        assert fence.wait(timeout_s=1)
        assert fence.error == 0
        wait_for(rt, queue, resumes=2)
        assert queue.told == ["suspend", "resume", "suspend", "resume"]


def test_a_fence_that_nobody_waits_for_stays_as_it_is_for_days() -> None:
    """T6-11: its time begins when somebody wants the memory."""
    with Runtime(world="virtual") as rt:
        space, queue = Space(rt), FakeQueue()
        member = space.join(queue)
        wait_for(rt, queue)
        rt.world.sleep(3 * 24 * 3600)
        fence = member.preemption.fence
        assert not fence.signaled
        assert queue.told == ["suspend", "resume"]
        began_ns = rt.world.now_ns()
        assert fence.wait()
        assert rt.world.now_ns() == began_ns


def test_a_queue_that_does_not_leave_in_time_has_its_fence_signal_with_an_error() -> None:
    with Runtime(world="virtual") as rt:
        space, queue = Space(rt, ack_timeout_s=5.0), FakeQueue()
        member = space.join(queue)
        wait_for(rt, queue)
        queue.stubborn = True
        began_ns, fence = rt.world.now_ns(), member.preemption.fence
        assert fence.wait()
        assert rt.world.now_ns() - began_ns == 5_000_000_000
        assert fence.error == -errno.ETIME
        wait_for(rt, queue, resumes=2)
        late = queue.off[-1]
        following = member.preemption.fence
        following.enable_signaling()
        rt.world.sleep(0.01)
        # What it says at last is about a preemption that is over, and not about the one that is under way.
        late.signal()
        rt.world.sleep(0.01)
        assert not following.signaled
        queue.off[-1].signal()
        assert following.wait(timeout_s=0.01)
        assert following.error == 0


def test_a_queue_that_takes_its_time_keeps_no_other_one() -> None:
    """B5: the work waits by callbacks, so what is behind it goes on."""
    with Runtime(world="virtual") as rt:
        slow, fast = FakeQueue("slow"), FakeQueue("fast")
        work = rt.start(PreemptWork, name="W")
        one, other = Space(rt, work=work), Space(rt, work=work)
        first, second = one.join(slow), other.join(fast)
        wait_for(rt, slow)
        wait_for(rt, fast)
        slow.stubborn = True
        first.preemption.fence.enable_signaling()
        assert second.preemption.fence.wait(timeout_s=0.001)
        assert not first.preemption.fence.signaled
        slow.stubborn = False
        with signalling():
            slow.off[-1].signal()
        assert first.preemption.fence.wait(timeout_s=0.001)


def test_who_asks_after_the_end_does_not_wait() -> None:
    with Runtime(world="virtual") as rt:
        space, queue = Space(rt), FakeQueue()
        member = space.join(queue)
        wait_for(rt, queue)
    member.preemption.fence.enable_signaling()
    assert member.preemption.state is PreemptState.LOST
    assert member.preemption.fence.error == -errno.ENOENT


def test_who_joins_after_the_end_does_not_wait() -> None:
    with Runtime(world="virtual") as rt:
        space = Space(rt)
    member = space.join(FakeQueue())
    assert member.preemption.state is PreemptState.LOST
    assert member.preemption.fence.error == -errno.ENOENT
