"""Work that may stop in the middle, at a page fault, until somebody has found it memory.

Finding memory may take waiting for fences. So work that can fault never has a fence of its own, and where fences are
promised by work that needs the same hardware, it must give way even while its fault is unresolved.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from fencepost.sync.observer import listening

__all__ = ["FaultingWork", "Residency"]


class FaultingWork:
    """Work that can fault; a context manager says that it is on the hardware throughout the body.

    Args:
        name: what reports call it.
        on: the hardware; the same as of `promise`.
        preemptible: whether it can be taken off there while a fault is unresolved.
    """

    def __init__(self, name: str, on: Hashable, *, preemptible: bool = False) -> None:
        self.name = name
        self.on = on
        self.preemptible = preemptible

    def __enter__(self) -> None:
        self._tell(resident=True)

    def __exit__(self, *_: object) -> None:
        self._tell(resident=False)

    def _tell(self, *, resident: bool) -> None:
        watch = listening()
        if watch is not None:
            watch.hear(Residency(self, resident))

    def __repr__(self) -> str:
        return f"<work that can fault {self.name}>"


@dataclass(frozen=True, slots=True)
class Residency:
    """Work that can fault comes on its hardware, or has left it."""

    work: FaultingWork
    resident: bool
