"""Histories of a timeline and its fences, told as if one call came after the other.

A fence is known by its number in the history. When it signals is known of those that were still pending when the
recorder could add a callback: the others signal unseen, at any moment after their step.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple

from fencepost.checks.history import History, Operation, Raised, Why
from fencepost.errors import WrongState
from fencepost.fences import Fence, Timeline
from fencepost.fences.context import HALF_RANGE, SEQNO_MASK

__all__ = ["TimelineModel", "TimelineState", "record_timeline"]

REFUSED: Final = Raised("FileNotFoundError")
"""What Python calls an OSError of ENOENT."""


class Step(NamedTuple):
    """What one call reached.

    Attributes:
        call: when the call was invoked.
        error: what its fences say.
        fences: those that have not signalled, in the order of their points.
    """

    call: int
    error: int
    fences: tuple[int, ...]


class TimelineState(NamedTuple):
    """What there is to know of a timeline.

    Attributes:
        reached: its value, without the wrap.
        closed: whether it was closed.
        pending: place and fence of each point that was asked for and not reached, by place.
        steps: what was reached and has not signalled.
        known: all fences that it gave.
        watched: those whose signal will be seen, until it was.
    """

    reached: int = 0
    closed: bool = False
    pending: tuple[tuple[int, int], ...] = ()
    steps: frozenset[Step] = frozenset()
    known: frozenset[int] = frozenset()
    watched: frozenset[int] = frozenset()


class TimelineModel:
    """The contract of a timeline."""

    initial = TimelineState()

    def step(self, state: TimelineState, operation: Operation) -> TimelineState | Why:
        return self._steps[operation.name](self, state, operation, *operation.arguments)

    def _fence(self, state: TimelineState, operation: Operation, point: int) -> TimelineState | Why:
        result = operation.result
        if state.closed or result == REFUSED:
            return as_closed(state, result)
        ahead = (point - state.reached) & SEQNO_MASK
        pending = dict(state.pending)
        place = state.reached + ahead if 0 < ahead < HALF_RANGE else None
        if place in pending:
            expected = pending[place]
            return state if result == expected else Why(f"point {point} has fence {expected}")
        if result in state.known:
            return Why(f"fence {result} is that of another point, or of one that was past")
        state = state._replace(known=state.known | {result})
        return state if place is None else state._replace(pending=tuple(sorted((*state.pending, (place, result)))))

    def _advance(self, state: TimelineState, operation: Operation, steps: int) -> TimelineState | Why:
        if state.closed or operation.result == REFUSED:
            return as_closed(state, operation.result)
        return reach(state._replace(reached=state.reached + steps), operation, 0)

    def _close(self, state: TimelineState, operation: Operation) -> TimelineState | Why:
        return reach(state._replace(closed=True), operation, -errno.ENOENT)

    def _step_returns(self, state: TimelineState, _operation: Operation, call: int) -> TimelineState | Why:
        step = next((step for step in state.steps if step.call == call), None)
        if step is None:
            return state
        late = [fence for fence in step.fences if fence in state.watched]
        if late:
            return Why(f"fence {late[0]} has not signalled, and it returns when all that it reached have")
        return state._replace(steps=state.steps - {step})

    def _value(self, state: TimelineState, operation: Operation) -> TimelineState | Why:
        value = state.reached & SEQNO_MASK
        return state if operation.result == value else Why(f"its value is {value}")

    def _closed(self, state: TimelineState, operation: Operation) -> TimelineState | Why:
        return state if operation.result == state.closed else Why(f"it is {said(state)}")

    # Its fences.

    def _watch(self, state: TimelineState, operation: Operation, fence: int) -> TimelineState | Why:
        step = step_of(state, fence)
        if not operation.result:
            if any(fence == pending for _, pending in state.pending):
                return Why(f"fence {fence} has not been reached")
            return state if step is None else signalled_up_to(state, step, fence)
        if step is None and all(fence != pending for _, pending in state.pending):
            return Why(f"fence {fence} is past, and has signalled")
        return state._replace(watched=state.watched | {fence})

    def _signals(self, state: TimelineState, _operation: Operation, fence: int, error: int) -> TimelineState | Why:
        step = step_of(state, fence)
        if step is None:
            return Why(f"it is not reached at {state.reached}, or has signalled")
        if error != step.error:
            return Why(f"its error is {step.error}")
        return signalled_up_to(state._replace(watched=state.watched - {fence}), step, fence)

    _steps: ClassVar[dict[str, Callable[..., TimelineState | Why]]] = {
        "fence": _fence,
        "advance": _advance,
        "advance returns": _step_returns,
        "close": _close,
        "close returns": _step_returns,
        "value": _value,
        "closed": _closed,
        "watch fence": _watch,
        "signals fence": _signals,
    }


def said(state: TimelineState) -> str:
    """Say whether the timeline is open."""
    return "closed" if state.closed else "open"


def as_closed(state: TimelineState, result: object) -> TimelineState | Why:
    """Say that a closed timeline refuses, and an open one does not."""
    return state if (result == REFUSED) == state.closed else Why(f"it is {said(state)}")


def reach(state: TimelineState, operation: Operation, error: int) -> TimelineState | Why:
    """Take the points that the value has reached, all of them where it is closed; there must be as many as was said."""
    taken = tuple(fence for place, fence in state.pending if state.closed or place <= state.reached)
    # Of a callback's exception the caller hears instead of the count.
    if operation.result != len(taken) and not isinstance(operation.result, Raised):
        return Why(f"it reaches {len(taken)} fences")
    steps = {Step(operation.invoked, error, taken)} if taken else set[Step]()
    return state._replace(pending=state.pending[len(taken) :], steps=state.steps | steps)


def step_of(state: TimelineState, fence: int) -> Step | None:
    """Return the step that a fence is in, or None."""
    return next((step for step in state.steps if fence in step.fences), None)


def signalled_up_to(state: TimelineState, step: Step, fence: int) -> TimelineState | Why:
    """Take a fence out of its step, with those before it, which have signalled unseen."""
    place = step.fences.index(fence)
    early = [other for other in step.fences[:place] if other in state.watched]
    if early:
        return Why(f"fence {early[0]} is of an earlier point of the same step, and has not signalled")
    left = step._replace(fences=step.fences[place + 1 :])
    return state._replace(steps=state.steps - {step} | ({left} if left.fences else set()))


def record_timeline(timeline: Timeline) -> History[TimelineState]:
    """Record all that is done to `timeline` from now on, by anybody. In any world; before others know it.

    Its fences get a callback each, when they are first asked for. Give the history to `check_history` when every call
    has returned.

    Raises WrongState unless it is new.
    """
    if timeline.value or timeline.closed:
        raise WrongState(f"{timeline.name} is recorded too late, expected a timeline that nobody has used")
    history = History(TimelineModel())
    owner = type(timeline)
    timeline.__class__ = type(owner.__name__, (RecordedTimeline, owner), {"history": history, "watched": set()})
    return history


class RecordedTimeline(Timeline):
    """Stands before the class that a recorded timeline had."""

    history: ClassVar[History[TimelineState]]
    watched: ClassVar[set[int]]

    @property
    def value(self) -> int:
        return self.history.call("value", lambda: super(RecordedTimeline, self).value)

    @property
    def closed(self) -> bool:
        return self.history.call("closed", lambda: super(RecordedTimeline, self).closed)

    def fence(self, point: int) -> Fence:
        ask = super().fence
        if not 0 <= point <= SEQNO_MASK:
            return ask(point)
        fence = self.history.call("fence", lambda: ask(point), point, said=self.history.label)
        self._watch(fence)
        return fence

    def advance(self, steps: int = 1) -> int:
        advance = super().advance
        if not 0 <= steps <= SEQNO_MASK:
            return advance(steps)
        return self.history.call("advance", lambda: advance(steps), steps, returns=True)

    def close(self) -> int:
        return self.history.call("close", super().close, returns=True)

    def _watch(self, fence: Fence) -> None:
        history, number = self.history, self.history.label(fence)
        if number not in self.watched:
            self.watched.add(number)
            history.call(
                "watch fence",
                lambda: fence.add_callback(lambda fence: history.happened("signals fence", number, fence.error)),
                number,
            )
