"""How much of the GPU each control group had over time, how much it should have had, and the frames of its clients.

What a group should have had is worked out from what happened, slot by slot and engine by engine: somebody who always
had a job pending wanted all it could get of an engine that was busy all the time, anybody else got what it wanted. See
`ideal_shares`. Caps (`drm.max`) are not known here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fencepost.events.kinds import CYCLE, JOB_DONE, JOB_QUEUE, Event
from fencepost.lab.ideal_shares import ALL, ROOT, ideal_shares, lineage
from fencepost.lab.timeline import Stretch, Timeline

__all__ = ["Frame", "GroupShares", "Moving", "Reweighting", "frames", "group_shares"]

NS_PER_MS: Final = 1_000_000
PENDING: Final = ""
"""Stands for an engine where stretches are those of jobs that are not done."""
FULL: Final = 0.95
"""From here on an engine is taken to be busy all the time, and a client to have something pending all the time."""


@dataclass(frozen=True, slots=True)
class Reweighting:
    """A group has a weight from a moment on.

    Attributes:
        at_ns: when, on the clock of the events.
        group: its path.
    """

    at_ns: int
    group: str
    weight: int


@dataclass(frozen=True, slots=True)
class Moving:
    """A client is in another group from a moment on: what it begins to execute then is that group's.

    Attributes:
        at_ns: when, on the clock of the events.
        group: the path of that group.
    """

    at_ns: int
    client: str
    group: str


@dataclass(frozen=True, slots=True)
class Frame:
    """A client went through its workload once: it showed a frame.

    Attributes:
        end_ns: when it was done.
        length_ns: how long it stood on the screen, or after its predecessor: the wait for the end of the period counts.
    """

    end_ns: int
    length_ns: int


@dataclass(frozen=True, slots=True)
class GroupShares:
    """What groups had, in slots of equal length.

    Attributes:
        edges_ns: where the slots begin, and the last one ends.
        had: path -> for each slot how much of the engines it had with all below it, from 0 to 1.
        ideal: path -> for each slot how much it should have had.
    """

    edges_ns: Sequence[float]
    had: Mapping[str, Sequence[float]]
    ideal: Mapping[str, Sequence[float]]


def group_shares(
    events: Sequence[Event],
    groups: Mapping[str, str],
    slot_ms: float,
    weights: Sequence[Reweighting] = (),
    moves: Iterable[Moving] = (),
) -> GroupShares:
    """Add up, in slots of time, what groups had of the engines that executed anything.

    Args:
        events: of a run.
        groups: client -> path of the group it begins in; clients that are not here are in the root.
        slot_ms: how long slots are; what is left at the end is left out, but for a run that is shorter than one.
        weights: what groups weigh when, of those that do not have the default weight all the time.
        moves: of clients.
    """
    timeline, slots = _slotted(events, round(slot_ms * NS_PER_MS))
    members = _Members(groups, moves)
    edges_ns, used = replace(timeline, stretches=[*map(members.own, timeline.stretches)]).shares(slots)
    pending = replace(timeline, stretches=[*_spells(events, members, timeline.end_ns)]).shares(slots).of
    had: dict[str, list[float]] = {}
    ideal: dict[str, list[float]] = {}
    for engine in timeline.engines:
        of_engine = {group: shares for (name, group), shares in used.items() if name == engine}
        for slot in range(slots):
            now = {group: shares[slot] for group, shares in of_engine.items()}
            eager = {group for group in now if (PENDING, group) in pending and pending[PENDING, group][slot] >= FULL}
            weights_now = _weights_at(weights, (edges_ns[slot] + edges_ns[slot + 1]) / 2)
            _add(had, slots, slot, _with_those_above(now))
            _add(ideal, slots, slot, ideal_shares(_wants(now, eager), weights_now, sum(now.values())))
    engines = len(timeline.engines)
    return GroupShares(edges_ns, _divided(had, engines), _divided(ideal, engines))


def frames(events: Iterable[Event], clients: Iterable[str]) -> dict[str, list[Frame]]:
    """Return the frames of some clients, in their order."""
    shown: dict[str, list[Frame]] = {client: [] for client in clients}
    for _, kind, *fields in events:
        if kind == CYCLE and fields[0] in shown:
            client, start_ns, end_ns = fields
            shown[client].append(Frame(end_ns, end_ns - start_ns))
    return shown


def _slotted(events: Sequence[Event], slot_ns: int) -> tuple[Timeline, int]:
    """Return the timeline from the first event on, when clients began, and how many slots it has."""
    timeline = Timeline.of(events)
    start_ns = min((event[0] for event in events), default=0)
    slots = (timeline.end_ns - start_ns) // slot_ns
    end_ns = start_ns + slots * slot_ns if slots else timeline.end_ns
    return timeline.cut(start_ns, end_ns), max(1, slots)


def _wants(used: Mapping[str, float], eager: Iterable[str]) -> dict[str, float]:
    """Judge what the clients in each group wanted of an engine."""
    if sum(used.values()) < FULL:
        return dict(used)
    return {**used, **dict.fromkeys(eager, ALL)}


def _weights_at(weights: Sequence[Reweighting], now_ns: float) -> dict[str, int]:
    known = sorted(weights, key=lambda each: each.at_ns)
    return {each.group: each.weight for each in known if each.at_ns <= now_ns}


def _with_those_above(used: Mapping[str, float]) -> dict[str, float]:
    total: defaultdict[str, float] = defaultdict(float)
    for group, share in used.items():
        for each in lineage(group):
            total[each] += share
    return total


def _add(table: dict[str, list[float]], slots: int, slot: int, shares: Mapping[str, float]) -> None:
    for group, share in shares.items():
        table.setdefault(group, [0.0] * slots)[slot] += share


def _divided(table: Mapping[str, Sequence[float]], by: int) -> dict[str, list[float]]:
    return {group: [value / by for value in values] for group, values in table.items()}


# Who is where.


class _Members:
    """Knows in which group a client is when."""

    def __init__(self, groups: Mapping[str, str], moves: Iterable[Moving]) -> None:
        self._groups = groups
        self._moves: dict[str, list[Moving]] = {}
        for move in sorted(moves, key=lambda each: each.at_ns):
            self._moves.setdefault(move.client, []).append(move)

    def group(self, client: str, now_ns: int) -> str:
        group = self._groups.get(client, ROOT)
        for move in self._moves.get(client, ()):
            if move.at_ns <= now_ns:
                group = move.group
        return group

    def own(self, stretch: Stretch) -> Stretch:
        """Return a stretch as that of the group."""
        return stretch._replace(client=self.group(stretch.client, stretch.start_ns))


def _spells(events: Iterable[Event], members: _Members, end_ns: int) -> Iterator[Stretch]:
    """Yield from when to when the clients in a group itself had jobs that were not done.

    A job counts for the group that its client was in when it was pushed.
    """
    since_ns: dict[str, int] = {}
    group_of: dict[tuple[int, int], str] = {}
    count = Counter[str]()
    for time_ns, kind, *fields in events:
        if kind == JOB_QUEUE:
            _, _, client, context, seqno, *_ = fields
            group = group_of[context, seqno] = members.group(client, time_ns)
            count[group] += 1
            since_ns.setdefault(group, time_ns)
        elif kind == JOB_DONE and (fields[1], fields[2]) in group_of:
            group = group_of.pop((fields[1], fields[2]))
            count[group] -= 1
            if not count[group]:
                yield Stretch(PENDING, group, since_ns.pop(group), time_ns)
    for group, start_ns in since_ns.items():
        yield Stretch(PENDING, group, start_ns, max(start_ns, end_ns))
