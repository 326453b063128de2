"""Histories of a fence: what it must answer, told as if one call came after the other.

What a sequential object cannot say is left out: that who slept in `wait` wakes after the callbacks have run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple

from fencepost.checks.history import History, Operation, Raised, Why
from fencepost.errors import WrongState
from fencepost.fences import Fence
from fencepost.fences.fence import check_errno
from fencepost.sync import Task, current

__all__ = ["FenceModel", "FenceState", "record_fence"]

REFUSED: Final = Raised("WrongState")


class FenceState(NamedTuple):
    """What there is to know of a fence.

    Attributes:
        signal: when the call that signalled it was invoked; 0 while it is pending.
        error: what it says, or will say unless the signal has an error of its own.
        timestamp_ns: when it signalled; None as long as nobody has asked.
        callbacks: what the signal will call, in order; once it has signalled, what it has yet to call.
        running: the callback that runs now, or 0.
    """

    signal: int = 0
    error: int = 0
    timestamp_ns: int | None = None
    callbacks: tuple[int, ...] = ()
    running: int = 0

    @property
    def signaled(self) -> bool:
        return self.signal > 0


class FenceModel:
    """The contract of a fence. Callbacks are numbers."""

    initial = FenceState()

    def step(self, state: FenceState, operation: Operation) -> FenceState | Why:
        return self._steps[operation.name](self, state, operation, *operation.arguments)

    # The signalling side.

    def _signal(
        self, state: FenceState, operation: Operation, error: int, timestamp_ns: int | None
    ) -> FenceState | Why:
        first = operation.result is not False
        if first == state.signaled:
            return Why(f"{said(state)}, so a signal is {'not ' if first else ''}the first")
        if not first:
            return state
        return state._replace(signal=operation.invoked, error=error or state.error, timestamp_ns=timestamp_ns)

    def _signal_returns(self, state: FenceState, _operation: Operation, call: int) -> FenceState | Why:
        left = left_to_run(state) if call == state.signal else ""
        return Why(f"{left}, and the signal returns after all callbacks") if left else state

    def _set_error(self, state: FenceState, operation: Operation, error: int) -> FenceState | Why:
        if (operation.result == REFUSED) != state.signaled:
            return Why(f"{said(state)}, so its error can{'not' if state.signaled else ''} be set")
        return state if state.signaled else state._replace(error=error)

    def _begin_callback(self, state: FenceState, _operation: Operation, callback: int) -> FenceState | Why:
        if not state.signaled:
            return Why(f"{said(state)}: no callback is called")
        if state.running:
            return Why(f"callback {state.running} is running")
        if state.callbacks[:1] != (callback,):
            return Why(f"still to be called, in this order: {', '.join(map(str, state.callbacks)) or 'none'}")
        return state._replace(callbacks=state.callbacks[1:], running=callback)

    def _end_callback(self, state: FenceState, _operation: Operation, callback: int) -> FenceState | Why:
        return state._replace(running=0) if state.running == callback else Why("it is not running")

    # The waiting side.

    def _signaled(self, state: FenceState, operation: Operation) -> FenceState | Why:
        return state if operation.result == state.signaled else Why(said(state))

    def _wait(self, state: FenceState, operation: Operation) -> FenceState | Why:
        return state if isinstance(operation.result, Raised) else self._signaled(state, operation)

    def _status(self, state: FenceState, operation: Operation) -> FenceState | Why:
        expected = (state.error or 1) if state.signaled else 0
        return state if operation.result == expected else Why(f"{said(state)}, so its status is {expected}")

    def _error(self, state: FenceState, operation: Operation) -> FenceState | Why:
        expected = state.error if state.signaled else 0
        return state if operation.result == expected else Why(f"{said(state)}, so its error is {expected}")

    def _timestamp_ns(self, state: FenceState, operation: Operation) -> FenceState | Why:
        if (operation.result == REFUSED) == state.signaled:
            return Why(f"{said(state)}, so it has {'a' if state.signaled else 'no'} timestamp")
        if not state.signaled or operation.result == state.timestamp_ns:
            return state
        if state.timestamp_ns is not None:
            return Why(f"its timestamp is {state.timestamp_ns}")
        return state._replace(timestamp_ns=operation.result)

    def _add_callback(self, state: FenceState, operation: Operation, callback: int) -> FenceState | Why:
        if operation.result == state.signaled:
            return Why(f"{said(state)}, so a callback is {'not ' if state.signaled else ''}taken")
        return state._replace(callbacks=(*state.callbacks, callback)) if operation.result else state

    def _remove_callback(self, state: FenceState, operation: Operation, callback: int) -> FenceState | Why:
        left = "" if operation.result else left_to_run(state)
        return (
            Why(f"{left}, and it waits for all callbacks") if left else self._remove_at_once(state, operation, callback)
        )

    def _remove_at_once(self, state: FenceState, operation: Operation, callback: int) -> FenceState | Why:
        there = callback in state.callbacks and not state.signaled
        if operation.result != there:
            return Why(f"{said(state)}, and callback {callback} is {'there' if there else 'not to be had back'}")
        if not there:
            return state
        index = state.callbacks.index(callback)
        return state._replace(callbacks=state.callbacks[:index] + state.callbacks[index + 1 :])

    _steps: ClassVar[dict[str, Callable[..., FenceState | Why]]] = {
        "signal": _signal,
        "signal returns": _signal_returns,
        "set_error": _set_error,
        "callback begins": _begin_callback,
        "callback ends": _end_callback,
        "signaled": _signaled,
        "status": _status,
        "error": _error,
        "timestamp_ns": _timestamp_ns,
        "add_callback": _add_callback,
        "remove_callback": _remove_callback,
        "remove_callback at once": _remove_at_once,
        "wait": _wait,
    }


def said(state: FenceState) -> str:
    """Say how far the fence is."""
    return "it has signalled" if state.signaled else "it is pending"


def left_to_run(state: FenceState) -> str:
    """Say which callback is still to run or running; an empty text when there is none, or the fence is pending."""
    left = state.running or (state.callbacks[0] if state.signaled and state.callbacks else 0)
    return f"callback {left} has not run to its end" if left else ""


def record_fence(fence: Fence) -> History[FenceState]:
    """Record all that is done to `fence` from now on, by anybody. In any world; before others know the fence.

    The fence gets a class of its own. Give the history to `check_history` when every call has returned.

    Raises WrongState when it has signalled, TypeError for a fence of a class without `__slots__`.
    """
    if fence.status:
        raise WrongState(f"{fence!r} is recorded too late, expected a pending fence")
    history = History(FenceModel())
    owner = type(fence)
    callbacks = RecordedCallbacks(history)
    body = {"__slots__": (), "history": history, "recorded": callbacks}
    fence.__class__ = type(owner.__name__, (RecordedFence, owner), body)
    return history


class RecordedCallbacks(dict[Callable[[Fence], object], Callable[[Fence], object]]):
    """The callbacks of one fence -> what is added in their place, which records its call.

    Attributes:
        callers: the tasks that are in one.
    """

    def __init__(self, history: History[FenceState]) -> None:
        super().__init__()
        self.callers: set[Task] = set()
        self._history = history

    def __missing__(self, callback: Callable[[Fence], object]) -> Callable[[Fence], object]:
        history, callers, number = self._history, self.callers, self._history.label(callback)

        def call(fence: Fence) -> None:
            history.happened("callback begins", number)
            callers.add(task := current().task())
            try:
                callback(fence)
            finally:
                callers.discard(task)
                history.happened("callback ends", number)

        # Of two tasks that come at once, both must get the same.
        return self.setdefault(callback, call)


class RecordedFence(Fence):
    """Stands before the class that a recorded fence had."""

    __slots__ = ()

    history: ClassVar[History[FenceState]]
    recorded: ClassVar[RecordedCallbacks]

    def signal(self, error: int = 0, timestamp_ns: int | None = None) -> bool:
        if error:
            check_errno(error)
        signal = super().signal
        return self.history.call("signal", lambda: signal(error, timestamp_ns), error, timestamp_ns, returns=True)

    def set_error(self, error: int) -> None:
        check_errno(error)
        set_error = super().set_error
        self.history.call("set_error", lambda: set_error(error), error)

    @property
    def signaled(self) -> bool:
        return self.history.call("signaled", lambda: super(RecordedFence, self).signaled)

    @property
    def status(self) -> int:
        return self.history.call("status", lambda: super(RecordedFence, self).status)

    @property
    def error(self) -> int:
        return self.history.call("error", lambda: super(RecordedFence, self).error)

    @property
    def timestamp_ns(self) -> int:
        return self.history.call("timestamp_ns", lambda: super(RecordedFence, self).timestamp_ns)

    def add_callback(self, callback: Callable[[Fence], object]) -> bool:
        add, recorded = super().add_callback, self.recorded[callback]
        return self.history.call("add_callback", lambda: add(recorded), self.history.label(callback))

    def remove_callback(self, callback: Callable[[Fence], object], *, wait: bool = True) -> bool:
        remove, recorded = super().remove_callback, self.recorded[callback]
        waits = wait and current().task() not in self.recorded.callers
        number = self.history.label(callback)
        return self.history.call(
            "remove_callback" if waits else "remove_callback at once", lambda: remove(recorded, wait=wait), number
        )

    def wait_until(self, when_ns: int | None) -> bool:
        wait_until = super().wait_until
        return self.history.call("wait", lambda: wait_until(when_ns))
