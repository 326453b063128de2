"""Who keeps the promise that a fence is, and what has to happen before."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from fencepost.fences.fence import Fence
from fencepost.sync.observer import listening

__all__ = ["Promise", "Unsubmitted", "promise"]


@dataclass(frozen=True, slots=True, repr=False)
class Unsubmitted:
    """Work that nobody has handed over yet, so that nobody can say whether it ever completes."""

    name: str

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


@dataclass(frozen=True, slots=True)
class Promise:
    """What is behind a fence.

    Attributes:
        fence: which.
        by: the name of the task, actor or driver that will signal it; empty for a fence of software, which anybody may
            signal.
        after: what must be complete before: fences, user fences, `Unsubmitted` work, `FaultingWork`.
        on: the hardware that executes the work, as others name it too.
    """

    fence: Fence
    by: str = ""
    after: Sequence[object] = ()
    on: Hashable = None


def promise(fence: Fence, *, by: str = "", after: Sequence[object] = (), on: Hashable = None) -> None:
    """Say what is behind a pending fence, at best when it is made; of two the later holds. See `Promise`. Any context.

    Free in an unobserved world. Fences of jobs need not be spoken for by those who embed a scheduler.
    """
    watch = listening()
    if watch is not None:
        watch.hear(Promise(fence, by, tuple(after), on))
