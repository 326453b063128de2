"""What can happen at any moment while a buffer is mapped on two GPUs: each design, under all that a search plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from fencepost.actors import Runtime
from fencepost.checks import explore
from fencepost.fences import Interrupt
from fencepost.fences.fence import errno_name
from fencepost.hw.mapping import Arguments, Client, Touch, free, unmap
from fencepost.lab.experiments.multi_gpu_stage import MapSetup, Stage

__all__ = ["RACES", "RaceResult", "race"]

SETUP: Final = MapSetup(gpus=2, dispatch_us=0, update_us=1, fail_at=1, pending_signals=True)
"""Busy for no time: only what sleeps can be overtaken by the clock."""

Outcome = tuple[tuple[str, Any], ...]
"""What one schedule came to: names and facts."""

Race = Callable[[Stage], Outcome]


@dataclass(frozen=True, slots=True)
class RaceResult:
    """What a search came to.

    Attributes:
        design, event: which.
        schedules: how many were run.
        scope: of what these are all; empty when there are more.
        found: what went wrong, and how to see it again; empty when nothing did.
        outcomes: what the schedules came to, each once, in an order of their own.
    """

    design: str
    event: str
    schedules: int
    scope: str
    found: str
    outcomes: tuple[Outcome, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the facts for a JSON file."""
        return {
            "design": self.design,
            "event": self.event,
            "schedules": self.schedules,
            "scope": self.scope,
            "found": self.found,
            "outcomes": [dict(outcome) for outcome in self.outcomes],
        }


def race(design: str, event: str, *, strategy: str, schedules: int, seed: int) -> RaceResult:
    """Search a design under an event.

    Raises BadInput for an unknown strategy.
    """
    outcomes: dict[Outcome, None] = {}

    def model(rt: Runtime) -> None:
        stage = Stage(rt, SETUP, design)
        outcome = RACES[event](stage)
        violations = stage.process.ledger.violations
        assert not violations, "; ".join(violations)
        outcomes[outcome] = None

    report = explore(
        model, strategy=strategy, schedules=schedules, seed=seed, timers="free", fields={Interrupt: "_pending"}
    )
    scope = report.scope if report.complete else ""
    found = f"{report.kind}: {report.message}; replay {report.replay_token}" if report.found else ""
    return RaceResult(design, event, report.schedules, scope, found, tuple(sorted(outcomes, key=str)))


def unmap_one(stage: Stage) -> Outcome:
    """Have another call unmap GPU 1."""
    arguments = Arguments(stage.arguments.handle, (1,))
    return beside(stage, "unmap", lambda client: unmap(stage.process, client, arguments))


def free_it(stage: Stage) -> Outcome:
    """Have another call free the buffer."""
    return beside(stage, "free", lambda client: free(stage.process, client, stage.arguments.handle))


def beside(stage: Stage, name: str, call: Callable[[Client], None]) -> Outcome:
    """Run a call of another client while the buffer is mapped."""
    said: list[str] = []

    def run() -> None:
        try:
            call(Client(name))
        except OSError as error:
            said.append(errno_name(-(error.errno or 0)).removeprefix("-"))
        else:
            said.append("0")

    client, other = stage.start(), stage.spawn(run, name)
    client.join()
    other.join()
    seen = stage.observe("")
    overtaken = stage.process.ledger.overtaken > 0
    return (("map", seen.error), (name, said[0]), ("usable", seen.at_end.usable), ("map overtaken", overtaken))


def use_while_partial(stage: Stage) -> Outcome:
    """Have GPU 0 use the buffer three times, and GPU 1 fail."""
    stage.gpus[1].slots = 0
    touches: list[Touch] = []
    table, handle = stage.process.tables[0], stage.arguments.handle

    def use() -> None:
        for times in range(3):
            stage.sleep_until(times * SETUP.update_us)
            touches.append(table.touch(handle))

    client, other = stage.start(), stage.spawn(use, "GPU 0")
    client.join()
    other.join()
    first = touches.index(Touch.DONE) if Touch.DONE in touches else len(touches)
    lost = any(touch is not Touch.DONE for touch in touches[first:])
    return (("map", stage.observe("").error), ("used", Touch.DONE in touches), ("pages lost", lost))


RACES: Final[Mapping[str, Race]] = MappingProxyType(
    {
        "another call unmaps GPU 1": unmap_one,
        "another call frees the buffer": free_it,
        "GPU 0 uses it, GPU 1 fails": use_while_partial,
    }
)
"""What happens, by name."""
