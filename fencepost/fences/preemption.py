"""The way of long-running work off the hardware and back, as often as somebody wants its memory."""

from __future__ import annotations

import enum
import errno
from collections.abc import Callable, Generator
from contextlib import contextmanager

from fencepost.errors import WrongState
from fencepost.fences.preempt_fence import PreemptFence
from fencepost.fences.promise import promise
from fencepost.sync.observer import signalling
from fencepost.sync.world import current

__all__ = ["PreemptState", "Preemption"]


class PreemptState(enum.Enum):
    """Where a context is on its way."""

    ACTIVE = "on the hardware, and nobody waits for its fence"
    PREEMPTING = "to leave the hardware"
    SIGNALLED = "off the hardware, and its fence says so"
    REBINDING = "getting its memory back"
    LOST = "gone for good"


class Preemption:
    """The preemption of one context of long-running work, and the fences that ask for it.

    Life cycle: *active* -> *preempting* (somebody waits for `fence`) -> *signalled* (`suspended`) -> *rebinding*
    (`rebind`) -> *active* again with the next fence (`resuming`); *lost* from anywhere.

        # who was told by `suspend`, an actor:              # a rebind worker, once that is done:
        with signalling():                                  preemption.rebind()
            ...  # take it off the hardware                 ...  # lock, wait, take memory, bind
            preemption.suspended()                          with preemption.resuming() as fence:
                                                                reservation.add(fence, Usage.BOOKKEEP)
                                                                ...  # put it on the hardware

    The first fence is there from the beginning and published by whoever makes this. `_lock` protects the state and the
    fences, and is taken under the lock of a fence; a leaf. (kernel: xe_preempt_fence, xe_vm's rebind worker)

    Args:
        suspend: called when somebody begins to wait, under the fence's lock: it posts, and nothing else.
        name: who will signal, as reports call it.
    """

    def __init__(self, suspend: Callable[[], object], name: str = "preemption") -> None:
        self.name = name
        self._suspend = suspend
        self._lock = current().lock()
        self._state = PreemptState.ACTIVE
        self._fence = self._next = self._new_fence(None, 1)

    @property
    def state(self) -> PreemptState:
        """Where it is. Any context."""
        # One word, read without the lock: with it, too, `_begin` may change it before anybody looks at the answer.
        return self._state

    @property
    def fence(self) -> PreemptFence:
        """The fence that promises the next preemption, or the last one until the context is active again.

        Any context.
        """
        # Without the lock, as `state`: `resuming` puts a finished fence there, in one step.
        return self._fence

    def suspended(self, error: int = 0) -> None:
        """Signal the fence: the context is off the hardware, or `error` says why nobody knows. In a signalling section.

        Does nothing once it is lost. Raises WrongState when nobody has asked.
        """
        with self._lock:
            if self._state is PreemptState.LOST:
                return
            self._advance_locked(PreemptState.PREEMPTING, PreemptState.SIGNALLED, "suspended")
            fence = self._fence
        fence.signal(error)

    def rebind(self) -> None:
        """Begin to bring the memory back, and make the next fence while memory may be had. Client context.

        Raises WrongState unless the fence has signalled.
        """
        with self._lock:
            self._advance_locked(PreemptState.SIGNALLED, PreemptState.REBINDING, "rebound")
            before = self._fence
        following = self._new_fence(before.context, before.seqno + 1)
        with self._lock:
            self._next = following

    @contextmanager
    def resuming(self) -> Generator[PreemptFence]:
        """In the body, publish the next fence and then put the context back on the hardware. Client context.

        The body is a signalling section, since others may wait for the fence as soon as they find it; what is needed
        must be there already. A body that fails loses the context. Raises WrongState unless it is rebinding.
        """
        with signalling():
            with self._lock:
                self._advance_locked(PreemptState.REBINDING, PreemptState.ACTIVE, "resumed")
                fence = self._fence = self._next
            try:
                yield fence
            except BaseException:
                self.lose()
                raise

    def lose(self) -> None:
        """Note that the context was reset or killed: its fence signals with -ENOENT, once somebody waits for it.

        Any context, in a signalling section; idempotent.
        """
        with self._lock:
            awaited = self._state is PreemptState.PREEMPTING
            self._state = PreemptState.LOST
            fence = self._fence
        if awaited:
            fence.signal(-errno.ENOENT)

    def _new_fence(self, context: int | None, seqno: int) -> PreemptFence:
        fence = PreemptFence(self._begin, context, seqno, name=self.name)
        promise(fence, by=self.name)
        return fence

    def _begin(self, _fence: PreemptFence) -> bool:
        with self._lock:
            if self._state is PreemptState.LOST:
                return False
            self._state = PreemptState.PREEMPTING
        self._suspend()
        return True

    def _advance_locked(self, before: PreemptState, after: PreemptState, what: str) -> None:
        if self._state is not before:
            raise WrongState(f"{self.name} is {what} while {self._state.value}, expected it {before.value}")
        self._state = after
