"""The ways to grab: one at a time and keep it, one at a time and drop it, all at once, all at once in a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

from fencepost.errors import BadInput
from fencepost.policies.resources.grab import Grab, Request, Step, W
from fencepost.policies.resources.pool import Pool

__all__ = ["GRABS", "Atomic", "Drop", "Fifo", "Hold", "new_grab"]


class Hold(Grab[W]):
    """One at a time, and what one has it keeps while it waits for more. Deadlocks: see `thresholds`.

    Also when each of two needs one of two pools, and they name them in opposite order.
    """

    def step(self, request: Request[W]) -> Step:
        pool = next(filter(request.missing, request.needs), None)
        if pool is None:
            return Step.COMPLETE
        self._leave(request)
        if not pool.free:
            return self._turn_away(request, pool)
        self._take(request, pool, 1)
        return self._took(request)

    def _turn_away(self, request: Request[W], pool: Pool) -> Step:
        return self._line_up(request, (pool,))

    def _changed(self, pools: Iterable[Pool]) -> None:
        """Tell as many as there are things for, those who came first."""
        for pool in pools:
            for request in tuple(islice(self._line(pool), pool.free)):
                self._tell(request)


class Drop(Hold[W]):
    """One at a time, and who finds none gives back what it has: to the next who finds too few. Livelocks.

    While somebody who has all it needs has something of a pool, those who wait for that are told when it is done. When
    nobody does, they are told of what is dropped.
    """

    def _turn_away(self, request: Request[W], pool: Pool) -> Step:
        # Gets in line first, as one who was handed a fence before it drops anything: so it may be told by itself.
        step = super()._turn_away(request, pool)
        if request.held:
            self._retreats += 1
            self._put_back(request)
            self._changed(pool for pool in request.needs if not self._in_use(pool))
        return step

    def _in_use(self, pool: Pool) -> bool:
        return any(each.started and pool in each.needs for each in self._requests.values())


class Atomic(Grab[W]):
    """All at once, or nothing. Nobody holds what is not enough; but one who needs many may never find them.

    Whenever something comes back, all who wait for it are told, and the first to come gets it.
    """

    def step(self, request: Request[W]) -> Step:
        if request.complete:
            return Step.COMPLETE
        if self._fits(request):
            self._leave(request)
            return self._take_all(request)
        return Step.SHORT if request.waits else self._line_up(request, request.needs)

    def _fits(self, request: Request[W]) -> bool:
        return all(request.missing(pool) <= pool.free for pool in request.needs)

    def _changed(self, pools: Iterable[Pool]) -> None:
        for pool in pools:
            for request in tuple(self._line(pool)):
                self._tell(request)


class Fifo(Atomic[W]):
    """All at once, and nobody overtakes one who waits for things of the same pool.

    What comes back is handed to who is first in the lines of all its pools; it has it when it is told. What there is
    is kept for the first, even if it would do for the second: the price for nobody ever starving.
    """

    def _fits(self, request: Request[W]) -> bool:
        return self._is_first(request) and super()._fits(request)

    def _is_first(self, request: Request[W]) -> bool:
        return all(next(iter(self._line(pool)), request) is request for pool in request.needs)

    def _changed(self, pools: Iterable[Pool]) -> None:
        changed = list(pools)
        while changed:
            first = next(iter(self._line(changed.pop())), None)
            if first is not None and self._fits(first):
                self._tell(first)
                self._take_all(first)
                # Whoever was behind it, in any of its lines, may be first now.
                changed += first.needs


GRABS: Final[Mapping[str, Callable[[], Grab[Any]]]] = MappingProxyType(
    {"hold": Hold, "drop": Drop, "atomic": Atomic, "fifo": Fifo}
)
"""How things can be grabbed."""


def new_grab(name: str, *, where: str = "grab") -> Grab[Any]:
    """Make the grab of this name. Raises BadInput, about `where`, when there is none."""
    if name not in GRABS:
        raise BadInput(where, repr(name), f"one of {', '.join(GRABS)}")
    return GRABS[name]()
