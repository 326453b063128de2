"""What an exploration came to, for people and programs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Final

from fencepost.checks.outcome import Kind, Outcome
from fencepost.errors import WrongState

__all__ = ["Report"]

LAST_DEEDS: Final = 20


@dataclass(frozen=True, slots=True)
class Report:
    """What an exploration came to.

    Attributes:
        schedules: how many were run until the find, or in all.
        complete: whether there is nothing left to try.
        scope: what there was to try, when it is complete: `all there are`, or which of them.
        kind, message: what went wrong; None when nothing did.
        replay_token: makes `explore(model, replay=token)` run the schedule again; empty when nothing was found.
        outcome: the run itself, shrunk, or None.
    """

    schedules: int
    complete: bool = False
    scope: str = ""
    kind: Kind | None = None
    message: str = ""
    replay_token: str = ""
    outcome: Outcome | None = None

    @property
    def found(self) -> bool:
        return self.kind is not None

    @property
    def switches(self) -> int:
        """How many unobvious choices the failing schedule takes; 0 when nothing was found."""
        return 0 if self.outcome is None else len(self.outcome.deviations)

    @property
    def steps(self) -> str:
        """The last steps of the failing schedule, a line each; empty when nothing was found."""
        account = None if self.outcome is None else self.outcome.account
        return "" if account is None else account.last(LAST_DEEDS)

    def __str__(self) -> str:
        ran = f"{self.schedules} schedule{'s' * (self.schedules != 1)}"
        if self.outcome is None:
            return f"nothing found in {ran}" + (f", {self.scope}" if self.complete else "")
        return (
            f"{self.kind} in schedule {self.schedules}: {self.message}\n"
            f"the last steps of {len(self.outcome.steps)}; it takes {self.switches} unobvious choices, of which"
            f" {self.outcome.preemptions} interrupt somebody:\n"
            f"{self.steps}\n"
            f"replay: {self.replay_token}"
        )

    def as_json(self) -> dict[str, Any]:
        """Return the same facts for a JSON file."""
        account = None if self.outcome is None else self.outcome.account
        deeds = () if account is None else account.deeds
        return {
            "found": self.found,
            "schedules": self.schedules,
            "complete": self.complete,
            "scope": self.scope,
            "kind": self.kind,
            "message": self.message,
            "replay": self.replay_token,
            "switches": self.switches,
            "preemptions": 0 if self.outcome is None else self.outcome.preemptions,
            "steps": [{"task": deed.who, "did": deed.what} for deed in deeds],
        }

    def write_trace(self, path: str | os.PathLike[str]) -> None:
        """Write the failing schedule as a `.pftrace` for Perfetto: a track for each task, a slice for each turn.

        Time in it is the number of the step, in microseconds.

        Raises:
            WrongState: when nothing was found.
            BadInput: when the file cannot be written, or is called otherwise.
        """
        if self.outcome is None or self.outcome.account is None:
            raise WrongState("there is no failing schedule to write a trace of")
        from fencepost.checks.schedule_trace import write_schedule_trace  # noqa: PLC0415 - loads Perfetto, 50 ms

        write_schedule_trace(self.outcome.account, f"{self.kind}: {self.message}", path)
