"""What one run of a model came to."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from fencepost.actors import Runtime
from fencepost.errors import Deadlock, StepLimit
from fencepost.sync.controlled import ControlledWorld, Search, Step

__all__ = ["Kind", "Model", "Outcome", "run_once"]

Model: TypeAlias = Callable[[Runtime], object]
"""A small program: gets a runtime that was entered, starts what it wants, asserts what must hold."""


class Kind(enum.StrEnum):
    """What was found."""

    ASSERTION = "assertion"
    EXCEPTION = "exception"
    DEADLOCK = "deadlock"
    ENDLESS = "endless"
    LEFTOVERS = "leftovers"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run came to.

    Attributes:
        kind: what was found, or None.
        message: what it says.
        error: the exception, if it was one.
        steps: what was done, by whom.
        names: of the tasks, by number.
        deviations: the choices that were not the obvious ones.
        choices: how many there were.
    """

    kind: Kind | None
    message: str
    error: BaseException | None
    steps: list[Step]
    names: tuple[str, ...]
    deviations: dict[int, int]
    choices: int


def run_once(model: Model, search: Search, *, clock_slack_ns: int | None, step_limit: int) -> Outcome:
    """Run a model with the choices of `search`. Client context of any world; leaves nothing behind."""
    world = ControlledWorld(search, clock_slack_ns=clock_slack_ns, step_limit=step_limit)
    kind: Kind | None = None
    message = ""
    error: BaseException | None = None
    runtime = Runtime(world, log_leftovers=False)
    try:
        with runtime:
            model(runtime)
    except Exception as caught:  # noqa: BLE001 - whatever a model raises is a find
        # What failed first is the find: others may have waited for it in vain.
        error = next(iter(world.failures), caught)
        kind = kind_of(error)
        message = str(error) or type(error).__name__
    if kind is None and runtime.leftovers:
        kind, message = Kind.LEFTOVERS, str(runtime.leftovers)
    return Outcome(kind, message, error, world.steps, world.names, world.choices.deviations, world.choices.choices)


def kind_of(error: BaseException) -> Kind:
    """Say what kind of find an exception is."""
    if isinstance(error, AssertionError):
        return Kind.ASSERTION
    if isinstance(error, Deadlock):
        return Kind.DEADLOCK
    return Kind.ENDLESS if isinstance(error, StepLimit) else Kind.EXCEPTION
