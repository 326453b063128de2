"""Every policy, in run queues between which nodes move, against a list that is sorted anew each time.

The model is written from the rules alone: it shares no line with the implementation, and takes no care of cost.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,  # pyright: ignore[reportUnknownVariableType] - its parameters carry no types
)

from fencepost.policies.by_name import new_run_queue
from fencepost.policies.priority import Priority
from fencepost.policies.run_queue import Node

SPEED = {Priority.KERNEL: 2, Priority.HIGH: 4, Priority.NORMAL: 16, Priority.LOW: 128}


@dataclasses.dataclass
class Average:
    """In 64ths."""

    sum: int = 0

    def add(self, sample: int) -> None:
        self.sum = (self.sum * 3 + sample * 64) // 4 if self.sum else sample * 64

    def whole(self) -> int:
        return self.sum // 64


@dataclasses.dataclass(eq=False)
class Client:
    name: int
    priority: Priority = Priority.NORMAL
    home: ModelQueue | None = None
    cost: int | None = None  # of the head job, if it is ready
    submitted: int = 0
    key: tuple[int, int] = (0, 0)
    turn: int = 0
    used: int = 0
    settled: int = 0
    position: int = 0
    distance: int = 0
    lengths: Average = dataclasses.field(default_factory=Average)


@dataclasses.dataclass(eq=False)
class ModelQueue:
    policy: str
    members: list[Client] = dataclasses.field(default_factory=list[Client])  # in the order of insertion
    turn: int = 0
    lengths: Average = dataclasses.field(default_factory=Average)

    def order(self) -> list[Client]:
        return sorted(self.members, key=lambda client: client.key)

    def head(self) -> Client | None:
        return next(iter(self.order()), None)

    def select(self, free: int) -> Client | None:
        candidate = next((client for client in self.order() if client.cost is not None), None)
        return candidate if candidate and candidate.cost is not None and candidate.cost <= free else None

    def join(self, client: Client, submitted: int) -> None:
        client.submitted = submitted
        client.turn = min(client.turn, self.turn)
        client.position = self.start() + (client.distance or self.offset(client))
        self.insert(client, None)

    def pop(self, client: Client, submitted: int | None, cost: int | None) -> None:
        if submitted is None:
            self.leave(client)
            return
        self.members.remove(client)
        self.turn += 1
        client.turn = self.turn
        client.submitted = submitted
        client.position += (client.used - client.settled) * SPEED[client.priority]
        client.settled = client.used
        self.insert(client, cost)

    def leave(self, client: Client) -> None:
        self.members.remove(client)
        client.home = None
        client.cost = None
        start = self.start()
        client.distance = client.position - start if start != 0 and client.position > start else 0

    def charge(self, client: Client, duration: int) -> None:
        client.used += max(0, duration)
        client.lengths.add(max(0, duration) // 1000)
        self.lengths.add(max(0, duration) // 1000)

    def insert(self, client: Client, cost: int | None) -> None:
        client.key = {
            "rr": (client.priority.value, client.turn),
            "fifo": (client.priority.value, client.submitted),
            "fair": (0, client.position),
        }[self.policy]
        client.home = self
        client.cost = cost
        self.members.append(client)

    def start(self) -> int:
        head = self.head()
        return head.position if head else 0

    def offset(self, client: Client) -> int:
        head = self.head()
        if head is None:
            return 0
        if client.priority > head.priority:
            wait_us = 1 + client.lengths.whole() + self.lengths.whole()
            return wait_us * 1000 * SPEED[client.priority]
        if client.priority < head.priority:
            return -(head.priority - client.priority)
        return -1 if client.lengths.whole() <= self.lengths.whole() else 1


CLIENTS = st.integers(0, 4)
QUEUES = st.integers(0, 1)
COSTS = st.integers(1, 3)
TIMES = st.integers(0, 4)
NEXT_JOBS = st.tuples(TIMES, st.none() | COSTS) | st.just((None, None))
DURATIONS = st.sampled_from([-5, 0, 1, 999, 1000, 5_000, 80_000, 1_000_000])


class AgainstModel(RuleBasedStateMachine):
    policy: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.queues = [new_run_queue(self.policy) for _ in range(2)]
        self.models = [ModelQueue(self.policy) for _ in range(2)]
        self.nodes = [Node(str(name)) for name in range(5)]
        self.clients = [Client(name) for name in range(5)]

    @rule(which=CLIENTS, priority=st.sampled_from(Priority))
    def set_priority(self, which: int, priority: Priority) -> None:
        self.nodes[which].priority = self.clients[which].priority = priority

    @rule(where=QUEUES, which=CLIENTS, submitted=TIMES)
    def join(self, where: int, which: int, submitted: int) -> None:
        if self.clients[which].home is not None:
            with pytest.raises(ValueError, match="already"):
                self.queues[where].join(self.nodes[which], submitted)
            return
        self.queues[where].join(self.nodes[which], submitted)
        self.models[where].join(self.clients[which], submitted)

    @rule(where=QUEUES, which=CLIENTS, cost=COSTS)
    def wake(self, where: int, which: int, cost: int) -> None:
        client = self.clients[which]
        if client.home is not self.models[where] or client.cost is not None:
            with pytest.raises(ValueError, match="blocked"):
                self.queues[where].wake(self.nodes[which], cost)
            return
        self.queues[where].wake(self.nodes[which], cost)
        client.cost = cost

    @rule(where=QUEUES, free=COSTS, following=NEXT_JOBS)
    def take_the_selected(self, where: int, free: int, following: tuple[int | None, int | None]) -> None:
        node = self.queues[where].select(free)
        if node is not None:
            self.queues[where].pop(node, *following)
            self.models[where].pop(self.clients[int(node.name)], *following)

    @rule(where=QUEUES, which=CLIENTS, following=NEXT_JOBS)
    def take_any(self, where: int, which: int, following: tuple[int | None, int | None]) -> None:
        client = self.clients[which]
        if client.home is not self.models[where] or client.cost is None:
            with pytest.raises(ValueError, match="ready"):
                self.queues[where].pop(self.nodes[which], *following)
            return
        self.queues[where].pop(self.nodes[which], *following)
        self.models[where].pop(client, *following)

    @rule(where=QUEUES, which=CLIENTS)
    def leave(self, where: int, which: int) -> None:
        self.queues[where].leave(self.nodes[which])
        if self.clients[which].home is self.models[where]:
            self.models[where].leave(self.clients[which])

    @rule(where=QUEUES, which=CLIENTS, duration=DURATIONS)
    def charge(self, where: int, which: int, duration: int) -> None:
        self.queues[where].charge(self.nodes[which], duration)
        self.models[where].charge(self.clients[which], duration)

    @invariant()
    def they_agree(self) -> None:
        for queue, model in zip(self.queues, self.models, strict=True):
            assert [queue.select(free) for free in range(4)] == [self.node(model.select(free)) for free in range(4)]
            assert queue.head is self.node(model.head())
            assert {node for node in self.nodes if node in queue} == set(map(self.node, model.members))
            assert len(queue) == len(model.members)
            assert queue.statistics().ready == sum(client.cost is not None for client in model.members)

    def teardown(self) -> None:
        """Empty both run queues: the whole order must be right, not only its left end."""
        for queue, model in zip(self.queues, self.models, strict=True):
            for client in model.order():
                assert queue.head is self.node(client)
                queue.leave(self.nodes[client.name])

    def node(self, client: Client | None) -> Node | None:
        return None if client is None else self.nodes[client.name]


class RoundRobinAgainstModel(AgainstModel):
    policy = "rr"


class FifoAgainstModel(AgainstModel):
    policy = "fifo"


class FairAgainstModel(AgainstModel):
    policy = "fair"


@pytest.mark.parametrize("machine", [RoundRobinAgainstModel, FifoAgainstModel, FairAgainstModel])
def test_run_queues_agree_with_the_model(machine: type[AgainstModel]) -> None:
    enough = settings(max_examples=100, stateful_step_count=50, suppress_health_check=[HealthCheck.too_slow])
    run_state_machine_as_test(machine, settings=enough)
