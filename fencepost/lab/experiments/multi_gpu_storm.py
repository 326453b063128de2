"""A client that maps a buffer on several GPUs while it is sent one signal after the other."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from fencepost.actors import Runtime
from fencepost.lab.experiments.multi_gpu_stage import MapSetup, Stage

__all__ = ["Storm", "StormResult", "weather"]


@dataclass(frozen=True, slots=True)
class Storm:
    """When signals come.

    Args:
        period_us: from one to the next, or on the average.
        limit_us: how long they go on.
        seed: makes them come at random; None is after exactly one period each.
    """

    period_us: int
    limit_us: int
    seed: int | None = None

    def times_us(self) -> Iterator[float]:
        """Yield when they come."""
        if self.seed is None:
            yield from range(self.period_us, self.limit_us + 1, self.period_us)
            return
        chance = random.Random(f"{self.seed} {self.period_us}")
        when_us = 0.0
        for _ in count():
            when_us += chance.expovariate(1 / self.period_us)
            if when_us > self.limit_us:
                return
            yield when_us


@dataclass(frozen=True, slots=True)
class StormResult:
    """What a design made of it.

    Attributes:
        design: which.
        period_ms: of the signals.
        ended_ms: when it had succeeded; None when it had not before they ended.
        restarts, dispatches: how often the call was made again, and how many mappings the SDMA engines were given.
        violations: what must not be.
    """

    design: str
    period_ms: float
    ended_ms: float | None
    restarts: int
    dispatches: int
    violations: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the facts for a JSON file."""
        return {
            "design": self.design,
            "period_ms": self.period_ms,
            "ended_ms": self.ended_ms,
            "restarts": self.restarts,
            "dispatches": self.dispatches,
            "violations": self.violations,
        }


def weather(setup: MapSetup, design: str, storm: Storm) -> StormResult:
    """Run a design in a storm, in virtual time."""
    with Runtime(world="virtual", events=False) as rt:
        stage = Stage(rt, setup, design)
        times_us = storm.times_us()

        def strike() -> None:
            stage.client.signal()
            arm()

        def arm() -> None:
            when_us = next(times_us, None)
            if when_us is not None and not client.done:
                stage.at(when_us, strike)

        client = stage.start()
        arm()
        # Half a dispatch longer, so that what the last signal interrupts has begun anew and not come any further.
        client.join((storm.limit_us + setup.dispatch_us / 2) / 1e6)
        seen = stage.observe("storm")
        stage.end()
    return StormResult(design, storm.period_us / 1000, seen.ended_ms, seen.restarts, seen.dispatches, seen.violations)
