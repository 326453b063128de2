"""What the tests of the rules of fences share: each observed world in turn, and what was found there."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from fencepost.checks.broken_rule import BrokenRule
from fencepost.checks.lock_order import LockOrderCycle
from fencepost.checks.observers import Observers
from fencepost.checks.search.replay import Replay
from fencepost.fences import Fence
from fencepost.sync.observed import Observed, ObservedWorld
from fencepost.sync.observed_controlled import ObservedControlledWorld
from fencepost.sync.observed_virtual import ObservedVirtualWorld

__all__ = ["WORLDS", "Ruled", "ruled"]

WORLDS: Final[Mapping[str, Callable[[Observers], Observed]]] = {
    "native": ObservedWorld,
    "virtual": ObservedVirtualWorld,
    "controlled": lambda observers: ObservedControlledWorld(observers, Replay({})),
}


@dataclass(frozen=True, slots=True)
class Ruled:
    """A world, and those who watch it."""

    world: Observed
    observers: Observers

    @property
    def breaches(self) -> list[str]:
        """What broke a rule, in words."""
        assert all(isinstance(found, BrokenRule | LockOrderCycle) for found in self.observers.findings)
        return [str(found) for found in self.observers.findings]

    def run(self, *functions: Callable[[], object]) -> None:
        """Run each in a task of its own, one after the other."""
        for index, function in enumerate(functions):
            assert self.world.spawn(function, name=f"task{index}").join()


@contextmanager
def ruled(kind: str = "virtual", limits_s: Mapping[type[Fence], float] | None = None) -> Generator[Ruled]:
    """Enter an observed world; what was started in it must have ended by the end of the body."""
    observers = Observers(fence_limits_s=limits_s)
    world = WORLDS[kind](observers)
    world.enter()
    try:
        yield Ruled(world, observers)
    finally:
        left = world.close()
    assert left == []
    assert world.failures == []
