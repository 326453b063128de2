"""Reservations under search: readers that hold nothing, beside one who changes the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from fencepost import sync
from fencepost.actors import Runtime
from fencepost.checks import Kind, Report, explore
from fencepost.fences import Fence
from fencepost.fences.fence_cursor import FenceCursor
from fencepost.fences.fence_list import Entry, FenceList
from fencepost.fences.locking import locked
from fencepost.fences.reservation import Reservation, Usage
from fencepost.fences.ww_lock import AcquireContext, LockWait, WwLock

FIELDS: Final = {
    Fence: "_state",
    FenceList: "_slots _index capacity",
    Reservation: "_fences _promised",
    WwLock: "_holder _context _waits",
    AcquireContext: "_held _waiter wounded",
    LockWait: "over",
}

Change = Callable[[Reservation], object]


def search(change: Change, reservation_class: type[Reservation] = Reservation) -> Report:
    """Ask whether all has signalled, while something is changed; there is always something pending."""

    def model(runtime: Runtime) -> None:
        reservation = reservation_class()
        done = Fence(8, 1)
        with reservation:
            reservation.reserve(2)
            reservation.add(done, Usage.READ)
            reservation.add(Fence(7, 1), Usage.READ)
        done.signal()

        def read() -> None:
            assert not reservation.test_signaled(Usage.READ), "it is taken for idle"
            assert len(reservation.get_fences(Usage.READ)) == 1, "more than one is pending, or less"

        tasks = [runtime.spawn(read), runtime.spawn(lambda: change(reservation)), runtime.spawn(read)]
        for task in tasks:
            task.join()

    return explore(model, schedules=400, fields=FIELDS)


def add_later(reservation: Reservation) -> None:
    with reservation:
        reservation.add(Fence(7, 2), Usage.READ)


def replace(reservation: Reservation) -> None:
    with locked([reservation]):
        reservation.replace(7, Fence(9, 1), Usage.KERNEL)


def drop_what_is_done(reservation: Reservation) -> None:
    with reservation:
        reservation.reserve(10)


CHANGES: Final = [add_later, replace, drop_what_is_done]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_reader_finds_what_is_pending_throughout(change: Change) -> None:
    report = search(change)
    assert not report.found, str(report)


@pytest.mark.parametrize("change", [add_later, replace], ids=lambda change: change.__name__)
def test_taking_the_old_fence_out_before_the_new_one_is_in_would_be_found(
    change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FenceList.store

    def store_in_two_steps(fences: FenceList, position: int, entry: Entry) -> None:
        done = Fence()
        done.signal()
        store(fences, position, Entry(done, Usage.KERNEL))
        store(fences, position, entry)

    monkeypatch.setattr(FenceList, "store", store_in_two_steps)
    assert search(change).kind is Kind.ASSERTION


class EmptiedFirst(Reservation):
    """Shows an empty list while it makes the new one."""

    def reserve(self, count: int = 1) -> None:
        fences = self._fences.pending()
        if count > 2:
            self._fences = FenceList()
        self._fences = fences
        self._promised = count


def test_a_list_that_is_emptied_and_filled_again_would_be_found() -> None:
    assert search(drop_what_is_done, EmptiedFirst).kind is Kind.ASSERTION


def collect_while_changed(reservation_class: type[Reservation]) -> Report:
    """Collect the fences while the list is swapped: what was collected before counts no more."""

    def model(runtime: Runtime) -> None:
        reservation = reservation_class()
        fences = [Fence(context, 1) for context in (1, 2, 3)]
        with reservation:
            reservation.reserve(3)
            for fence in fences:
                reservation.add(fence, Usage.READ)

        def collect() -> list[int]:
            found: list[int] = []
            cursor = reservation.iterate_unlocked(Usage.READ)
            for fence, _ in cursor:
                if cursor.is_restarted:
                    found.clear()
                found.append(fence.context)
            return found

        def change() -> None:
            fences[0].signal()
            drop_what_is_done(reservation)
            with reservation:
                reservation.replace(3, Fence(4, 1), Usage.READ)

        collecting = runtime.spawn(collect)
        runtime.spawn(change).join()
        collecting.join()
        found = set(collecting.result)
        assert len(found) == len(collecting.result), "one was collected twice"
        assert found in ({1, 2, 3}, {1, 2, 4}, {2, 3}, {2, 4})

    return explore(model, schedules=400, fields=FIELDS)


class NeverRestarted(FenceCursor):
    """Begins anew and does not say so."""

    def __next__(self) -> Entry:
        is_first = self._fences is None
        entry = super().__next__()
        self.is_restarted = is_first
        return entry


class TellsNoRestart(Reservation):
    """Has such cursors."""

    def iterate_unlocked(self, usage: Usage) -> FenceCursor:
        return NeverRestarted(lambda: self._fences, usage)


def test_a_reader_that_heeds_the_restart_collects_each_once() -> None:
    report = collect_while_changed(Reservation)
    assert not report.found, str(report)
    assert collect_while_changed(TellsNoRestart).kind is Kind.ASSERTION


def test_on_real_threads_readers_find_what_is_pending_throughout(any_world: sync.World) -> None:
    """There is always one of the writer's fences that has not signalled; writers of other contexts come and go."""
    reservation, rounds, over = Reservation(), 60, list[bool]()
    first = Fence(1, 0)
    with reservation:
        reservation.reserve(1)
        reservation.add(first, Usage.WRITE)

    def keep_pending() -> None:
        before = first
        for number in range(1, rounds):
            fence = Fence(1, number)
            with reservation:
                reservation.reserve(1)
                reservation.add(fence, Usage.WRITE)
            before.signal()
            before = fence
        over.append(True)

    def come_and_go(context: int) -> None:
        for number in range(rounds):
            fence = Fence(context, number)
            with locked([reservation]):
                reservation.reserve(1 + number % 7)
                reservation.add(fence, Usage(number % 4))
                reservation.replace(context, Fence(context, number + 1), Usage.READ)
            fence.signal()

    def read() -> None:
        for _ in range(rounds):
            assert not reservation.test_signaled(Usage.WRITE)
            assert any(fence.context == 1 for fence in reservation.get_fences(Usage.READ))

    functions = [keep_pending, lambda: come_and_go(2), lambda: come_and_go(3), read, read]
    tasks = [any_world.spawn(function, name=f"task{index}") for index, function in enumerate(functions)]
    assert all(task.join(20) for task in tasks)
    assert any_world.failures == []
    assert over == [True]
