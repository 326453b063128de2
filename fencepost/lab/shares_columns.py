"""From runs of one setup under several contenders to what their picture shows, a column for each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from fencepost.actors.cgroups.text import Refusal, number
from fencepost.lab.cgroups import Move, Write
from fencepost.lab.result import RunResult
from fencepost.lab.setup import Setup
from fencepost.lab.shares import Frame, GroupShares, Moving, Reweighting, frames, group_shares
from fencepost.lab.wsim import Period
from fencepost.policies.group import MAX_WEIGHT, MIN_WEIGHT
from fencepost.sync import NS_PER_S

__all__ = ["Column", "Mark", "column_of", "periods_us"]

WEIGHT: Final = "drm.weight"
SLOT_MS: Final = 100
"""Long enough for several jobs of each, short enough to see a change. Slots of long runs are multiples of it."""
MOST_SLOTS: Final = 150


@dataclass(frozen=True, slots=True)
class Mark:
    """Control groups were changed in the course of a run: so many things at once as there are lines in the text."""

    at_ns: int
    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """What one contender made of it.

    Attributes:
        name: of the contender.
        groups: client -> path of the group it begins in.
        frames: client -> its frames, of the clients in the foreground that have a period.
    """

    name: str
    groups: Mapping[str, str]
    shares: GroupShares
    marks: tuple[Mark, ...]
    frames: Mapping[str, list[Frame]]


def column_of(name: str, setup: Setup, result: RunResult) -> Column:
    """Return what a run showed; one that kept its events.

    In a setup without control groups each client stands for a group, and nobody knows what it should have had.
    """
    slot_ms = SLOT_MS * max(1, math.ceil(result.elapsed_s * 1000 / (SLOT_MS * MOST_SLOTS)))
    began_ns = min((event[0] for event in result.events), default=0)
    if setup.cgroups:
        groups = {each.name: _absolute(each.cgroup or "") for each in setup.clients}
        weights, moves = [*_weights(setup, began_ns)], _moves(setup, began_ns)
        shares = group_shares(result.events, groups, slot_ms, weights, moves)
    else:
        groups = {each.name: f"/{each.name}" for each in setup.clients}
        shares = replace(group_shares(result.events, groups, slot_ms), ideal={})
    return Column(name, groups, shares, _marks(result, began_ns), frames(result.events, periods_us(setup)))


def periods_us(setup: Setup) -> dict[str, int]:
    """Return the periods of the clients in the foreground that have one."""
    return {
        client.name: step.period_us
        for client in setup.clients
        if not client.background
        for step in client.workload.steps
        if isinstance(step, Period)
    }


def _marks(result: RunResult, began_ns: int) -> tuple[Mark, ...]:
    lines: dict[int, list[str]] = {}
    for each in result.changes:
        if each.outcome == "done":
            lines.setdefault(_at_ns(each.at_s, began_ns), []).append(each.change)
    return tuple(Mark(at_ns, "\n".join(changes)) for at_ns, changes in lines.items())


def _weights(setup: Setup, began_ns: int) -> Iterator[Reweighting]:
    """Yield what groups weigh, from when on."""
    writes = [(began_ns, write) for group in setup.cgroups for write in group.writes]
    writes += [(_at_ns(each.at_s, began_ns), each.change) for each in setup.changes if isinstance(each.change, Write)]
    for at_ns, write in writes:
        if write.file == WEIGHT:
            with suppress(Refusal):  # `card0 default`: as it was
                weight = number(write.text.split()[-1], MIN_WEIGHT, MAX_WEIGHT)
                yield Reweighting(at_ns, _absolute(write.group), weight)


def _moves(setup: Setup, began_ns: int) -> Iterator[Moving]:
    """Yield where clients go, and when."""
    for each in setup.changes:
        if isinstance(each.change, Move):
            yield Moving(_at_ns(each.at_s, began_ns), each.change.client, _absolute(each.change.group))


def _absolute(path: str) -> str:
    return "/" + path.strip("/")


def _at_ns(at_s: float, began_ns: int) -> int:
    return began_ns + round(at_s * NS_PER_S)
