"""Hierarchical weights against what is due by the rules alone, worked out with fractions and no care for cost."""

from __future__ import annotations

import dataclasses
import itertools
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,  # pyright: ignore[reportUnknownVariableType] - its parameters carry no types
)

from fencepost.policies.cgroups.hweight import HierarchicalWeight
from fencepost.policies.group import DEFAULT_WEIGHT, Group
from fencepost.policies.run_queue import Node
from tests.policies.cgroups.device import MS, Client, Device, Weights, tree


def due(group: Group, wanting: dict[Group, int], whole: Fraction = Fraction(1)) -> dict[Group, Fraction]:
    """Divide a group's time among those below who want something, and itself if it has entities of its own."""
    weights: dict[Group, int] = {
        child: child.weight for child in group.children.values() if any(wanting.get(each) for each in child.walk())
    }
    own = DEFAULT_WEIGHT if wanting.get(group) else 0
    total = sum(weights.values()) + own
    shares = {group: whole * own / total} if own else {}
    for child, weight in weights.items():
        shares |= due(child, wanting, whole * weight / total)
    return shares


@st.composite
def weights(draw: st.DrawFn, depth: int = 3) -> Weights:
    count = draw(st.integers(1, 3))
    below: Weights = draw(weights(depth - 1)) if depth > 1 and draw(st.booleans()) else {}
    parts = {f"{depth}.{number}": draw(st.sampled_from([1, 10, 50, 100, 200, 1000])) for number in range(count)}
    return {**parts, f"{depth}": (draw(st.integers(1, 300)), below)}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plan=weights(), counts=st.lists(st.integers(0, 4), min_size=12, max_size=12), credit_limit=st.integers(1, 3),
       lengths=st.lists(st.integers(1, 8), min_size=1, max_size=4))  # fmt: skip
def test_saturated_trees_get_what_is_due(
    plan: Weights, counts: list[int], credit_limit: int, lengths: list[int]
) -> None:
    groups, device = tree(plan), Device(credit_limit)
    wanting = dict(zip(groups.values(), counts, strict=False))
    if not any(wanting.values()):
        return
    for group, count in wanting.items():
        for number in range(count):
            jobs = itertools.cycle(length * MS // 2 for length in lengths[number:] + lengths[:number])
            device.saturate(Client(f"{group.path}:{number}", group), jobs)
    device.run(4000 * MS)
    assert device.idle_ns == 0
    had = {group: Fraction(0) for group in wanting}
    for _, of, start, end in device.ran:
        assert of is not None
        had[of] += Fraction(min(end, device.now_ns) - start, device.now_ns)
    for group, share in due(groups[""], wanting).items():
        assert float(had[group]) == pytest.approx(float(share), abs=0.01), group


@dataclasses.dataclass(eq=False)
class ModelNode:
    """What is known of a node: where it is, what is ready, and for whom it has jobs under way."""

    group: Group
    member: bool = False
    ready: bool = False
    running: list[Group] = dataclasses.field(default_factory=list[Group])


COSTS = st.none() | st.integers(1, 3)


class AnyCalls(RuleBasedStateMachine):
    """Random calls that fit: nothing is lost or counted twice, and whoever can run is found."""

    def __init__(self) -> None:
        super().__init__()
        self.groups = list(tree({"A": (100, {"B": 1, "C": (10_000, {"D": 50})}), "E": 7}).values())
        self.queue = HierarchicalWeight[Node]()
        self.nodes = [Node(str(number)) for number in range(6)]
        self.models = [ModelNode(self.groups[0]) for _ in self.nodes]
        self.used = dict.fromkeys(self.groups, 0)
        self.capped: set[Group] = set()
        self.now_ns = 0

    @rule(which=st.integers(0, 5), cost=COSTS)
    def join(self, which: int, cost: int | None) -> None:
        model = self.models[which]
        if not model.member:
            self.queue.join(self.nodes[which], 0, cost)
            model.member, model.ready = True, cost is not None

    @rule(which=st.integers(0, 5))
    def wake(self, which: int) -> None:
        model = self.models[which]
        if model.member and not model.ready:
            self.queue.wake(self.nodes[which], 1)
            model.ready = True

    @rule(last=st.booleans(), cost=COSTS)
    def take(self, last: bool, cost: int | None) -> None:  # noqa: FBT001 - drawn
        node = self.queue.select(3)
        if node is not None:
            self.pop(node, last, cost)

    @rule(which=st.integers(0, 5), last=st.booleans(), cost=COSTS)
    def take_any(self, which: int, last: bool, cost: int | None) -> None:  # noqa: FBT001 - drawn
        if self.models[which].ready:
            self.pop(self.nodes[which], last, cost)

    def pop(self, node: Node, last: bool, cost: int | None) -> None:  # noqa: FBT001 - drawn
        model = self.models[int(node.name)]
        self.queue.pop(node, None if last else 0, None if last else cost)
        model.running.append(model.group)
        model.member, model.ready = not last, not last and cost is not None

    @rule(which=st.integers(0, 5), duration=st.sampled_from([-1, 0, 1, MS, 5 * MS, 3000 * MS]))
    def charge(self, which: int, duration: int) -> None:
        model = self.models[which]
        if model.running:
            self.queue.charge(self.nodes[which], duration)
            group: Group | None = model.running.pop(0)
            while group is not None:
                self.used[group] += max(duration, 0)
                group = group.parent

    @rule(which=st.integers(0, 5))
    def drop(self, which: int) -> None:
        model = self.models[which]
        if model.running:
            self.queue.drop(self.nodes[which])
            model.running.pop(0)

    @rule(which=st.integers(0, 5))
    def leave(self, which: int) -> None:
        self.queue.leave(self.nodes[which])
        self.models[which].member = self.models[which].ready = False

    @rule(which=st.integers(0, 5), where=st.integers(0, 5))
    def move(self, which: int, where: int) -> None:
        self.queue.move(self.nodes[which], self.groups[where])
        self.models[which].group = self.groups[where]

    @rule(which=st.integers(0, 5), weight=st.sampled_from([1, 100, 10_000]))
    def set_weight(self, which: int, weight: int) -> None:
        self.queue.set_weight(self.groups[which], weight)

    @rule(which=st.integers(1, 5), share=st.none() | st.just(Fraction(1, 100)))
    def set_max_share(self, which: int, share: Fraction | None) -> None:
        self.queue.set_max_share(self.groups[which], share)
        (self.capped.discard if share is None else self.capped.add)(self.groups[which])

    @rule(ms=st.integers(0, 5000))
    def wait(self, ms: int) -> None:
        self.now_ns += ms * MS
        when_ns = self.queue.refill(self.now_ns)
        assert when_ns is None or when_ns > self.now_ns

    def wait_for_caps(self) -> None:
        self.now_ns += 10**15
        assert self.queue.refill(self.now_ns) is None

    def teardown(self) -> None:
        """Take everything there is, as it is due; and account it: then nothing is left."""
        for which in range(6):
            while self.models[which].running:
                self.drop(which)
        self.wait_for_caps()
        while (node := self.queue.select(3)) is not None:
            self.pop(node, True, None)
            # What is taken is paid for by an estimate, which may hold the group back again.
            self.wait_for_caps()
        assert not any(model.ready for model in self.models)

    @invariant()
    def they_agree(self) -> None:
        queue = self.queue
        assert [node in queue for node in self.nodes] == [model.member for model in self.models]
        assert len(queue) == sum(model.member for model in self.models)
        assert queue.statistics().ready == sum(model.ready for model in self.models)
        if not self.capped:
            assert queue.any_ready == any(model.ready for model in self.models)
        assert (queue.select(3) is not None) == queue.any_ready
        assert (queue.head is None) == (len(queue) == 0)
        for group in self.groups[1:]:
            statistics = queue.group_statistics(group)
            assert statistics.runtime_ns == self.used[group]
            below = set(group.walk())
            assert statistics.running == sum(each in below for model in self.models for each in model.running)


def test_any_calls_keep_the_accounts_right() -> None:
    enough = settings(max_examples=150, stateful_step_count=60, suppress_health_check=[HealthCheck.too_slow])
    run_state_machine_as_test(AnyCalls, settings=enough)
