"""A schedule in a few characters, to be pasted into a command line.

never.12-1.40-3      with the clock policy `never`; at choice 12 task 1 runs, at choice 40 task 3, else the
obvious one
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fencepost.checks.clock_policy import parse_clock_policy
from fencepost.errors import BadInput

__all__ = ["Schedule"]

DEVIATION = re.compile(r"(\d+)-(c|\d+)")


@dataclass(frozen=True, slots=True)
class Schedule:
    """The choices of one run.

    Attributes:
        timers: the clock policy it was made with.
        deviations: choice number -> candidate, where that was not the obvious one.
    """

    timers: str
    deviations: Mapping[int, int]

    @property
    def token(self) -> str:
        """Write it down."""
        parts = (f"{choice}-{'c' if who < 0 else who}" for choice, who in sorted(self.deviations.items()))
        return ".".join([self.timers, *parts])

    @classmethod
    def parse(cls, token: str, where: str = "--replay") -> Schedule:
        """Read what `token` wrote; BadInput when somebody else did."""
        timers, *parts = token.split(".")
        parse_clock_policy(timers, where)
        deviations: dict[int, int] = {}
        for part in parts:
            match = DEVIATION.fullmatch(part)
            if match is None:
                raise BadInput(where, repr(part), "a replay token, such as never.12-1.40-3")
            deviations[int(match[1])] = -1 if match[2] == "c" else int(match[2])
        return cls(timers, deviations)
