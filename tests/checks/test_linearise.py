"""The search for an order, with the smallest object there is: a register."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fencepost import sync
from fencepost.checks.history import History, Operation, Raised, Why
from fencepost.checks.linearise import Search, check_history
from fencepost.errors import WrongState


class Register:
    """Holds what was written last."""

    initial = 0

    def step(self, state: int, operation: Operation) -> int | Why:
        if operation.name == "write":
            return int(operation.arguments[0])
        return state if operation.result == state else Why(f"it holds {state}")


def read(who: str, invoked: int, responded: int, result: int) -> Operation:
    return Operation(who, "read", (), invoked, responded, result)


def write(who: str, invoked: int, responded: int, value: int) -> Operation:
    return Operation(who, "write", (value,), invoked, responded)


def is_explained(*operations: Operation) -> bool:
    return Search(Register(), operations, 100).run()


def test_what_came_one_after_the_other_stays_so() -> None:
    assert is_explained(write("a", 1, 2, 7), read("b", 3, 4, 7))
    assert not is_explained(read("b", 1, 2, 7), write("a", 3, 4, 7))


def test_what_overlaps_may_come_in_any_order() -> None:
    assert is_explained(write("a", 1, 4, 7), read("b", 2, 3, 7))
    assert is_explained(write("a", 1, 4, 7), read("b", 2, 3, 0))


def test_each_reader_may_see_a_write_at_its_own_time_but_not_unsee_it() -> None:
    assert is_explained(write("a", 1, 10, 7), read("b", 2, 3, 0), read("c", 4, 5, 7))
    assert not is_explained(write("a", 1, 10, 7), read("b", 2, 3, 7), read("c", 4, 5, 0))


def test_what_has_no_end_yet_may_have_happened_or_not() -> None:
    operations = write("a", 1, 10, 7), read("b", 2, 3, 7), read("c", 4, 5, 0)
    assert Search(Register(), operations[:2], 3).run()
    assert Search(Register(), (operations[0], read("b", 2, 3, 0)), 3).run()
    assert not Search(Register(), operations, 5).run()


@st.composite
def histories(draw: st.DrawFn) -> list[Operation]:
    """Draw up to five operations that lie in any way in time."""
    count = draw(st.integers(1, 5))
    places = draw(st.permutations(range(1, 2 * count + 1)))
    operations: list[Operation] = []
    for number in range(count):
        invoked, responded = sorted(places[2 * number : 2 * number + 2])
        value = draw(st.integers(0, 2))
        make = draw(st.sampled_from([read, write]))
        operations.append(make(f"task {number}", invoked, responded, value))
    return sorted(operations, key=lambda operation: operation.invoked)


def explained_by_trying(operations: Sequence[Operation]) -> bool:
    """Try every order."""
    return any(is_right(order) for order in itertools.permutations(operations))


def is_right(order: Sequence[Operation]) -> bool:
    state = 0
    for index, operation in enumerate(order):
        if any(later.responded < operation.invoked for later in order[index + 1 :]):
            return False
        after = Register().step(state, operation)
        if isinstance(after, Why):
            return False
        state = after
    return True


@given(histories())
def test_it_finds_an_order_exactly_where_there_is_one(operations: list[Operation]) -> None:
    assert Search(Register(), operations, 100).run() == explained_by_trying(operations)


# What is reported.


@pytest.fixture
def history() -> History[int]:
    return History(Register())


def test_no_operations_are_explained(history: History[int]) -> None:
    assert check_history(history) is None


def test_a_report_has_no_more_than_what_does_not_fit(history: History[int]) -> None:
    for value in range(5):
        history.call("write", lambda: None, value)
        history.call("read", lambda value=value: value)  # type: ignore[misc]
    history.call("read", lambda: 7)
    history.call("read", lambda: 8)
    wrong = check_history(history)
    assert str(wrong).split("\n") == [
        "no order explains these 2 of 12 operations:",
        "  17 to 18: write(4) by MainThread",
        "  21 to 22: read -> 7 by MainThread",
        "after write(4) by MainThread:",
        "  read -> 7 by MainThread cannot come next: it holds 4",
    ]


def test_a_report_tells_of_all_that_could_have_come_next(history: History[int]) -> None:
    history.call("read", lambda: history.call("read", lambda: 2) - 1)
    assert str(check_history(history)).split("\n")[-3:] == [
        "after the beginning:",
        "  read -> 1 by MainThread cannot come next: it holds 0",
        "  read -> 2 by MainThread cannot come next: it holds 0",
    ]


def test_a_history_is_not_checked_while_a_call_lasts(history: History[int]) -> None:
    with pytest.raises(WrongState, match=r"MainThread is still in write\(1\): join whoever uses the object"):
        history.call("write", lambda: check_history(history), 1)


def test_what_is_raised_is_recorded_and_goes_on(history: History[int]) -> None:
    def fail() -> int:
        raise OSError(5, "no")

    with pytest.raises(OSError, match="no"):
        history.call("read", fail)
    assert history.operations[0].result == Raised("OSError")
    assert str(history.operations[0]) == "read -> OSError"


def test_objects_are_known_by_number(history: History[int]) -> None:
    things = object(), object()
    assert [history.label(thing) for thing in (things[0], things[1], things[0])] == [1, 2, 1]


def test_tasks_that_record_at_once_are_all_recorded(native: sync.World, history: History[int]) -> None:
    def record() -> None:
        for _ in range(200):
            history.call("write", lambda: None, 1)

    tasks = [native.spawn(record, name=f"task {number}") for number in range(4)]
    assert all(task.join(20) for task in tasks)
    operations = history.operations
    assert len(operations) == 800
    assert [each.invoked for each in operations] == sorted(each.invoked for each in operations)
    assert len({place for each in operations for place in (each.invoked, each.responded)}) == 1600
