"""Going through the fences of a reservation that others may be changing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Self

from fencepost.fences.fence_list import Entry, FenceList
from fencepost.fences.usage import Usage

__all__ = ["FenceCursor"]


class FenceCursor:
    """Yields fences that have not signalled, and begins anew when there is another list. Any context.

        for fence, usage in cursor:
            if cursor.is_restarted:
                collected.clear()
            collected.append(fence)

    What is added after the last beginning is not seen. (kernel: dma_resv_for_each_fence_unlocked)

    Attributes:
        is_restarted: what was yielded last is the first since a beginning; what came before that is void.
    """

    __slots__ = ("_fences", "_latest", "_rest", "_usage", "is_restarted")

    def __init__(self, latest: Callable[[], FenceList], usage: Usage) -> None:
        self._latest = latest
        self._usage = usage
        self._fences: FenceList | None = None
        self._rest: Iterator[Entry] = iter(())
        self.is_restarted = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Entry:
        restarted = False
        while True:
            entry = next((entry for entry in self._rest if not entry.fence.signaled), None)
            latest = self._latest()
            # Last, so that neither an entry nor the end is of a list which was gone before it was looked for.
            if latest is not self._fences:
                self._fences, self._rest, restarted = latest, latest.up_to(self._usage), True
            elif entry is None:
                raise StopIteration
            else:
                self.is_restarted = restarted
                return entry
