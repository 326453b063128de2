from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from fencepost.hw.engine import Engine
from fencepost.hw.execution import Execution, PageFault, RingBuffer

MakeBatch = Callable[..., Execution]

HIGH, LOW = 0, 1


def stretches(engine: Engine) -> list[tuple[str, int, int]]:
    return [(each.execution.client, each.start_ns, each.end_ns) for each in engine.stretches]


def submit_at(engine: Engine, at_ns: int, *executions: Execution) -> None:
    engine.advance(at_ns)
    for execution in executions:
        engine.submit(execution)


# --- one ring


def test_an_idle_engine_has_nothing_before_it() -> None:
    engine = Engine()
    engine.advance(100)
    assert (engine.now_ns, engine.next_event_ns, engine.running, engine.busy_ns()) == (100, None, None, {})


def test_a_batch_starts_when_it_arrives_or_when_the_one_before_it_ends(batch: MakeBatch) -> None:
    engine, ring = Engine(), RingBuffer(LOW)
    submit_at(engine, 5, batch(ring, 10, client="a"), batch(ring, 20, client="b"))
    submit_at(engine, 100, batch(ring, 1, client="c"))
    engine.advance(1000)
    assert stretches(engine) == [("a", 5, 15), ("b", 15, 35), ("c", 100, 101)]


def test_looking_late_moves_nothing(batch: MakeBatch) -> None:
    engine, ring = Engine(), RingBuffer(LOW)
    submit_at(engine, 0, *(batch(ring, 10) for _ in range(3)))
    engine.advance(1_000_000)
    assert [execution.end_ns for execution in engine.ended] == [10, 20, 30]


def test_a_batch_of_no_time_ends_when_time_is_next_looked_at(batch: MakeBatch) -> None:
    engine, ring = Engine(), RingBuffer(LOW)
    submit_at(engine, 7, batch(ring, 0, client="a"))
    assert (engine.ended, engine.next_event_ns) == ([], 7)
    engine.advance(7)
    assert stretches(engine) == [("a", 7, 7)]


# --- several rings


def test_when_a_batch_ends_the_more_important_ring_is_served_first(batch: MakeBatch) -> None:
    engine, low, high = Engine(), RingBuffer(LOW), RingBuffer(HIGH)
    submit_at(engine, 0, batch(low, 10, client="l1"), batch(low, 10, client="l2"))
    submit_at(engine, 9, batch(high, 10, client="h1"), batch(high, 10, client="h2"))
    engine.advance(100)
    assert stretches(engine) == [("l1", 0, 10), ("h1", 10, 20), ("h2", 20, 30), ("l2", 30, 40)]


def test_what_arrives_just_when_a_batch_ends_is_too_late_for_that_turn(batch: MakeBatch) -> None:
    engine, low, high = Engine(), RingBuffer(LOW), RingBuffer(HIGH)
    submit_at(engine, 0, batch(low, 10, client="l1"), batch(low, 10, client="l2"))
    submit_at(engine, 10, batch(high, 10, client="h"))
    engine.advance(100)
    assert stretches(engine) == [("l1", 0, 10), ("l2", 10, 20), ("h", 20, 30)]


def test_equal_rings_take_turns(batch: MakeBatch) -> None:
    engine, one, other = Engine(), RingBuffer(LOW), RingBuffer(LOW)
    submit_at(engine, 0, *(batch(one, 10, client=f"a{n}") for n in range(3)))
    submit_at(engine, 1, *(batch(other, 10, client=f"b{n}") for n in range(3)))
    engine.advance(100)
    assert [client for client, _, _ in stretches(engine)] == ["a0", "b0", "a1", "b1", "a2", "b2"]


# --- preemption


@pytest.mark.parametrize(
    ("granularity_ns", "arrival_ns", "switch_ns"),
    [
        pytest.param(30, 10, 30, id="at the end of the granularity"),
        pytest.param(30, 59, 60, id="at the second one"),
        pytest.param(30, 0, 30, id="not where it starts"),
        pytest.param(30, 30, 60, id="not at the point it comes at"),
        pytest.param(1, 42, 43, id="almost at once"),
        pytest.param(0, 10, 100, id="not at all"),
        pytest.param(100, 10, 100, id="it ends first"),
        pytest.param(30, 95, 100, id="it ends before the next point"),
    ],
)
def test_a_running_batch_gives_way_at_its_next_point(
    batch: MakeBatch, granularity_ns: int, arrival_ns: int, switch_ns: int
) -> None:
    engine, low, high = Engine(), RingBuffer(LOW), RingBuffer(HIGH)
    submit_at(engine, 0, batch(low, 100, granularity_ns, client="l"))
    submit_at(engine, arrival_ns, batch(high, 5, client="h"))
    engine.advance(1000)
    resumed = [] if switch_ns == 100 else [("l", switch_ns + 5, 105)]
    assert stretches(engine) == [("l", 0, switch_ns), ("h", switch_ns, switch_ns + 5), *resumed]
    assert engine.busy_ns() == {"l": 100, "h": 5}


def test_points_are_counted_in_its_own_execution(batch: MakeBatch) -> None:
    engine, low, high = Engine(), RingBuffer(LOW), RingBuffer(HIGH)
    submit_at(engine, 7, batch(low, 100, 30, client="l"))
    submit_at(engine, 10, batch(high, 5, client="h"))
    submit_at(engine, 50, batch(high, 5, client="h"))
    engine.advance(1000)
    assert stretches(engine) == [("l", 7, 37), ("h", 37, 42), ("l", 42, 72), ("h", 72, 77), ("l", 77, 117)]


def test_an_equal_ring_does_not_preempt(batch: MakeBatch) -> None:
    engine, one, other = Engine(), RingBuffer(LOW), RingBuffer(LOW)
    submit_at(engine, 0, batch(one, 100, 10, client="a"))
    submit_at(engine, 1, batch(other, 10, client="b"))
    engine.advance(1000)
    assert stretches(engine) == [("a", 0, 100), ("b", 100, 110)]


def test_the_most_important_that_waits_by_then_preempts(batch: MakeBatch) -> None:
    engine, rings = Engine(), [RingBuffer(priority) for priority in range(3)]
    submit_at(engine, 0, batch(rings[2], 100, 50, client="2"))
    submit_at(engine, 10, batch(rings[1], 10, 1, client="1"))
    submit_at(engine, 20, batch(rings[0], 10, client="0"))
    engine.advance(60)
    assert stretches(engine) == [("2", 0, 50), ("0", 50, 60)]


def test_a_preempted_batch_waits_behind_its_equals(batch: MakeBatch) -> None:
    engine, one, other, high = Engine(), RingBuffer(LOW), RingBuffer(LOW), RingBuffer(HIGH)
    submit_at(engine, 0, batch(one, 20, 10, client="a"), batch(other, 20, client="b"), batch(high, 5, client="h"))
    engine.advance(100)
    assert stretches(engine) == [("a", 0, 10), ("h", 10, 15), ("b", 15, 35), ("a", 35, 45)]


def test_who_wanted_to_preempt_and_was_cancelled_changes_nothing(batch: MakeBatch) -> None:
    engine, low, high = Engine(), RingBuffer(LOW), RingBuffer(HIGH)
    wanting = batch(high, 5, client="h")
    submit_at(engine, 0, batch(low, 100, 10, client="l"), wanting)
    engine.cancel(wanting, -errno.ECANCELED)
    assert engine.next_event_ns == 10
    submit_at(engine, 42, batch(high, 5, client="h2"))
    engine.advance(1000)
    assert stretches(engine) == [("l", 0, 50), ("h2", 50, 55), ("l", 55, 105)]


def test_who_wanted_to_preempt_and_was_cancelled_opens_no_door_to_an_equal(batch: MakeBatch) -> None:
    engine, one, other, high = Engine(), RingBuffer(LOW), RingBuffer(LOW), RingBuffer(HIGH)
    wanting = batch(high, 5, client="h")
    submit_at(engine, 0, batch(one, 100, 10, client="a"), batch(other, 5, client="b"), wanting)
    engine.cancel(wanting, -errno.ECANCELED)
    engine.advance(1000)
    assert stretches(engine) == [("a", 0, 100), ("b", 100, 105)]


def test_a_point_of_preemption_is_not_passed_on_to_the_next_batch(batch: MakeBatch) -> None:
    """The first batch would have given way at 120, but ended at 100."""
    engine, rings = Engine(), [RingBuffer(priority) for priority in range(3)]
    submit_at(engine, 0, batch(rings[2], 100, 60, client="2"))
    submit_at(engine, 70, batch(rings[1], 50, client="1"))
    submit_at(engine, 110, batch(rings[0], 5, client="0"))
    engine.advance(1000)
    assert stretches(engine) == [("2", 0, 100), ("1", 100, 150), ("0", 150, 155)]


# --- told to end


def test_a_running_batch_ends_when_it_is_terminated(batch: MakeBatch) -> None:
    engine, ring = Engine(), RingBuffer(LOW)
    spinner = batch(ring, None, client="s")
    submit_at(engine, 0, spinner, batch(ring, 10, client="b"))
    assert engine.next_event_ns is None
    engine.advance(33)
    engine.terminate(spinner)
    engine.terminate(spinner)
    assert (spinner.end_ns, spinner.error, engine.completed) == (33, 0, 1)
    engine.advance(100)
    assert stretches(engine) == [("s", 0, 33), ("b", 33, 43)]


def test_a_waiting_batch_that_is_terminated_takes_no_time_when_its_turn_comes(batch: MakeBatch) -> None:
    engine, ring = Engine(), RingBuffer(LOW)
    spinner = batch(ring, None, client="s")
    submit_at(engine, 0, batch(ring, 10, client="a"), spinner, batch(ring, 10, client="b"))
    engine.terminate(spinner)
    engine.advance(100)
    assert stretches(engine) == [("a", 0, 10), ("s", 10, 10), ("b", 10, 20)]


def test_a_preempted_batch_that_is_terminated_resumes_for_no_time(batch: MakeBatch) -> None:
    engine, low, high = Engine(), RingBuffer(LOW), RingBuffer(HIGH)
    spinner = batch(low, None, 10, client="s")
    submit_at(engine, 0, spinner, batch(high, 50, client="h"))
    engine.advance(20)
    engine.terminate(spinner)
    engine.advance(100)
    assert stretches(engine) == [("s", 0, 10), ("h", 10, 60), ("s", 60, 60)]
    assert engine.busy_ns() == {"s": 10, "h": 50}


# --- cancelled


def test_behind_a_cancelled_running_batch_the_engine_goes_on_now(batch: MakeBatch) -> None:
    engine, ring = Engine(), RingBuffer(LOW)
    hung = batch(ring, None, client="x")
    submit_at(engine, 0, hung, batch(ring, 10, client="b"))
    engine.advance(25)
    engine.cancel(hung, -errno.ETIME)
    engine.cancel(hung, -errno.ECANCELED)
    engine.advance(100)
    assert (hung.end_ns, hung.error, engine.completed) == (25, -errno.ETIME, 1)
    assert stretches(engine) == [("x", 0, 25), ("b", 25, 35)]


def test_a_cancelled_waiting_batch_was_never_executed(batch: MakeBatch) -> None:
    engine, ring = Engine(), RingBuffer(LOW)
    first, second, third = (batch(ring, 10, client=name) for name in "abc")
    submit_at(engine, 0, first, second, third)
    engine.cancel(second, -errno.ECANCELED)
    assert (second.end_ns, engine.ended) == (0, [second])
    engine.advance(100)
    assert stretches(engine) == [("a", 0, 10), ("c", 10, 20)]


def test_a_ring_keeps_its_turn_when_its_oldest_waiting_batch_is_cancelled(batch: MakeBatch) -> None:
    engine, one, other, third = Engine(), RingBuffer(LOW), RingBuffer(LOW), RingBuffer(LOW)
    oldest = batch(other, 10, client="b")
    submit_at(
        engine, 0, batch(one, 10, client="a"), oldest, batch(other, 10, client="b2"), batch(third, 10, client="c")
    )
    engine.cancel(oldest, -errno.ECANCELED)
    engine.advance(100)
    assert [client for client, _, _ in stretches(engine)] == ["a", "b2", "c"]


def test_a_ring_whose_running_batch_is_cancelled_waits_behind_its_equals(batch: MakeBatch) -> None:
    engine, one, other = Engine(), RingBuffer(LOW), RingBuffer(LOW)
    hung = batch(one, None, client="a")
    submit_at(engine, 0, hung, batch(one, 10, client="a2"), batch(other, 10, client="b"))
    engine.cancel(hung, -errno.ECANCELED)
    engine.advance(100)
    assert [client for client, _, _ in stretches(engine)] == ["a", "b", "a2"]


# --- the account


def test_busy_time_includes_the_running_stretch(batch: MakeBatch) -> None:
    engine, ring = Engine(), RingBuffer(LOW)
    submit_at(engine, 0, batch(ring, 10, client="a"), batch(ring, None, client="b"))
    engine.advance(17)
    assert engine.busy_ns() == {"a": 10, "b": 7}
    assert engine.busy_ns() == {"a": 10, "b": 7}
    engine.advance(20)
    assert engine.busy_ns() == {"a": 10, "b": 10}


# --- halted


def test_a_halted_engine_goes_on_where_it_was(batch: MakeBatch) -> None:
    """Also when a ring waits that would be next: a halt is no preemption."""
    engine, ring, other = Engine(), RingBuffer(LOW), RingBuffer(LOW)
    submit_at(engine, 0, batch(ring, 10, client="a"), batch(other, 10, client="b"))
    engine.advance(4)
    running = engine.running
    assert engine.halt() is running
    engine.advance(100)
    assert (engine.next_event_ns, engine.ended) == (None, [])
    engine.resume()
    engine.advance(200)
    assert stretches(engine) == [("a", 0, 4), ("a", 100, 106), ("b", 106, 116)]
    assert running is not None
    assert running.executed_ns == 10


def test_what_comes_to_a_halted_engine_waits(batch: MakeBatch) -> None:
    engine, ring = Engine(), RingBuffer(LOW)
    assert engine.halt() is None
    submit_at(engine, 5, batch(ring, 10, client="a"))
    engine.advance(20)
    engine.resume()
    engine.advance(50)
    assert stretches(engine) == [("a", 20, 30)]


def test_who_is_more_important_and_came_during_a_halt_preempts_afterwards(batch: MakeBatch) -> None:
    engine = Engine()
    submit_at(engine, 0, batch(RingBuffer(LOW), 10, granularity_ns=3, client="low"))
    engine.advance(1)
    engine.halt()
    engine.submit(batch(RingBuffer(HIGH), 1, client="high"))
    engine.resume()
    engine.advance(50)
    assert stretches(engine) == [("low", 0, 1), ("low", 1, 4), ("high", 4, 5), ("low", 5, 11)]


def test_what_is_taken_away_from_a_halted_engine_does_not_go_on(batch: MakeBatch) -> None:
    """The one that ran, or the one behind it in its ring."""
    for taken in (0, 1):
        engine, ring = Engine(), RingBuffer(LOW)
        batches = [batch(ring, 10, client=name) for name in "abc"]
        submit_at(engine, 0, *batches)
        engine.advance(4)
        engine.halt()
        engine.cancel(batches[taken], -errno.EIO)
        engine.resume()
        engine.advance(100)
        left = {0: [("b", 4, 14), ("c", 14, 24)], 1: [("a", 4, 10), ("c", 10, 20)]}
        assert stretches(engine) == [("a", 0, 4), *left[taken]]


def test_a_batch_that_is_sent_back_to_its_start_executes_all_of_it(batch: MakeBatch) -> None:
    engine, ring = Engine(), RingBuffer(LOW)
    again = batch(ring, 10, client="a")
    submit_at(engine, 0, again)
    engine.advance(4)
    engine.halt()
    engine.restart(again)
    assert not again.started
    engine.resume()
    engine.advance(100)
    assert stretches(engine) == [("a", 0, 4), ("a", 4, 14)]
    assert again.executed_ns == 10


# --- faults


def test_a_batch_that_faults_gets_stuck_and_is_told_of(batch: MakeBatch) -> None:
    engine, ring = Engine(), RingBuffer(LOW)
    stuck, behind = batch(ring, 10), batch(ring, 10)
    submit_at(engine, 0, stuck, behind)
    engine.fault(behind, PageFault())
    assert engine.faulted == []
    engine.advance(5)
    engine.fault(stuck, PageFault())
    engine.advance(100)
    assert (engine.running, engine.faulted, engine.next_event_ns) == (stuck, [stuck], None)
    engine.cancel(stuck, -errno.EIO)
    assert (engine.running, engine.faulted) == (behind, [stuck, behind])


def test_a_fault_is_over_when_its_batch_is_sent_back_to_its_start(batch: MakeBatch) -> None:
    engine, ring = Engine(), RingBuffer(LOW)
    again = batch(ring, 10)
    submit_at(engine, 0, again)
    engine.fault(again, PageFault())
    engine.halt()
    engine.restart(again)
    engine.resume()
    engine.advance(10)
    assert again.end_ns == 10
