"""What an entry of the zoo is."""

from __future__ import annotations

from dataclasses import dataclass

from fencepost.checks import Kind, Model

__all__ = ["Bug"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A historic bug, made again by putting one step back to how it was.

    Attributes:
        name: how the command line calls it: the file's name with dashes.
        title: of the change that mended it, as read there; None where it was not, or where there is no such change.
        fix: where that is to be found: commit, date, list; and what of it is not known.
        symptom: what people saw.
        interleaving: who does what in which order, in words.
        repair: what mends it, in our words.
        broken: a minimal model with the step as it was.
        fixed: the same with the step as it is.
        finds: what an exploration of `broken` may report.
        timers: the clock policy that it takes, see `explore`.
    """

    name: str
    title: str | None
    fix: str
    symptom: str
    interleaving: str
    repair: str
    broken: Model
    fixed: Model
    finds: frozenset[Kind]
    timers: str = "never"
