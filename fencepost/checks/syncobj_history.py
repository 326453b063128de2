"""Histories of a syncobj and the fences in it, told as if one call came after the other.

A query and a wait look at many fences, one after the other, and at one head: while fences signal and the slot changes,
what they say need never have been so at one moment. So the model asks what was so when they began, and what may be so
when they end.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from typing import ClassVar, Final, NamedTuple

from fencepost.checks.history import History, Operation, Why
from fencepost.errors import WrongState
from fencepost.fences import Fence, Syncobj
from fencepost.fences.chain import FenceChain
from fencepost.fences.syncobj_flags import WaitFlags
from fencepost.fences.syncobj_wait import wait_points
from fencepost.sync import deadline_ns

__all__ = ["RecordedSyncobj", "SyncobjModel", "SyncobjState", "record_syncobj"]

NOTHING: Final = 0
DONE: Final = -1
"""Instead of the number of a fence: there is none; it had signalled before."""

NOT_BEGUN: Final = Why("it has not begun")

ENDS_IN: Final = {errno.ETIME: "given up", errno.EINVAL: "missing"}


class Node(NamedTuple):
    """A fence in the slot.

    Attributes:
        seqno: its point, 0 for a fence that is no point.
        line: which nodes count on from each other; 0 for a fence that is no point.
        fence: its number.
    """

    seqno: int
    line: int
    fence: int


class Begun(NamedTuple):
    """A query or a wait that has not ended.

    Attributes:
        call: its number.
        generation: of the slot.
        nodes: how many were in it.
        value: what it would have said at once: a point, or whether what it waits for was so.
    """

    call: int
    generation: int
    nodes: int
    value: int


class SyncobjState(NamedTuple):
    """What there is to know of a syncobj.

    Attributes:
        nodes: what is in the slot, the oldest first.
        generation: how often that was replaced, or began a new line.
        done: which fences have signalled.
        begun: who is about to look.
    """

    nodes: tuple[Node, ...] = ()
    generation: int = 0
    done: frozenset[int] = frozenset((DONE,))
    begun: frozenset[Begun] = frozenset()

    @property
    def last(self) -> Node:
        """The newest of the nodes, of which there are some."""
        return self.nodes[-1]

    def has(self, point: int) -> bool:
        """Say whether a point was submitted."""
        return bool(self.nodes) and point <= self.last.seqno

    def is_complete(self, point: int) -> bool:
        """Say whether a point, and all before it, has signalled."""
        if not self.has(point):
            return False
        needed = self.nodes
        if point:
            first = next(i for i, node in enumerate(needed) if node.line == self.last.line and node.seqno >= point)
            needed = needed[: first + 1]
        return all(node.fence in self.done for node in needed)

    @property
    def complete_up_to(self) -> int:
        """The highest point of the newest line that is complete."""
        value = 0
        for node in self.nodes:
            if node.fence not in self.done:
                break
            value = node.seqno if node.line == self.last.line else 0
        return value


class SyncobjModel:
    """The contract of a syncobj."""

    initial = SyncobjState()

    def step(self, state: SyncobjState, operation: Operation) -> SyncobjState | Why:
        return self._steps[operation.name](self, state, operation, *operation.arguments)

    def _replace(self, state: SyncobjState, _operation: Operation, fence: int) -> SyncobjState:
        nodes = (Node(0, 0, fence),) if fence else ()
        return state._replace(nodes=nodes, generation=state.generation + 1)

    def _add_point(self, state: SyncobjState, _operation: Operation, fence: int, point: int) -> SyncobjState:
        before = state.nodes[-1:]
        if before and before[0].line and point > before[0].seqno:
            node = Node(point, before[0].line, fence)
        else:
            node = Node(max(point, *(node.seqno for node in before), 0), len(state.nodes) + 1, fence)
            if before:
                state = state._replace(generation=state.generation + 1)
        return state._replace(nodes=(*state.nodes, node))

    def _signal(self, state: SyncobjState, _operation: Operation, fence: int) -> SyncobjState:
        return state._replace(done=state.done | {fence})

    def _find(self, state: SyncobjState, operation: Operation, point: int) -> SyncobjState | Why:
        there = state.has(point)
        return state if operation.result == there else Why(f"point {point} is {'' if there else 'not '}there")

    def _last_submitted(self, state: SyncobjState, operation: Operation) -> SyncobjState | Why:
        last = state.last.seqno if state.nodes else 0
        return state if operation.result == last else Why(f"the last point is {last}")

    def _query_begins(self, state: SyncobjState, _operation: Operation, call: int) -> SyncobjState:
        return begin(state, call, state.complete_up_to)

    def _query(self, state: SyncobjState, operation: Operation, call: int) -> SyncobjState | Why:
        begun, after = end(state, call)
        if begun is None:
            return NOT_BEGUN
        if begun.generation == state.generation and not begun.value <= operation.result <= state.complete_up_to:
            return Why(f"{begun.value} was complete when it began, and {state.complete_up_to} is now")
        return after

    def _wait_begins(
        self, state: SyncobjState, _operation: Operation, call: int, point: int, flags: int
    ) -> SyncobjState:
        return begin(state, call, satisfies(state, point, flags))

    def _wait(self, state: SyncobjState, operation: Operation, call: int, point: int, flags: int) -> SyncobjState | Why:
        begun, after = end(state, call)
        if begun is None:
            return NOT_BEGUN
        if operation.result == "missing":
            return Why(f"point {point} is there") if state.has(point) else after
        # What was found is waited for, whatever becomes of the slot: after that anything may be right. And another
        # point makes more of all there is.
        if begun.generation == state.generation and (point or begun.nodes == len(state.nodes)):
            if operation.result == "given up" and begun.value:
                return Why("what it waits for was so when it began")
            if operation.result == "over" and not satisfies(state, point, flags):
                return Why("what it waits for is not so")
        return after

    _steps: ClassVar[dict[str, Callable[..., SyncobjState | Why]]] = {
        "replace": _replace,
        "add_point": _add_point,
        "signal fence": _signal,
        "find": _find,
        "last submitted": _last_submitted,
        "query begins": _query_begins,
        "query": _query,
        "wait begins": _wait_begins,
        "wait": _wait,
    }


def satisfies(state: SyncobjState, point: int, flags: int) -> bool:
    """Say whether a wait with these flags has nothing to wait for."""
    return state.has(point) if flags & WaitFlags.AVAILABLE else state.is_complete(point)


def begin(state: SyncobjState, call: int, value: int) -> SyncobjState:
    """Note what somebody would see who looked now."""
    return state._replace(begun=state.begun | {Begun(call, state.generation, len(state.nodes), value)})


def end(state: SyncobjState, call: int) -> tuple[Begun | None, SyncobjState]:
    """Return what was so when somebody began to look, None when nobody did; and the state without that."""
    begun = next((begun for begun in state.begun if begun.call == call), None)
    return begun, state._replace(begun=state.begun - {begun})


def record_syncobj(syncobj: Syncobj, fences: Sequence[Fence] = ()) -> History[SyncobjState]:
    """Record all that is done to `syncobj` from now on, by anybody. In any world; before others know it.

    Besides fences that have signalled, only `fences` may be put into it, each of a class with `__slots__` that nobody
    else records: their signals are recorded too. No chains. Give the history to `check_history` when every call has
    returned.

    Raises WrongState unless the syncobj is empty.
    """
    if syncobj.fence is not None:
        raise WrongState(f"{syncobj!r} is recorded too late, expected an empty syncobj")
    history = History(SyncobjModel())
    for fence in fences:
        watched_class = type(fence)
        body = {"__slots__": (), "history": history}
        fence.__class__ = type(watched_class.__name__, (WatchedFence, watched_class), body)
    owner = type(syncobj)
    syncobj.__class__ = type(owner.__name__, (RecordedSyncobj, owner), {"__slots__": (), "history": history})
    return history


class WatchedFence(Fence):
    """Stands before the class that a fence had which may get into a recorded syncobj."""

    __slots__ = ()

    history: ClassVar[History[SyncobjState]]

    def signal(self, error: int = 0, timestamp_ns: int | None = None) -> bool:
        signal = super().signal
        return self.history.call("signal fence", lambda: signal(error, timestamp_ns), self.history.label(self))


class RecordedSyncobj(Syncobj):
    """Stands before the class that a recorded syncobj had."""

    __slots__ = ()

    history: ClassVar[History[SyncobjState]]

    def replace(self, fence: Fence | None) -> None:
        replace = super().replace
        self.history.call("replace", lambda: replace(fence), self._number(fence))

    def add_point(self, fence: Fence, point: int) -> None:
        add_point = super().add_point
        self.history.call("add_point", lambda: add_point(fence, point), self._number(fence), point)

    def find(self, point: int = 0) -> Fence | None:
        find = super().find
        return self.history.call("find", lambda: find(point), point, said=lambda fence: fence is not None)

    def query(self, *, last_submitted: bool = False) -> int:
        query, history = super().query, self.history
        if last_submitted:
            return history.call("last submitted", lambda: query(last_submitted=True))
        call = history.label(object())
        history.happened("query begins", call)
        return history.call("query", query, call)

    def wait(self, point: int, flags: int = 0, timeout_s: float = 0) -> str:
        """Wait for one point as `wait_points`; return how that ended: over, given up, missing. Raises the rest."""
        history, call = self.history, self.history.label(object())
        history.happened("wait begins", call, point, flags)

        def wait() -> str:
            try:
                wait_points([(self, point)], flags, deadline_ns(timeout_s))
            except OSError as error:
                if error.errno in ENDS_IN:
                    return ENDS_IN[error.errno]
                raise
            return "over"

        return history.call("wait", wait, call, point, flags)

    def _number(self, fence: Fence | None) -> int:
        """Return the number of a fence in the history. Raises WrongState for one whose signal nobody would see."""
        if fence is None:
            return NOTHING
        if isinstance(fence, WatchedFence):
            return self.history.label(fence)
        if isinstance(fence, FenceChain) or not fence.signaled:
            raise WrongState(f"{fence!r} is put into {self!r}, expected one of the recorded fences")
        return DONE
