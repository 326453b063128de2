"""The contract of one fence, in each world; the numbers are those of spec/dma_fence.md section 1."""

from __future__ import annotations

import errno

import pytest

from fencepost import sync
from fencepost.errors import WrongState
from fencepost.fences import Fence, get_stub

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


# 1.5 Enabling.


def test_enabling_is_refused_after_the_signal() -> None:
    fence = Fence()
    assert fence.enable_signaling()
    assert fence.enable_signaling()
    fence.signal()
    assert not fence.enable_signaling()


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
