"""The contract of one fence, in each world; the numbers are those of spec/dma_fence.md section 1."""

from __future__ import annotations

import errno
import itertools

import pytest

from fencepost import sync
from fencepost.errors import WrongContext, WrongState
from fencepost.fences import Fence, get_stub, wait_any
from tests.fences.kit import until_asleep

LONG_S = 20.0
SHORT_S = 0.002

pytestmark = pytest.mark.usefixtures("any_world")


# 1.1 State.


def test_a_new_fence_is_pending() -> None:
    fence = Fence()
    assert not fence.signaled
    assert fence.status == 0
    assert fence.error == 0


def test_it_signals_exactly_once() -> None:
    fence = Fence()
    assert fence.signal()
    assert fence.signaled
    assert not fence.signal()
    assert fence.signaled


def test_a_second_signal_changes_nothing() -> None:
    fence, called = Fence(), list[Fence]()
    fence.add_callback(called.append)
    fence.signal(-errno.EIO, timestamp_ns=5)
    assert not fence.signal(timestamp_ns=9)
    assert not fence.signal(-errno.ETIME)
    assert (fence.error, fence.timestamp_ns, called) == (-errno.EIO, 5, [fence])


def test_callbacks_see_the_flag_the_error_and_the_timestamp() -> None:
    fence, seen = Fence(), list[object]()
    fence.add_callback(lambda f: seen.append((f.signaled, f.error, f.status, f.timestamp_ns)))
    fence.signal(-errno.EIO, timestamp_ns=7)
    assert seen == [(True, -errno.EIO, -errno.EIO, 7)]


def test_a_signal_inside_a_callback_is_a_second_signal() -> None:
    fence, answers = Fence(), list[bool]()
    fence.add_callback(lambda f: answers.append(f.signal(-errno.EIO)))
    assert fence.signal()
    assert answers == [False]
    assert fence.error == 0


# 1.2 Error.


@pytest.mark.parametrize("error", [0, 1, 5, -4096, -(10**9)])
def test_an_error_that_the_kernel_could_not_use_is_refused(error: int) -> None:
    fence = Fence()
    with pytest.raises(ValueError, match=f"an error of {error}, expected a negative errno, -4095 to -1"):
        fence.set_error(error)
    assert not fence.signaled


@pytest.mark.parametrize("error", [1, -4096])
def test_a_signal_with_a_wrong_error_does_not_signal(error: int) -> None:
    fence = Fence()
    with pytest.raises(ValueError, match="expected a negative errno"):
        fence.signal(error)
    assert not fence.signaled


@pytest.mark.parametrize("error", [-1, -4095])
def test_the_limits_of_an_error_are_allowed(error: int) -> None:
    fence = Fence()
    fence.set_error(error)
    fence.signal()
    assert fence.error == error


def test_an_error_is_invisible_before_the_signal() -> None:
    fence = Fence(1, 2, name="gfx")
    fence.set_error(-errno.EIO)
    assert (fence.error, fence.status) == (0, 0)
    assert repr(fence) == "<Fence gfx:2 pending>"
    fence.signal()
    assert (fence.error, fence.status) == (-errno.EIO, -errno.EIO)
    assert repr(fence) == "<Fence gfx:2 -EIO>"


def test_the_error_of_a_signalled_fence_cannot_be_set() -> None:
    fence = Fence()
    fence.signal()
    with pytest.raises(WrongState, match="has signalled: its error can no longer be set"):
        fence.set_error(-errno.EIO)
    assert fence.status == 1


def test_the_error_of_the_signal_replaces_the_one_that_was_set() -> None:
    fence = Fence()
    fence.set_error(-errno.EIO)
    fence.signal(-errno.ECANCELED)
    assert fence.error == -errno.ECANCELED


def test_a_wait_does_not_tell_the_error() -> None:
    fence = Fence()
    fence.signal(-errno.EIO)
    assert fence.wait() is True


# 1.3 Timestamp.


def test_the_timestamp_is_the_time_of_the_signal(any_world: sync.World) -> None:
    fence = Fence()
    before_ns = any_world.now_ns()
    fence.signal()
    assert before_ns <= fence.timestamp_ns <= any_world.now_ns()


def test_a_pending_fence_has_no_timestamp() -> None:
    with pytest.raises(WrongState, match="has no timestamp before it signals"):
        _ = Fence().timestamp_ns


# 1.4 Callbacks.


def test_callbacks_run_in_the_order_they_came() -> None:
    fence, ran = Fence(), list[int]()
    for number in range(5):
        assert fence.add_callback(lambda _, number=number: ran.append(number))  # type: ignore[misc]
    fence.signal()
    assert ran == [0, 1, 2, 3, 4]


def test_one_callback_may_be_added_twice_and_runs_twice() -> None:
    fence, ran = Fence(), list[Fence]()
    fence.add_callback(ran.append)
    fence.add_callback(ran.append)
    fence.signal()
    assert ran == [fence, fence]


def test_a_callback_added_inside_a_callback_is_refused_and_never_called() -> None:
    fence, answers, ran = Fence(), list[bool](), list[Fence]()
    fence.add_callback(lambda f: answers.append(f.add_callback(ran.append)))
    fence.signal()
    assert (answers, ran) == ([False], [])


def test_a_callback_may_ask_anything_of_its_own_fence_without_waiting() -> None:
    fence, answers = Fence(), list[object]()

    def ask(f: Fence) -> None:
        f.wait_for_callbacks()
        answers.extend([f.wait(), f.context, f.enable_signaling(), f.remove_callback(ask), repr(f)])

    fence.add_callback(ask)
    fence.signal()
    assert answers[:1] + answers[2:4] == [True, False, False]


def test_a_callback_may_signal_another_fence_and_so_on() -> None:
    fences = [Fence() for _ in range(50)]
    for one, other in itertools.pairwise(fences):
        one.add_callback(lambda _, other=other: other.signal())  # type: ignore[misc]
    fences[0].signal()
    assert all(fence.signaled for fence in fences)


def test_a_callback_may_not_block() -> None:
    fence, other = Fence(name="one"), Fence(name="other")
    fence.add_callback(lambda _: other.wait())
    with pytest.raises(
        WrongContext, match="may not wait for <Fence other:0 pending>: it runs the callbacks of a fence"
    ):
        fence.signal()
    assert fence.signaled


def test_the_signaller_may_block_again_after_the_callbacks() -> None:
    fence, inner = Fence(), Fence()
    inner.add_callback(lambda _: None)
    fence.add_callback(lambda _: inner.signal())
    fence.add_callback(lambda _: Fence().wait(SHORT_S))
    with pytest.raises(WrongContext):
        fence.signal()
    assert not Fence().wait(SHORT_S)


@pytest.mark.parametrize("error", [LookupError("lost"), KeyboardInterrupt()])
def test_a_callback_that_raises_stops_neither_the_others_nor_the_signal(error: BaseException) -> None:
    fence, ran = Fence(), list[str]()

    def fail(_: Fence) -> None:
        raise error

    fence.add_callback(lambda _: ran.append("before"))
    fence.add_callback(fail)
    fence.add_callback(fail)
    fence.add_callback(lambda _: ran.append("after"))
    with pytest.raises(type(error)) as caught:
        fence.signal()
    assert caught.value is error
    assert ran == ["before", "after"]
    assert fence.wait()
    fence.wait_for_callbacks()
    assert not Fence().wait(0)


def test_a_callback_that_raises_does_not_keep_sleepers_asleep(any_world: sync.World) -> None:
    fence = Fence()

    def fail(_: Fence) -> None:
        raise LookupError

    fence.add_callback(fail)
    sleeper = any_world.spawn(lambda: fence.wait(LONG_S), name="sleeper")
    until_asleep(any_world, fence, sleeper)
    with pytest.raises(LookupError):
        fence.signal()
    assert sleeper.join(LONG_S)
    assert sleeper.result is True


def test_a_removed_callback_does_not_run_and_can_be_added_again() -> None:
    fence, ran = Fence(), list[Fence]()
    fence.add_callback(ran.append)
    assert fence.remove_callback(ran.append)
    assert not fence.remove_callback(ran.append)
    assert fence.add_callback(ran.append)
    fence.signal()
    assert ran == [fence]


def test_removing_takes_the_one_that_was_meant() -> None:
    fence, one, other = Fence(), [0], [0, 1]
    fence.add_callback(one.append)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    fence.add_callback(other.append)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    assert fence.remove_callback(other.append)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    fence.signal()
    assert (len(one), len(other)) == (2, 2)


def test_removing_what_was_never_added_answers_no() -> None:
    fence = Fence()
    assert not fence.remove_callback(print)
    fence.signal()
    assert not fence.remove_callback(print)


# 1.5 Enabling.


def test_enabling_is_refused_after_the_signal() -> None:
    fence = Fence()
    assert fence.enable_signaling()
    assert fence.enable_signaling()
    fence.signal()
    assert not fence.enable_signaling()


# 1.6 Waits.


def test_a_wait_ends_with_the_signal(any_world: sync.World) -> None:
    fence = Fence()
    any_world.spawn(fence.signal, name="signaller")
    assert fence.wait(LONG_S)


def test_a_wait_without_a_limit_ends_with_the_signal(any_world: sync.World) -> None:
    fence = Fence()
    any_world.timers.call_at(any_world.now_ns() + 1_000_000, fence.signal)
    assert fence.wait()


def test_a_wait_ends_with_the_time_out_and_not_before(any_world: sync.World) -> None:
    fence = Fence()
    before_ns = any_world.now_ns()
    assert not fence.wait(SHORT_S)
    assert any_world.now_ns() - before_ns >= 2_000_000
    assert not fence.wait_until(any_world.now_ns())


def test_a_wait_of_no_time_only_looks() -> None:
    fence = Fence()
    assert not fence.wait(0)
    fence.signal()
    assert fence.wait(0)


def test_a_negative_time_out_is_refused() -> None:
    with pytest.raises(ValueError, match="a time-out of -1 s, expected 0 or more"):
        Fence().wait(-1)


def test_who_slept_returns_after_the_callbacks(any_world: sync.World) -> None:
    fence, done = Fence(), list[str]()

    def sleep() -> None:
        fence.wait(LONG_S)
        done.append("sleeper")

    sleeper = any_world.spawn(sleep, name="sleeper")
    until_asleep(any_world, fence, sleeper)
    fence.add_callback(lambda _: done.append("callback"))
    fence.signal()
    assert sleeper.join(LONG_S)
    assert done == ["callback", "sleeper"]


def test_any_number_may_wait_for_one_fence(any_world: sync.World) -> None:
    fence = Fence()
    sleepers = [any_world.spawn(lambda: fence.wait(LONG_S), name=f"sleeper{index}") for index in range(10)]
    hasty = [any_world.spawn(lambda: fence.wait(SHORT_S / 10), name=f"hasty{index}") for index in range(10)]
    assert all(task.join(LONG_S) for task in hasty)
    fence.signal()
    assert all(sleeper.join(LONG_S) and sleeper.result for sleeper in sleepers)


def test_waiting_for_any_tells_the_first_that_has_signalled() -> None:
    fences = [Fence() for _ in range(4)]
    fences[3].signal()
    assert wait_any(fences) == 3
    fences[1].signal()
    assert wait_any(fences, 0) == 1


def test_waiting_for_any_ends_with_a_signal(any_world: sync.World) -> None:
    fences = [Fence() for _ in range(4)]
    any_world.timers.call_at(any_world.now_ns() + 1_000_000, fences[2].signal)
    assert wait_any(fences, LONG_S) == 2


def test_waiting_for_any_ends_with_the_time_out() -> None:
    fences = [Fence() for _ in range(4)]
    assert wait_any(fences, SHORT_S) is None
    assert wait_any(fences, 0) is None


def test_waiting_for_any_leaves_no_callback_behind() -> None:
    """Else they would warn here, where nobody keeps the fences."""
    fences = [Fence(), Fence()]
    assert wait_any([*fences, fences[0]], SHORT_S) is None
    fence = Fence()
    fence.add_callback(lambda _: wait_any(fences))
    with pytest.raises(WrongContext, match="may not wait for any of 2 fences"):
        fence.signal()


def test_waiting_for_any_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no fences to wait for"):
        wait_any([])
    with pytest.raises(ValueError, match="time-out of -1 s"):
        wait_any([Fence()], -1)


# 1.9 Deadlines, 1.10 the stub.


def test_a_deadline_is_a_hint_that_a_plain_fence_ignores() -> None:
    fence = Fence()
    fence.set_deadline(1)
    assert not fence.signaled
    fence.signal()
    fence.set_deadline(-1)


def test_the_stub_has_always_been_signalled() -> None:
    stub = get_stub()
    assert stub is get_stub()
    assert (stub.context, stub.seqno, stub.timestamp_ns, stub.status) == (0, 0, 0, 1)
    assert stub.wait(0)
    assert not stub.add_callback(print)


def test_fences_may_share_a_lock(any_world: sync.World) -> None:
    lock, ran = any_world.lock(), list[bool]()
    one, other = Fence(lock=lock), Fence(lock=lock)
    one.add_callback(lambda _: ran.append(other.signal()))
    other.add_callback(lambda _: ran.append(lock.locked()))
    one.signal()
    assert ran == [False, True]


def test_a_fence_says_what_it_is() -> None:
    assert repr(Fence()) == "<Fence anonymous:0 pending>"
    assert repr(Fence(7, 3)) == "<Fence 7:3 pending>"
    fence = Fence(7, 3, name="rcs0")
    fence.signal()
    assert repr(fence) == "<Fence rcs0:3 signalled>"
    failed = Fence(7, 4)
    failed.signal(-4000)
    assert repr(failed) == "<Fence 7:4 -4000>"
