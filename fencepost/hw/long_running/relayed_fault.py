"""A fault on its way through the firmware."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fencepost.hw.access import AccessFault

if TYPE_CHECKING:
    from fencepost.sync import Task

__all__ = ["RelayedFault"]


class RelayedFault(AccessFault):
    """Looks to its handler like the fault of the engine, but the answer goes to the firmware.

    Args:
        origin: what the engine said.
        answer: called with whether the memory is there; it posts, and nothing else.
    """

    __slots__ = ("_answer", "_origin")

    def __init__(self, origin: AccessFault, answer: Callable[[bool], object]) -> None:
        self._origin = origin
        self._answer = answer
        self.job = origin.job
        self.address = origin.address

    @property
    def handler(self) -> Task | None:
        """The task that deals with it: reports look for that at the engine."""
        return self._origin.handler

    @handler.setter
    def handler(self, task: Task | None) -> None:  # pyright: ignore[reportIncompatibleVariableOverride] - a slot there
        self._origin.handler = task

    @property
    def pending(self) -> bool:
        return self._origin.pending

    @property
    def gives_way(self) -> bool:
        return self._origin.gives_way

    @property
    def dead(self) -> bool:
        return self._origin.dead

    def ack(self) -> None:
        self._answer(True)  # noqa: FBT003 - a predicate

    def nack(self) -> None:
        self._answer(False)  # noqa: FBT003 - as above
