from __future__ import annotations

import pytest

from fencepost.events import Event
from fencepost.events.kinds import BATCH, CYCLE, JOB_DONE, JOB_QUEUE
from fencepost.lab.shares import Frame, Reweighting, frames, group_shares

MS = 1_000_000
GROUPS = {"a": "/A", "b": "/B", "tab": "/B/tab"}


def job(client: str, start_ms: float, end_ms: float, *, queued_ms: float = 0, engine: str = "rcs0") -> list[Event]:
    """Return what is told of a job: when it was pushed, what was executed, and when it was done."""
    context = sum(map(ord, client)) * 10_000 + round(1000 * start_ms)
    start_ns, end_ns = round(start_ms * MS), round(end_ms * MS)
    return [
        (round(queued_ms * MS), JOB_QUEUE, engine, client, client, context, 1, 0, 0),
        (end_ns, BATCH, engine, client, context, 1, start_ns, end_ns),
        (end_ns, JOB_DONE, engine, context, 1, 0),
    ]


def in_order(*jobs: list[Event]) -> list[Event]:
    return sorted((event for each in jobs for event in each), key=lambda event: event[0])


def test_time_is_added_up_by_slot_and_group_with_all_below() -> None:
    events = in_order(job("a", 0, 6), job("b", 6, 10), job("tab", 10, 20))
    shares = group_shares(events, GROUPS, 10)
    assert shares.edges_ns == [0, 10 * MS, 20 * MS]
    assert shares.had == {"/": [1, 1], "/A": [0.6, 0], "/B": [0.4, 1], "/B/tab": [0, 1]}


def test_whoever_always_has_something_pending_is_due_its_weight() -> None:
    """One of two equal groups was given 60 % though both wanted more."""
    events = in_order(job("a", 0, 6), job("b", 6, 10), job("a", 10, 11), job("b", 11, 12))
    shares = group_shares(events, GROUPS, 10)
    assert shares.ideal["/A"] == shares.ideal["/B"] == [0.5]


def test_whoever_rests_in_between_got_what_it_wanted() -> None:
    """It had nothing pending for the last 4 ms; that the other has less than its weight asks for is right then."""
    events = in_order(job("a", 0, 6), job("b", 6, 10), job("b", 10, 12))
    weights = [Reweighting(0, "/A", 1000)]
    shares = group_shares(events, GROUPS, 10, weights)
    assert shares.ideal["/A"] == [0.6]
    assert shares.ideal["/B"] == pytest.approx([0.4])


def test_a_weight_counts_from_its_moment_on() -> None:
    events = in_order(*(job(client, start, start + 5) for start, client in ((0, "a"), (5, "b"), (10, "a"), (15, "b"))))
    events = in_order(events, job("a", 20, 21), job("b", 21, 22))
    weights = [Reweighting(10 * MS, "/A", 300), Reweighting(0, "/A", 100)]
    assert group_shares(events, GROUPS, 10, weights).ideal["/A"] == [0.5, 0.75]


def test_an_engine_that_is_not_busy_is_contested_by_nobody() -> None:
    events = in_order(job("a", 0, 2), job("b", 2, 3), job("a", 9, 10))
    shares = group_shares(events, GROUPS, 10)
    assert shares.ideal["/A"] == shares.had["/A"]
    assert shares.had["/A"] == pytest.approx([0.3])


def test_whoever_waits_for_something_else_wants_no_more_of_an_engine() -> None:
    """Both always have something pending, and the engine rests for 4 ms."""
    events = in_order(job("a", 0, 2), job("b", 2, 6), job("a", 9, 11, queued_ms=1), job("b", 11, 12))
    shares = group_shares(events, GROUPS, 10)
    assert shares.ideal["/A"] == pytest.approx([0.3])
    assert shares.ideal["/B"] == pytest.approx([0.4])


def test_shares_are_of_all_engines_that_executed_anything() -> None:
    events = in_order(job("a", 0, 10), job("b", 0, 5, engine="vcs0"))
    shares = group_shares(events, GROUPS, 10)
    assert (shares.had["/A"], shares.had["/B"], shares.had["/"]) == ([0.5], [0.25], [0.75])


def test_clients_without_a_group_are_in_the_root() -> None:
    shares = group_shares(job("stranger", 0, 10), GROUPS, 10)
    assert shares.had == {"/": [1.0]}


def test_slots_begin_with_the_first_event_and_what_is_left_over_is_left_out() -> None:
    events = in_order(job("a", 7, 31, queued_ms=5))
    assert group_shares(events, GROUPS, 10).edges_ns == [5 * MS, 15 * MS, 25 * MS]
    assert group_shares(events, GROUPS, 100).edges_ns == [5 * MS, 31 * MS]


def test_a_run_in_which_nothing_happened_has_no_shares() -> None:
    assert group_shares([], GROUPS, 10).had == {}


def test_a_frame_lasts_from_one_cycle_to_the_next() -> None:
    events = [
        (17 * MS, CYCLE, "a", 0, 17 * MS),
        (20 * MS, CYCLE, "b", 0, 20 * MS),
        (40 * MS, CYCLE, "a", 17 * MS, 40 * MS),
    ]
    assert frames(events, ["a", "tab"]) == {"a": [Frame(17 * MS, 17 * MS), Frame(40 * MS, 23 * MS)], "tab": []}
