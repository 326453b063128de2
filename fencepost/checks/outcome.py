"""What one run of a model came to."""

from __future__ import annotations

import enum
import linecache
import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import pykka

from fencepost.actors import Leftovers, Runtime, RuntimeStatistics
from fencepost.checks.account import Account, account_of, words_for
from fencepost.checks.broken_rule import BrokenRule
from fencepost.checks.lock_order import LockOrderCycle
from fencepost.checks.observers import Observers
from fencepost.checks.poison import Poison, UseOfFreed
from fencepost.checks.tracked import Race
from fencepost.checks.waits import Stall
from fencepost.errors import Deadlock, StepLimit, UseAfterFree
from fencepost.sync.controlled import Candidate, ControlledWorld, Search, Step
from fencepost.sync.observed_controlled import ObservedControlledWorld

__all__ = ["Kind", "Model", "Outcome", "run_once"]

Model: TypeAlias = Callable[[Runtime], object]
"""A small program: gets a runtime that was entered, starts what it wants, asserts what must hold."""

ADDRESS: Final = re.compile(r" (object )?at 0x[0-9a-f]+| \(urn:uuid:[0-9a-f-]+\)")
OURS: Final = (str(Path(__file__).parents[1]), str(Path(str(pykka.__file__)).parent))


class Kind(enum.StrEnum):
    """What was found."""

    ASSERTION = "assertion"
    EXCEPTION = "exception"
    DEADLOCK = "deadlock"
    ENDLESS = "endless"
    USE_AFTER_END = "use after end"
    USE_AFTER_FREE = "use after free"
    UNSIGNALED = "fence never signalled"
    LEAK = "leak"
    RACE = "race"
    LOCK_ORDER = "lock order"
    FENCE_RULE = "fence rule"


KINDS: Final[tuple[tuple[type[BaseException], Kind], ...]] = (
    (AssertionError, Kind.ASSERTION),
    (Deadlock, Kind.DEADLOCK),
    (StepLimit, Kind.ENDLESS),
    (pykka.ActorDeadError, Kind.USE_AFTER_END),
    (UseAfterFree, Kind.USE_AFTER_FREE),
)
"""The first that fits tells the kind of an exception; EXCEPTION when none does."""

KIND_OF: Final[Mapping[type, Kind]] = {
    Race: Kind.RACE,
    UseOfFreed: Kind.USE_AFTER_FREE,
    LockOrderCycle: Kind.LOCK_ORDER,
    BrokenRule: Kind.FENCE_RULE,
    Stall: Kind.DEADLOCK,
}
"""What observers find."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What went wrong.

    Attributes:
        kind, message: for people.
        site: where in the program, when that is known: tells one bug from another of the same kind.
        traceback: of the exception, as text; empty when it was none, or nobody asked.
    """

    kind: Kind
    message: str
    site: str = ""
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run came to. Holds nothing of the program itself, which is gone.

    Attributes:
        finding: what went wrong, or None.
        steps: what was done, by whom.
        names: of the tasks, by number.
        deviations: the choices that were not the obvious ones.
        choices: how many there were.
        preemptions: how many took the turn from a task that could go on.
        account: the steps in words, when that was asked for.
    """

    finding: Finding | None
    steps: list[Step]
    names: tuple[str, ...]
    deviations: dict[int, Candidate]
    choices: int
    preemptions: int
    account: Account | None

    @property
    def kind(self) -> Kind | None:
        return None if self.finding is None else self.finding.kind

    @property
    def message(self) -> str:
        return "" if self.finding is None else self.finding.message


def run_once(
    model: Model,
    search: Search,
    *,
    clock_slack_ns: int | None,
    step_limit: int,
    explain: bool = False,
    observe: bool = False,
) -> Outcome:
    """Run a model with the choices of `search`. Client context of any world; leaves nothing behind.

    Args:
        model: what to run.
        search: makes the choices.
        clock_slack_ns: see `parse_clock_policy`.
        step_limit: a run that takes more steps is a find.
        explain: whether to keep words for all that is done, which is slower.
        observe: whether to look for races and the order of locks, which is slower too. Then the accesses to tracked
            fields are steps.
    """
    observers = Observers() if observe else None
    world = world_for(
        search,
        observers,
        clock_slack_ns=clock_slack_ns,
        step_limit=step_limit,
        words=words_for if explain else None,
    )
    runtime = Runtime(world, log_leftovers=False)
    finding: Finding | None = None
    try:
        with runtime:
            model(runtime)
    except Exception as caught:  # noqa: BLE001 - whatever a model raises is a find
        # What failed first is the find: others may have waited for it in vain.
        finding = finding_of(next(iter(world.failures), caught), explain=explain)
    finding = finding or left_behind(runtime.leftovers, runtime.statistics()) or observed_by(observers)
    return Outcome(
        finding,
        world.steps,
        world.names,
        world.choices.deviations,
        world.choices.choices,
        world.choices.preemptions,
        account_of(world) if explain else None,
    )


def world_for(search: Search, observers: Observers | None, **options: Any) -> ControlledWorld:  # noqa: ANN401
    """Make the world of a run, with the options of `ControlledWorld`."""
    if observers is None:
        world = ControlledWorld(search, **options)
        world.poison = Poison()
        return world
    return ObservedControlledWorld(observers, search, **options)


def observed_by(observers: Observers | None) -> Finding | None:
    """Say what the observers found first."""
    if observers is None or not observers.findings:
        return None
    first = observers.findings[0]
    return Finding(KIND_OF[type(first)], str(first), first.place)


def finding_of(error: BaseException, *, explain: bool) -> Finding:
    """Say what an exception means."""
    kind = next((kind for cause, kind in KINDS if isinstance(error, cause)), Kind.EXCEPTION)
    if kind in (Kind.DEADLOCK, Kind.ENDLESS):
        return Finding(kind, str(error))
    if isinstance(error, UseAfterFree):
        return Finding(kind, str(error), error.place)
    place, line = last_frame(error)
    said = ADDRESS.sub("", str(error)) or line
    message = said if kind is Kind.ASSERTION else f"{type(error).__name__}{f': {said}' if said else ''}"
    told = "".join(traceback.format_exception(error)) if explain else ""
    return Finding(kind, f"{message} ({place})" if place else message, place, told)


def last_frame(error: BaseException) -> tuple[str, str]:
    """Return where an exception was raised, and the line that did; and who called that, when it was one of us."""
    frames = list(traceback.walk_tb(error.__traceback__))
    if not frames:
        return "", ""
    (frame, lineno), where = frames[-1], ""
    theirs = [each for each in frames if not each[0].f_code.co_filename.startswith(OURS)]
    if theirs and theirs[-1][0] is not frame:
        where = f", called from {place_of(theirs[-1][0].f_code.co_filename, theirs[-1][1])}"
    line = linecache.getline(frame.f_code.co_filename, lineno).strip()
    return f"{place_of(frame.f_code.co_filename, lineno)} in {frame.f_code.co_name}{where}", line


def place_of(filename: str, lineno: int) -> str:
    """Return file and line, without the folder."""
    return f"{Path(filename).name}:{lineno}"


def left_behind(leftovers: Leftovers, statistics: RuntimeStatistics) -> Finding | None:
    """Say what had not come to its end when the runtime was left."""
    if leftovers.tasks:
        return Finding(Kind.LEAK, f"still alive at the end: {', '.join(leftovers.tasks)}")
    if leftovers.unpushed_jobs or leftovers.abandoned_jobs:
        said = f"{leftovers.unpushed_jobs} armed jobs were never pushed, {leftovers.abandoned_jobs} waited in vain"
        return Finding(Kind.UNSIGNALED, f"{said} for what they depend on")
    missing = statistics.fences_armed - statistics.fences_signaled
    if missing:
        return Finding(Kind.UNSIGNALED, f"{missing} of {statistics.fences_armed} fences of armed jobs never signalled")
    return None
