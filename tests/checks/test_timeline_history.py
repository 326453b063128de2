"""Recorded timelines: some order explains what is right, none what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fencepost.actors import Runtime
from fencepost.checks import explore
from fencepost.checks.linearise import check_history
from fencepost.checks.timeline_history import record_timeline
from fencepost.errors import WrongState
from fencepost.fences import Fence, Timeline
from fencepost.fences.timeline import TimelinePoint
from tests.checks.histories import Program, programs, run

TOP = (1 << 32) - 1


def when_open(does: Callable[[Timeline], object], timeline: Timeline) -> None:
    try:
        does(timeline)
    except FileNotFoundError:
        assert timeline.closed


def ask(point: int, timeline: Timeline) -> None:
    timeline.fence(point)


def advance(steps: int, timeline: Timeline) -> None:
    timeline.advance(steps)


def close(timeline: Timeline) -> None:
    timeline.close()


def look(timeline: Timeline) -> None:
    assert timeline.value >= 0


ASK = st.sampled_from([1, 2, 3, 4, TOP]).map(lambda point: partial(when_open, partial(ask, point)))
ADVANCE = st.sampled_from([0, 1, 2, 3]).map(lambda steps: partial(when_open, partial(advance, steps)))
OPERATIONS: st.SearchStrategy[Callable[[Timeline], object]] = st.one_of(ASK, ADVANCE, st.sampled_from([close, look]))


def use(program: Program[Timeline], runtime: Runtime, timeline_class: type[Timeline] = Timeline) -> None:
    """Run a program on a timeline, and close it."""
    timeline = timeline_class("line")
    run(runtime, program, timeline, record_timeline(timeline), timeline.close)


@given(program=programs(OPERATIONS), seed=st.integers(0, 1000))
@settings(max_examples=60)
def test_a_timeline_is_linearisable_in_every_schedule(program: Program[Timeline], seed: int) -> None:
    report = explore(partial(use, program), schedules=25, seed=seed)
    assert not report.found, str(report)


@given(program=programs(OPERATIONS))
@settings(max_examples=60)
def test_a_timeline_is_linearisable_on_threads(program: Program[Timeline]) -> None:
    with Runtime(world="native") as runtime:
        for _ in range(5):
            use(program, runtime)


# Wrong timelines.


class SignalsLatestFirst(Timeline):
    def _take_locked(self, up_to: int | None) -> list[Fence]:
        return super()._take_locked(up_to)[::-1]


class SignalsTooFar(Timeline):
    def _take_locked(self, up_to: int | None) -> list[Fence]:
        return super()._take_locked(None if up_to is None else up_to + 1)


class LosesSteps(Timeline):
    def advance(self, steps: int = 1) -> int:
        before = self._reached
        with self._lock:
            pass
        moved = super().advance(0)
        with self._lock:
            self._reached = before + steps
        return moved + super().advance(0)


class MakesTwoFences(Timeline):
    def _at_locked(self, place: int) -> TimelinePoint:
        super()._at_locked(place)
        fence = self._points[place] = self._new(place)
        return fence


class LeavesThePastPending(Timeline):
    def fence(self, point: int) -> Fence:
        fence = super().fence(point)
        return self._new(point) if fence.signaled else fence


class ForgetsTheError(Timeline):
    def close(self) -> int:
        return 0 if self.closed else super().advance(TOP >> 1)


class StaysOpen(Timeline):
    @property
    def closed(self) -> bool:
        return False


ONE, TWO = partial(ask, 1), partial(ask, 2)
WRONG: list[tuple[type[Timeline], list[list[Callable[[Timeline], object]]], str]] = [
    (SignalsLatestFirst, [[ONE, TWO, partial(advance, 2)]], "fence 1 is of an earlier point of the same step"),
    (
        SignalsTooFar,
        [[ONE, TWO, partial(advance, 1)]],
        "advance(1) -> 2 by task 0 cannot come next: it reaches 1 fences",
    ),
    (LosesSteps, [[partial(advance, 1)], [partial(advance, 1), look]], "cannot come next: its value is"),
    (MakesTwoFences, [[ONE, ONE]], "fence(1) -> 2 by task 0 cannot come next: point 1 has fence 1"),
    (LeavesThePastPending, [[partial(advance, 1), ONE]], "fence 1 is past, and has signalled"),
    (ForgetsTheError, [[ONE, close]], "signals fence(1, 0) by task 0 cannot come next: its error is -2"),
    (
        StaysOpen,
        [[close, lambda timeline: timeline.closed]],
        "closed -> False by task 0 cannot come next: it is closed",
    ),
]


@pytest.mark.parametrize(
    ("timeline_class", "program", "said"), WRONG, ids=lambda param: getattr(param, "__name__", None)
)
def test_no_order_explains_a_timeline_that(
    timeline_class: type[Timeline], program: list[list[Callable[[Timeline], object]]], said: str
) -> None:
    report = explore(lambda runtime: use(program, runtime, timeline_class), schedules=500)
    assert said in report.message, str(report)
    assert not explore(partial(use, program), schedules=500).found


def test_fences_that_signal_before_they_can_be_watched_are_no_surprise() -> None:
    timeline = Timeline()
    history = record_timeline(timeline)
    timeline.fence(1)
    timeline.fence(2)
    timeline.advance(2)
    assert timeline.fence(2).signaled
    timeline.close()
    assert check_history(history) is None


def test_a_timeline_that_was_used_is_recorded_too_late() -> None:
    timeline = Timeline("old")
    timeline.advance()
    with pytest.raises(WrongState, match="old is recorded too late, expected a timeline that nobody has used"):
        record_timeline(timeline)


def test_calls_with_bad_arguments_are_refused_and_change_nothing() -> None:
    timeline = Timeline()
    history = record_timeline(timeline)
    with pytest.raises(ValueError, match="point -1"):
        timeline.fence(-1)
    with pytest.raises(ValueError, match="advanced by -1"):
        timeline.advance(-1)
    assert history.operations == ()


def test_a_step_whose_callback_raises_is_a_step() -> None:
    def fail(_fence: Fence) -> None:
        raise KeyError("callback")

    timeline = Timeline()
    history = record_timeline(timeline)
    timeline.fence(1).add_callback(fail)
    with pytest.raises(KeyError):
        timeline.advance()
    assert timeline.value == 1
    assert check_history(history) is None
