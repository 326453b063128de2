from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fencepost.checks.happens_before import Clocks

TASKS = 4


def test_what_was_done_before_a_stamp_is_known_to_who_takes_it_and_what_comes_after_is_not() -> None:
    clocks = Clocks()
    one, other = clocks.new(None), clocks.new(None)
    before = one.time
    stamp = one.release()
    after = one.time
    assert not other.knows(one.place, before)
    other.acquire(stamp)
    assert other.knows(one.place, before)
    assert not other.knows(one.place, after)


def test_a_stamp_is_not_changed_by_what_its_maker_learns_later() -> None:
    clocks = Clocks()
    one, two, three = (clocks.new(None) for _ in range(3))
    stamp = one.release()
    third = three.time
    one.acquire(three.release())
    two.acquire(stamp)
    assert one.knows(three.place, third)
    assert not two.knows(three.place, third)


def test_a_child_knows_what_its_parent_had_done() -> None:
    clocks = Clocks()
    parent = clocks.new(None)
    before = parent.time
    child = clocks.new(parent.release())
    assert child.knows(parent.place, before)
    assert not child.knows(parent.place, parent.time)
    assert not parent.knows(child.place, child.time)


def test_who_comes_without_a_parent_knows_all_that_was_done() -> None:
    clocks = Clocks()
    early = clocks.new(None)
    clocks.add(early)
    assert clocks.new(None).knows(early.place, early.time)


def test_the_place_of_a_task_that_ended_goes_to_one_that_comes_after_it() -> None:
    clocks = Clocks()
    parent = clocks.new(None)
    clocks.add(parent)
    first = clocks.new(parent.release())
    clocks.add(first)
    last = first.time
    parent.acquire(clocks.end(first))
    second = clocks.new(parent.release())
    assert second.place == first.place
    assert second.time > last
    assert clocks.width == 1


def test_the_place_of_a_task_that_ended_does_not_go_to_one_that_does_not_know_of_the_end() -> None:
    clocks = Clocks()
    parent = clocks.new(None)
    first = clocks.new(parent.release())
    clocks.end(first)
    assert clocks.new(parent.release()).place != first.place


def test_clocks_stay_as_narrow_as_there_are_tasks_at_a_time() -> None:
    clocks = Clocks()
    parent = clocks.new(None)
    for _ in range(100):
        child = clocks.new(parent.release())
        parent.acquire(clocks.end(child))
    # Its own, which its children brought back, and one for all of them.
    assert len(parent.known) == 2


@given(st.lists(st.tuples(st.integers(0, TASKS - 1), st.integers(0, TASKS - 1)), max_size=40))
def test_clocks_know_exactly_what_a_graph_of_all_messages_says(messages: list[tuple[int, int]]) -> None:
    """Each message is a stamp that one task makes and another takes at once; the graph keeps sets of whole pasts."""
    clocks = Clocks()
    tasks = [clocks.new(None) for _ in range(TASKS)]
    pasts: list[set[tuple[int, int]]] = [set() for _ in tasks]
    done: list[tuple[int, int]] = []
    for sender, taker in messages:
        moment = tasks[sender].place, tasks[sender].time
        done.append(moment)
        pasts[sender].add(moment)
        stamp = tasks[sender].release()
        tasks[taker].acquire(stamp)
        pasts[taker] |= pasts[sender]
    for task, past in zip(tasks, pasts, strict=True):
        assert all(task.knows(*moment) == (moment in past) for moment in done if moment[0] != task.place)
