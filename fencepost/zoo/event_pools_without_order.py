"""Jobs that took from two pools, each in the order that suited it.

No lock is held while either waits, so whoever watches only the order of locks sees nothing. The product has no event
ids yet; the model is two pools.
"""

from __future__ import annotations

from collections.abc import Sequence

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.event_ids import EventIds

__all__ = ["BUG"]


class Pools:
    """Event ids of two kinds, one of each."""

    def __init__(self) -> None:
        self._pools = [EventIds(1, "render ids"), EventIds(1, "compute ids")]

    def run(self, wanted: Sequence[int]) -> None:
        """Run a job that needs an id of each pool in `wanted`."""
        for pool in self.order(wanted):
            self._pools[pool].take(1)
        for pool in wanted:
            self._pools[pool].give_back(1)

    def order(self, wanted: Sequence[int]) -> Sequence[int]:
        """Say which is taken first."""
        return sorted(wanted)


class PoolsAsTheyWere(Pools):
    """Go by the job's wishes."""

    def order(self, wanted: Sequence[int]) -> Sequence[int]:
        return wanted


def model(pools: Pools, runtime: Runtime) -> None:
    """Run two jobs that name the pools in opposite order."""
    runtime.spawn(lambda: pools.run([0, 1]), "render job")
    runtime.spawn(lambda: pools.run([1, 0]), "compute job")


BUG = Bug(
    name="event-pools-without-order",
    title=None,
    fix="a rule of this project",
    symptom="two jobs hang, and no lock is held",
    interleaving="each job has taken the id of the pool that it named first; each waits for the other's",
    repair="take from several pools in one order, whatever the job says",
    broken=lambda runtime: model(PoolsAsTheyWere(), runtime),
    fixed=lambda runtime: model(Pools(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
