"""A device in exact time, for run queues: one engine that runs jobs in the order they were taken, and clients."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush
from typing import TypeAlias

from fencepost.policies.cgroups.hweight import HierarchicalWeight
from fencepost.policies.group import Group
from fencepost.policies.priority import Priority
from fencepost.policies.run_queue import Node

__all__ = ["MS", "Client", "Device", "Weights", "tree"]

MS = 1_000_000

Weights: TypeAlias = "Mapping[str, int | tuple[int, Weights]]"


def tree(weights: Weights) -> dict[str, Group]:
    """Make a tree, and return its groups by name: `tree({"A": (100, {"B": 100}), "D": 200})`; the root is ""."""
    groups = {"": Group()}
    _plant(groups, groups[""], weights)
    return groups


def _plant(groups: dict[str, Group], parent: Group, weights: Weights) -> None:
    for name, value in weights.items():
        groups[name] = group = Group(name, parent)
        if isinstance(value, tuple):
            group.weight, below = value
            _plant(groups, group, below)
        else:
            group.weight = value


class Client(Node):
    """An entity with its jobs: their lengths, and who is called at their ends."""

    def __init__(self, name: str, group: Group | None, priority: Priority = Priority.NORMAL) -> None:
        super().__init__(name, priority)
        self.group = group
        self.jobs: deque[tuple[int, Callable[[], object] | None]] = deque()


class Device:
    """Runs the jobs of clients.

    Attributes:
        now_ns: the time.
        ran: who ran from when until when, for which group, in order.
        idle_ns: for how long there was nothing to do, until the last job began.
    """

    def __init__(self, credit_limit: int = 1) -> None:
        self.queue = HierarchicalWeight[Client]()
        self.now_ns = 0
        self.ran: list[tuple[Client, Group | None, int, int]] = []
        self.idle_ns = 0
        self._free_credits = credit_limit
        self._busy_until_ns = 0
        self._events: list[tuple[int, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._refill_due_ns = 0

    def at(self, when_ns: int, call: Callable[[], object]) -> None:
        """Call something at a time."""
        heappush(self._events, (when_ns, next(self._numbers), call))

    def push(self, client: Client, length_ns: int, done: Callable[[], object] | None = None) -> None:
        """Submit a job."""
        client.jobs.append((length_ns, done))
        if len(client.jobs) == 1:
            self.queue.join(client, self.now_ns, 1)
        self.at(self.now_ns, self._run)

    def change(self, call: Callable[[], object]) -> None:
        """Tell the run queue of a change, at this time."""
        call()
        self.at(self.now_ns, self._run)

    def saturate(self, client: Client, lengths_ns: Iterable[int], depth: int = 6) -> Client:
        """Have the client keep so many jobs submitted; with 1, it submits one when the one before is done."""
        lengths = iter(lengths_ns)

        def more() -> None:
            length_ns = next(lengths, None)
            if length_ns is not None:
                self.push(client, length_ns, more)

        for _ in range(depth):
            more()
        return client

    def run(self, until_ns: int) -> None:
        """Let time pass."""
        while self._events and self._events[0][0] <= until_ns:
            self.now_ns, _, call = heappop(self._events)
            call()
        self.now_ns = until_ns

    def percent(self, group: Group, since_ns: int = 0) -> float:
        """Tell what part of the time since then a group had, with those below."""
        within = set(group.walk())
        used_ns = sum(
            min(end, self.now_ns) - max(start, since_ns)
            for _, of, start, end in self.ran
            if of in within and end > since_ns and start < self.now_ns
        )
        return 100 * used_ns / (self.now_ns - since_ns)

    def _run(self) -> None:
        self._watch_caps()
        while (client := self.queue.select(self._free_credits)) is not None:
            self._start(client)
            self._watch_caps()
        assert not (self._free_credits and self.queue.any_ready), "somebody can run, and nobody is chosen"

    def _start(self, client: Client) -> None:
        length_ns, done = client.jobs.popleft()
        self.queue.pop(client, self.now_ns if client.jobs else None, 1 if client.jobs else None)
        self._free_credits -= 1
        start_ns = max(self.now_ns, self._busy_until_ns)
        self.idle_ns += start_ns - self._busy_until_ns
        self._busy_until_ns = start_ns + length_ns
        self.ran.append((client, client.group, start_ns, self._busy_until_ns))
        self.at(self._busy_until_ns, lambda: self._complete(client, length_ns, done))

    def _complete(self, client: Client, length_ns: int, done: Callable[[], object] | None) -> None:
        self._free_credits += 1
        self.queue.charge(client, length_ns)
        self._run()
        if done is not None:  # the client hears of it when the hardware has its next job already
            done()

    def _watch_caps(self) -> None:
        when_ns = self.queue.refill(self.now_ns)
        if when_ns is not None and not self.now_ns < self._refill_due_ns <= when_ns:
            assert when_ns > self.now_ns
            self._refill_due_ns = when_ns
            self.at(when_ns, self._run)
