from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from fencepost.fences import Compare, Fence, UserFence, merge
from fencepost.fences.reservation import Reservation
from fencepost.fences.sync_file import SyncFile
from fencepost.sync import current
from fencepost.sync.allocation import RECLAIMING, Allocation, might_alloc
from fencepost.sync.observer import begin_signalling, end_signalling, signalling
from tests.checks.rules import WORLDS, ruled

every_world = pytest.mark.parametrize("kind", WORLDS)


def allocate_in_section(kind: Allocation) -> None:
    with signalling():
        might_alloc(kind)


@every_world
def test_memory_that_may_be_waited_for_is_not_wanted_in_a_section(kind: str) -> None:
    with ruled(kind) as here:
        here.run(partial(allocate_in_section, Allocation.KERNEL))
    (said,) = here.breaches
    assert "memory of the kind KERNEL" in said
    assert "wanted by task0 at checks/test_section_rules.py" in said
    assert "the section was begun by task0 at checks/test_section_rules.py" in said
    assert said.count("in allocate_in_section") == 2


@pytest.mark.parametrize("wanted", Allocation)
def test_only_memory_that_fails_at_once_may_be_wanted_there(wanted: Allocation) -> None:
    with ruled() as here:
        allocate_in_section(wanted)
    assert len(here.breaches) == (wanted in RECLAIMING)


def test_memory_may_be_wanted_before_and_after_a_section() -> None:
    with ruled() as here:
        might_alloc(Allocation.KERNEL)
        with signalling():
            pass
        might_alloc(Allocation.KERNEL)
    assert here.breaches == []


def test_memory_wanted_under_a_lock_that_a_section_takes_closes_a_circle() -> None:
    with ruled() as here:
        lock = current().lock()
        with lock:
            might_alloc(Allocation.NOFS)
        with signalling(), lock:
            pass
    (said,) = here.breaches
    assert said.startswith("lock order is a circle")
    assert "the freeing of memory then the signalling of a fence, by any program" in said


@every_world
def test_a_reservation_in_a_section_is_found_in_one_task_and_one_run(kind: str) -> None:
    def take() -> None:
        reservation = Reservation()
        with signalling():
            reservation.lock()
            reservation.unlock()

    with ruled(kind) as here:
        here.run(take)
    (said,) = here.breaches
    assert "Reservation then the freeing of memory, by any program" in said
    assert "the signalling of a fence then Reservation, by task0" in said


def test_a_section_may_be_entered_with_a_reservation_held() -> None:
    with ruled() as here:
        reservation = Reservation()
        reservation.lock()
        with signalling():
            pass
        might_alloc(Allocation.KERNEL)
        Fence().wait(timeout_s=0.1)
        reservation.unlock()
    assert here.breaches == []


@every_world
def test_no_fence_is_waited_for_in_a_section(kind: str) -> None:
    def wait() -> None:
        with signalling():
            Fence(name="other").wait(timeout_s=0.001)

    with ruled(kind) as here:
        here.run(wait)
    (said,) = here.breaches
    assert "<Fence other:0 pending> was waited for by task0" in said
    assert "the section was begun by task0" in said


def wait_for_user_fence() -> None:
    UserFence(name="flip").wait(Compare.EQ, 1, timeout_s=0.001)


def test_no_user_fence_is_waited_for_in_a_section() -> None:
    with ruled() as here, signalling():
        wait_for_user_fence()
    (said,) = here.breaches
    assert "<UserFence flip> was waited for" in said


def signalled_fence() -> None:
    fence = Fence()
    fence.signal()
    assert fence.wait()


def hardware() -> None:
    current().sleep(0.001)


@pytest.mark.parametrize("wait", [signalled_fence, hardware])
def test_other_waits_are_no_matter_of_fences(wait: Callable[[], None]) -> None:
    with ruled() as here, signalling():
        wait()
    assert here.breaches == []


def test_the_callbacks_of_a_fence_may_be_waited_for() -> None:
    """One task signals, and is in the callbacks; another waits, in a section, until they have run."""
    with ruled("native") as here:
        fence = Fence()
        running, go_on = Fence(), Fence()
        other = here.world.mailbox()

        def callback(_fence: Fence) -> None:
            running.signal()
            other.get()

        def wait() -> None:
            running.wait()
            with signalling():
                go_on.signal()
                fence.wait_for_callbacks()

        def release() -> None:
            go_on.wait()
            other.put(None)

        fence.add_callback(callback)
        tasks = [here.world.spawn(each, name=each.__name__) for each in (wait, release, fence.signal)]
        assert all(task.join() for task in tasks)
    assert here.breaches == []


def test_sections_nest() -> None:
    with ruled() as here:
        outer = begin_signalling()
        with signalling():
            pass
        end_signalling(outer)
        might_alloc(Allocation.KERNEL)
    assert here.breaches == []


@every_world
def test_a_section_left_open_is_told_of_at_the_end_of_its_task(kind: str) -> None:
    with ruled(kind) as here:
        here.run(begin_signalling)
    (said,) = here.breaches
    assert "task0 came to its end in a section; the section was begun by task0" in said


def test_sections_end_in_the_other_order_than_they_began() -> None:
    with ruled() as here:
        outer = begin_signalling()
        inner = begin_signalling()
        end_signalling(outer)
        end_signalling(inner)
    first, second = here.breaches
    assert "a section was ended by main" in first
    assert "number 1 of 2" in first
    assert "which is in none" in second


def test_a_section_is_not_ended_twice() -> None:
    with ruled() as here:
        cookie = begin_signalling()
        end_signalling(cookie)
        end_signalling(cookie)
    assert len(here.breaches) == 1


def test_a_section_is_ended_by_the_task_that_began_it() -> None:
    cookies: list[int] = []
    with ruled() as here:
        here.run(
            lambda: cookies.append(begin_signalling()),
            lambda: end_signalling(cookies[0]),
        )
    first, second = here.breaches
    assert "task0 came to its end" in first
    assert "ended by task1" in second
    assert "begun by another task" in second


def test_a_breach_is_told_of_once() -> None:
    with ruled() as here:
        for _ in range(3):
            allocate_in_section(Allocation.KERNEL)
    assert len(here.breaches) == 1


def reserve() -> None:
    reservation = Reservation()
    reservation.lock()
    with signalling():
        reservation.reserve()
    reservation.unlock()


def merge_fences() -> None:
    with signalling():
        merge(Fence(), Fence())


def make_file() -> None:
    fence = Fence()
    with signalling():
        SyncFile(fence).close()


@pytest.mark.parametrize("take", [reserve, merge_fences, make_file])
def test_what_costs_memory_in_a_kernel_says_so(take: Callable[[], None]) -> None:
    with ruled() as here:
        take()
    (said,) = here.breaches
    assert "memory of the kind KERNEL" in said
