"""What can happen to doorbells on their way."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from fencepost.errors import BadInput
from fencepost.sync import NS_PER_S, World

__all__ = ["Misfortune", "Road"]


@dataclass(frozen=True, slots=True)
class Misfortune:
    """How often doorbells go astray, by chance.

    Args:
        lose: the share of the doorbells rung at queues that are not mapped that nobody hears. (A mapped queue's is a
            register of the device, and never lost.)
        delay: the share that comes late.
        delay_us: how late.
        seed: of what is drawn.

    Raises:
        BadInput: for a share outside of 0 to 1, or a negative delay.
    """

    lose: float = 0.0
    delay: float = 0.0
    delay_us: float = 100.0
    seed: int = 1

    def __post_init__(self) -> None:
        for name, share in (("lose", self.lose), ("delay", self.delay)):
            if not 0 <= share <= 1:
                raise BadInput(name, str(share), "a share of 0 to 1")
        if not self.delay_us >= 0:
            raise BadInput("delay_us", str(self.delay_us), "0 or more")


class Road:
    """The way of doorbells to the firmware, with its misfortune.

    `_lock` protects the generators; a leaf.
    """

    def __init__(self, world: World, misfortune: Misfortune) -> None:
        self._world = world
        self._misfortune = misfortune
        self._lock = world.lock()
        self._losses = random.Random(f"{misfortune.seed} lose")
        self._delays = random.Random(f"{misfortune.seed} delay")

    def carry(self, deliver: Callable[[], object]) -> None:
        """Bring a doorbell to the firmware, now or late. Never blocks; any context."""
        if self._misfortune.delay and self._happens(self._delays, self._misfortune.delay):
            late_ns = round(self._misfortune.delay_us * NS_PER_S / 1e6)
            self._world.timers.call_at(self._world.now_ns() + late_ns, deliver)
        else:
            deliver()

    def loses(self) -> bool:
        """Say whether a doorbell of an unmapped queue is lost. By the firmware."""
        return self._happens(self._losses, self._misfortune.lose)

    def _happens(self, draws: random.Random, share: float) -> bool:
        with self._lock:
            return draws.random() < share
