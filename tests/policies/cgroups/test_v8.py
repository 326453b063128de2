"""Weights of `v8` and what the `fair` policy makes of them, with the faults that were found in it."""

from __future__ import annotations

import pytest

from fencepost.policies.cgroups.v8 import WHOLE, WeightedFair, relative_weights
from fencepost.policies.priority import Priority
from fencepost.policies.run_queue import Node, RunQueue
from tests.policies.cgroups.device import MS, Weights, tree


def relative(weights: Weights, clients: str) -> dict[str, int]:
    groups = tree(weights)
    found = relative_weights(groups[""], {groups[name]: 1 for name in clients})
    return {group.name: weight for group, weight in found.items()}


@pytest.mark.parametrize(
    ("weights", "clients", "expected"),
    [
        ({"A": 200, "B": 100, "C": 100}, "ABC", {"A": 512, "B": 256, "C": 256}),
        ({"A": 100, "B": 50}, "AB", {"A": 683, "B": 341}),
        ({"A": 100, "B": 50}, "A", {"A": 1024}),
        ({"A": 10_000, "B": 1}, "AB", {"A": 1024, "B": 0}),
        ({"A": (100, {"B": 100, "C": 100}), "D": 200}, "BCD", {"A": 341, "B": 512, "C": 512, "D": 683}),
        ({"A": (100, {"B": 100}), "D": 200}, "D", {"D": 1024}),
    ],
)
def test_a_weight_is_relative_to_siblings_with_clients(
    weights: Weights, clients: str, expected: dict[str, int]
) -> None:
    assert relative(weights, clients) == {"": 512, **expected}


def shares(*weights: int, jobs: int = 6000) -> list[float]:
    """Tell what part of as many equal jobs saturating entities of these weights get, in percent."""
    queue = RunQueue[Node](WeightedFair())
    nodes = [Node(str(weight)) for weight in weights]
    for node, weight in zip(nodes, weights, strict=True):
        node.cgroup_weight = weight
        queue.join(node, 0, 1)
    for _ in range(jobs):
        chosen = queue.select(1)
        assert chosen is not None
        queue.charge(chosen, MS)
        queue.pop(chosen, 0, 1)
    return [100 * node.runtime_ns / (jobs * MS) for node in nodes]


def test_three_groups_do_not_get_what_their_weights_ask_for() -> None:
    assert shares(512, 256, 256) == pytest.approx([150 / 3.5, 100 / 3.5, 100 / 3.5], abs=0.1)


def test_two_groups_do() -> None:
    assert shares(683, 341) == pytest.approx([200 / 3, 100 / 3], abs=0.1)


def test_time_stands_still_for_a_group_that_is_alone() -> None:
    assert shares(WHOLE, 512) == pytest.approx([100, 0], abs=0.1)


def test_each_entity_is_weighed_by_itself() -> None:
    assert shares(512, 512, 512) == pytest.approx([100 / 3] * 3, abs=0.1)


def test_priorities_count_as_before() -> None:
    policy, node = WeightedFair(), Node("low", Priority.LOW)
    node.cgroup_weight = 256
    node.runtime_ns = 1000
    assert policy.requeue_key(node) == (1000 << 7) * 3 // 4
    assert policy.requeue_key(node) == (1000 << 7) * 3 // 4
