"""The table of the discussion, cell by cell: what was said, and what comes of playing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from fencepost.hw.long_running.designs import (
    DESIGNS,
    AnnotatedFences,
    Design,
    FaultingQueues,
    PreemptFences,
    UserQueues,
)
from fencepost.lab.experiments.long_running_dangers import DANGERS
from fencepost.lab.experiments.long_running_runs import Cell, Search, judge
from fencepost.zoo.mode_switched_before_dependencies import EngineGroupAsItWas

__all__ = ["LIVELOCK", "PLAYS", "REFERENCE", "SAFE", "THRASH", "Played", "agrees", "note_on", "play", "said_of"]

WITHOUT_PREEMPTION: Final = "no preemption"
AS_IT_WAS: Final = "switch before dependencies"

SAFE: Final = "safe"
FLAGGED: Final = "deadlock, flagged"
UNFLAGGED: Final = "deadlock, unflagged"
LIVELOCK: Final = "livelock"
THRASH: Final = "thrash"


class NaiveFaultingQueues(FaultingQueues):
    """The design with the order of a historic bug."""

    group_class = EngineGroupAsItWas


PLAYED_BY: Final[Mapping[str, tuple[type[Design], ...]]] = MappingProxyType(
    {
        **dict.fromkeys(DANGERS, DESIGNS),
        "T6-9": (FaultingQueues,),
        "T6-11": (PreemptFences, UserQueues),
        "T6-12": (FaultingQueues,),
    }
)
"""Who can come into which scene at all."""

VARIED_BY: Final[Mapping[str, tuple[str, tuple[type[Design], ...]]]] = MappingProxyType(
    {
        "T6-4": (WITHOUT_PREEMPTION, (PreemptFences, FaultingQueues, UserQueues)),
        "T6-9": (AS_IT_WAS, (NaiveFaultingQueues,)),
    }
)
"""What else is done, and by whom."""

PLAYS: Final[tuple[tuple[str, str, type[Design]], ...]] = tuple(
    (test, variant, design)
    for test, designs in PLAYED_BY.items()
    for variant, players in (("", designs), VARIED_BY.get(test, ("", ())))
    for design in players
)
"""Scenes, variants of them, and who plays them."""

NOTHING: Final = ("", "")

REFERENCE: Final[Mapping[str, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("T6-1", "T6-2", "T6-3"),
            (
                ("deadlock (flagged)", FLAGGED),
                ("no faults; safe", SAFE),
                ("safe: no fence of J exists", SAFE),
                ("safe", SAFE),
            ),
        ),
        "T6-4": (
            ("deadlock, unflagged", UNFLAGGED),
            ("safe (J preempts)", SAFE),
            ("safe by mode switch", SAFE),
            ("needs firmware preemption", SAFE),
        ),
        "T6-5": (
            ("deadlock if import allowed", UNFLAGGED),
            *(("forbidden import: safe", SAFE),) * 3,
        ),
        **dict.fromkeys(
            ("T6-6", "T6-7", "T6-8"),
            (*(("code bug anywhere; lockdep finds", FLAGGED),) * 3, ("smaller surface", SAFE)),
        ),
        "T6-9": (NOTHING, NOTHING, ("fixed by dependencies first", SAFE), NOTHING),
        "T6-10": (NOTHING, ("possible", LIVELOCK), ("possible (faults)", LIVELOCK), ("possible", LIVELOCK)),
    }
)
"""What was said of each design, in the order of `DESIGNS`, and which verdict that is; nothing of T6-11 and T6-12."""

NOTES: Final[Mapping[tuple[str, str, str], str]] = MappingProxyType(
    {
        ("T6-5", AnnotatedFences.name, FLAGGED): "the import is flagged, before anybody waits: a fence that comes after"
        " a user fence. The circle has no name, since nobody can know who will write that",
        **{
            (
                test,
                UserQueues.name,
                FLAGGED,
            ): "the same mistake does the same in the work that preempts; smaller is only"
            " that there is no scheduler to make it in"
            for test in ("T6-6", "T6-7", "T6-8")
        },
        ("T6-10", FaultingQueues.name, THRASH): "each fault brings one page and is followed by work, so it ends; but"
        " nearly every access moves a page",
    }
)
"""Why a verdict is not what was said, by test, design and verdict."""


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a scene.

    Attributes:
        test: its number.
        title: what happens in it.
        variant: what is done otherwise; empty for the scene itself.
        design: the name of who played it.
        cell: what was seen.
    """

    test: str
    title: str
    variant: str
    design: str
    cell: Cell

    @property
    def verdict(self) -> str:
        """In a few words: a deadlock, flagged or not; waits for J, which has an end; found by search; flagged; safe."""
        cell = self.cell
        flagged = "flagged" if cell.flags else "unflagged"
        if cell.stuck and not cell.deadlock:
            return "waits for J"
        if cell.stuck:
            return f"deadlock, {flagged}"
        if cell.found:
            return "found by search"
        return "flagged" if cell.flags else SAFE

    @property
    def said(self) -> str:
        """What was said of it; empty where nothing was."""
        return "" if self.variant else said_of(self.test, self.design)[0]

    @property
    def agrees(self) -> bool:
        """Whether it came as was said, or nothing was."""
        return self.variant != "" or agrees(self.test, self.design, self.verdict)

    @property
    def note(self) -> str:
        """Why it did not; empty where it did."""
        return "" if self.agrees else note_on(self.test, self.design, self.verdict)

    def as_json(self) -> dict[str, Any]:
        """Return the facts for a JSON file."""
        cell = self.cell
        return {
            "test": self.test,
            "title": self.title,
            "variant": self.variant,
            "design": self.design,
            "verdict": self.verdict,
            "said": self.said,
            "agrees": self.agrees,
            "note": self.note,
            "circle": cell.circle,
            "waits": [*cell.stuck],
            "flags": [*cell.flags],
            "searched": [*cell.scopes],
            "found": cell.found,
        }


def play(test: str, variant: str, design: type[Design], search: Search) -> Played:
    """Have a design play a scene. Client context."""
    scene = DANGERS[test]
    # In T6-12 the work that faults cannot be taken off at a fault: that is the point of it.
    preemptible = variant != WITHOUT_PREEMPTION and test != "T6-12"
    cell = judge(scene, design, search, preemptible=preemptible)
    title = (scene.__doc__ or "").partition(": ")[2].rstrip(".")
    return Played(test, title, variant, design.name, cell)


def said_of(test: str, design: str) -> tuple[str, str]:
    """Return what was said, and which verdict that is; nothing where nothing was."""
    names = [each.name for each in DESIGNS]
    return REFERENCE[test][names.index(design)] if test in REFERENCE else NOTHING


def agrees(test: str, design: str, verdict: str) -> bool:
    """Say whether a verdict is what was said, or nothing was."""
    return said_of(test, design)[1] in ("", verdict)


def note_on(test: str, design: str, verdict: str) -> str:
    """Say why a verdict is not what was said."""
    return NOTES.get((test, design, verdict), "nobody has explained that yet")
