"""Every exception of fencepost, under one base class.

A call that the kernel would refuse with an errno raises `OSError` with that (positive) errno instead; these are for
what has no errno.
"""

from __future__ import annotations

__all__ = [
    "ActorFailed",
    "BadInput",
    "Deadlock",
    "FencepostError",
    "NotDeterministic",
    "StepLimit",
    "UseAfterFree",
    "WrongContext",
    "WrongState",
    "WrongWorld",
]


class FencepostError(Exception):
    """Base class of all exceptions that fencepost defines."""


class BadInput(FencepostError):  # noqa: N818 - reads as what it is where it is raised and caught
    """Raised when a file, field or option that a person wrote cannot be used.

    The message is one line: where, what was found, what was expected.

    Args:
        where: file and line, step, field or option, as the person knows it (`game.wsim:3`, `--engines`).
        found: what stands there.
        expected: what would have been right.
    """

    def __init__(self, where: str, found: str, expected: str) -> None:
        super().__init__(f"{where}: found {found}, expected {expected}")
        self.where = where
        self.found = found
        self.expected = expected


class WrongState(FencepostError):  # noqa: N818
    """Raised when an object is asked for what its state forbids, such as a push before the arm."""


class WrongContext(FencepostError):  # noqa: N818
    """Raised when a call is made from a context that may not make it, such as blocking in a fence callback."""


class WrongWorld(FencepostError):  # noqa: N818
    """Raised when an object made in one world is waited for in another."""


class Deadlock(FencepostError):  # noqa: N818
    """Raised when nothing can run and no time-out is pending.

    The message lists who waits for what, by name.
    """


class ActorFailed(FencepostError):  # noqa: N818
    """Raised at the end of a run in which an actor or a client died of an unhandled exception."""


class UseAfterFree(FencepostError):  # noqa: N818
    """Raised in a checked world when something is used that was freed.

    Args:
        message: what was used, by whom and where, and by whom and where it was freed.
        place: the two places in the program.
    """

    def __init__(self, message: str, place: str) -> None:
        super().__init__(message)
        self.place = place


class StepLimit(FencepostError):  # noqa: N818
    """Raised when a controlled run does not come to an end within the steps it was allowed."""


class NotDeterministic(FencepostError):  # noqa: N818
    """Raised when a model does something else although the same choices were made: its finds could not be replayed."""
