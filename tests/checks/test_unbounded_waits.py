from __future__ import annotations

from collections.abc import Callable

import pytest

from fencepost.fences import Compare, Fence, UserFence, long_running_context, wait_any
from fencepost.fences.reservation import Reservation
from fencepost.sync import current
from tests.checks.rules import WORLDS, ruled


def user_fence() -> None:
    UserFence(name="flip").wait(Compare.EQ, 1, timeout_s=0.001)


def long_running() -> None:
    Fence(long_running_context(), name="endless").wait(timeout_s=0.001)


def any_of_two() -> None:
    wait_any([Fence(), Fence(long_running_context())], timeout_s=0.001)


def usual() -> None:
    Fence().wait(timeout_s=0.001)


@pytest.mark.parametrize("wait", [user_fence, long_running, any_of_two])
@pytest.mark.parametrize("kind", WORLDS)
def test_nothing_is_held_over_a_wait_that_may_never_end(kind: str, wait: Callable[[], None]) -> None:
    with ruled(kind) as here:
        reservation = Reservation()
        reservation.lock()
        wait()
        reservation.unlock()
    (said,) = here.breaches
    assert "was waited for by " in said
    assert "holding Reservation" in said


def test_any_lock_counts() -> None:
    with ruled() as here, current().lock():
        user_fence()
    assert len(here.breaches) == 1


def test_it_may_be_waited_for_with_nothing_held() -> None:
    with ruled() as here:
        user_fence()
        long_running()
    assert here.breaches == []


def test_a_reservation_may_be_held_while_waiting_for_a_usual_fence() -> None:
    with ruled() as here:
        reservation = Reservation()
        reservation.lock()
        usual()
        reservation.unlock()
    assert here.breaches == []
