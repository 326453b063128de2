"""GPU time, by whom it was used.

Each client has an account, below that of the group that it is in, which is below that of its parent. A charge goes up
from the client to the root in one step, and so does a move: what was charged before stays where it was, what comes is
charged above the new place. So nothing is lost or counted twice, whenever a client migrates, and the children of a
group never have more than the group.
"""

from __future__ import annotations

from typing import TypeAlias

from fencepost.sync import Lock
from fencepost.sync.tracking import tracked

__all__ = ["Account", "Place"]

Place: TypeAlias = tuple[str, str]
"""Where time was used: device and engine class."""


@tracked("_parent")
class Account:
    """The GPU time that a client, or a group with all below it, has used.

    Any context. Counts never step back, and stay when the group is removed from the tree.

    Args:
        lock: protects all accounts of a hierarchy, so that a reader of several sees one moment; a leaf.
        parent: what is charged with it.
    """

    def __init__(self, lock: Lock, parent: Account | None = None) -> None:
        self._lock = lock
        self._parent = parent
        self._used_ns: dict[Place, int] = {}

    def below(self) -> Account:
        """Make one below it."""
        return Account(self._lock, self)

    def charge(self, place: Place, used_ns: int) -> None:
        """Count GPU time, here and all the way up. Less than none, as jobs out of order may show, is none."""
        if used_ns <= 0:
            return
        with self._lock:
            self.charge_locked(place, used_ns)

    def charge_locked(self, place: Place, used_ns: int) -> None:
        """Count GPU time, here and all the way up. By the account below."""
        self._used_ns[place] = self._used_ns.get(place, 0) + used_ns
        if self._parent is not None:
            self._parent.charge_locked(place, used_ns)

    def move(self, parent: Account) -> None:
        """Charge another group from now on."""
        with self._lock:
            self._parent = parent

    def used_ns(self) -> dict[Place, int]:
        """Return what was used so far, where something was."""
        with self._lock:
            return dict(self._used_ns)
