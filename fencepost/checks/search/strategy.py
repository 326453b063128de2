"""What a strategy is: it plans an exploration, one schedule after the other."""

from __future__ import annotations

from typing import Protocol

from fencepost.sync.controlled import Search

__all__ = ["Strategy"]


class Strategy(Protocol):
    """Gives a search for every schedule of an exploration.

    It is asked for a search, that is used for one run, it is told what the run was like, and so on.
    """

    @property
    def scope(self) -> str:
        """What there is when `next_search` has come to an end: `all there are`, or which of them."""
        ...

    def next_search(self) -> Search | None:
        """Return the search of the next schedule, or None when there is nothing left to try."""
        ...

    def learn(self, choices: int) -> None:
        """Take notice of how many choices the last schedule had."""
        ...
