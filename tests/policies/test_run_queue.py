from __future__ import annotations

import math
from typing import ClassVar

import pytest

from fencepost.policies.priority import Priority
from fencepost.policies.run_queue import Key, Node, Policy, RunQueue, RunQueueStatistics


class BySubmit(Policy):
    """Orders by submit time alone, and writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str | int | None]] = []

    def join_key(self, node: Node, head: Node | None, /) -> Key:
        self.told.append(("join", node.name, head.name if head else None))
        return node.submit_ns

    def requeue_key(self, node: Node, /) -> Key:
        self.told.append(("requeue", node.name, node.submit_ns))
        return node.submit_ns

    def removed(self, node: Node, head: Node | None, /) -> None:
        self.told.append(("removed", node.name, head.name if head else None))

    def job_finished(self, node: Node, duration_ns: int, /) -> None:
        self.told.append(("finished", node.name, duration_ns))


@pytest.fixture
def policy() -> BySubmit:
    return BySubmit()


@pytest.fixture
def queue(policy: BySubmit) -> RunQueue[Node]:
    return RunQueue[Node](policy)


def ready(queue: RunQueue[Node], name: str, submit_ns: int = 0, cost: int = 1) -> Node:
    node = blocked(queue, name, submit_ns)
    queue.wake(node, cost)
    return node


def blocked(queue: RunQueue[Node], name: str, submit_ns: int = 0) -> Node:
    node = Node(name)
    queue.join(node, submit_ns)
    return node


# --- one node


def test_an_empty_run_queue_has_no_head_and_selects_nothing(queue: RunQueue[Node]) -> None:
    assert (len(queue), queue.head, queue.select(100)) == (0, None, None)


def test_a_node_that_joined_is_a_member_and_blocked(queue: RunQueue[Node]) -> None:
    node = blocked(queue, "n")
    assert node in queue
    assert (len(queue), queue.head, queue.select(100)) == (1, node, None)


def test_a_node_that_woke_is_selected_until_it_is_popped(queue: RunQueue[Node]) -> None:
    node = ready(queue, "n")
    assert queue.select(1) is node
    assert queue.select(1) is node


def test_a_node_without_another_job_leaves(queue: RunQueue[Node]) -> None:
    node = ready(queue, "n")
    queue.pop(node, None, None)
    assert node not in queue
    assert (len(queue), queue.head, queue.select(100)) == (0, None, None)


def test_a_node_whose_next_job_is_not_ready_is_blocked(queue: RunQueue[Node]) -> None:
    node = ready(queue, "n")
    queue.pop(node, 1, None)
    assert (queue.head, queue.select(100)) == (node, None)
    queue.wake(node, 1)
    assert queue.select(1) is node


def test_a_node_whose_next_job_is_ready_stays_ready_at_the_new_cost(queue: RunQueue[Node]) -> None:
    node = ready(queue, "n", cost=1)
    queue.pop(node, 1, 5)
    assert (queue.select(4), queue.select(5)) == (None, node)


@pytest.mark.parametrize("wakes", [False, True])
def test_a_node_that_left_is_gone_until_it_joins_again(queue: RunQueue[Node], *, wakes: bool) -> None:
    node = ready(queue, "n") if wakes else blocked(queue, "n")
    queue.leave(node)
    assert node not in queue
    assert not node.ready
    assert (len(queue), queue.head, queue.select(100)) == (0, None, None)
    queue.join(node, 0)
    assert (len(queue), queue.head, queue.select(100)) == (1, node, None)


def test_leaving_without_being_a_member_does_nothing(queue: RunQueue[Node], policy: BySubmit) -> None:
    elsewhere = RunQueue[Node](BySubmit())
    node = ready(elsewhere, "n")
    queue.leave(node)
    queue.leave(Node("new"))
    assert node in elsewhere
    assert policy.told == []


def test_a_node_tells_its_name_priority_and_state(queue: RunQueue[Node]) -> None:
    node = Node("glxgears", Priority.HIGH)
    assert repr(node) == "<Node 'glxgears' HIGH outside>"
    queue.join(node, 0)
    assert repr(node) == "<Node 'glxgears' HIGH blocked>"
    queue.wake(node, 1)
    assert repr(node) == "<Node 'glxgears' HIGH ready>"


# --- mistakes of the owner


def test_a_member_cannot_join_again(queue: RunQueue[Node]) -> None:
    node = blocked(queue, "n")
    with pytest.raises(ValueError, match="member of a run queue already"):
        queue.join(node, 0)
    with pytest.raises(ValueError, match="member of a run queue already"):
        RunQueue[Node](BySubmit()).join(node, 0)


def test_only_a_blocked_member_can_wake(queue: RunQueue[Node]) -> None:
    for node in (Node("outside"), blocked(RunQueue[Node](BySubmit()), "elsewhere"), ready(queue, "awake")):
        with pytest.raises(ValueError, match="not a blocked member"):
            queue.wake(node, 1)


def test_only_a_ready_member_can_be_popped(queue: RunQueue[Node]) -> None:
    for node in (Node("outside"), ready(RunQueue[Node](BySubmit()), "elsewhere"), blocked(queue, "blocked")):
        with pytest.raises(ValueError, match="not a ready member"):
            queue.pop(node, None, None)


# --- order


def test_the_ready_node_with_the_smallest_key_is_selected(queue: RunQueue[Node]) -> None:
    ready(queue, "late", 30)
    early = ready(queue, "early", 10)
    ready(queue, "middle", 20)
    assert queue.select(1) is early


def test_blocked_nodes_are_passed_over_but_can_be_the_head(queue: RunQueue[Node]) -> None:
    waiting = blocked(queue, "waiting", 1)
    node = ready(queue, "n", 2)
    assert (queue.head, queue.select(1)) == (waiting, node)


def test_a_big_job_blocks_the_smaller_ones_behind_it(queue: RunQueue[Node]) -> None:
    big = ready(queue, "big", 1, cost=4)
    ready(queue, "small", 2, cost=1)
    assert (queue.select(3), queue.select(4)) == (None, big)


def test_a_small_job_is_taken_before_a_big_one_behind_it(queue: RunQueue[Node]) -> None:
    small = ready(queue, "small", 1, cost=1)
    ready(queue, "big", 2, cost=4)
    assert queue.select(3) is small


def test_equal_keys_are_served_in_the_order_of_insertion_not_of_waking(queue: RunQueue[Node]) -> None:
    nodes = [blocked(queue, str(index)) for index in range(5)]
    for index in (3, 0, 4, 2, 1):
        queue.wake(nodes[index], 1)
    order: list[Node | None] = []
    for _ in nodes:
        order.append(node := queue.select(1))
        assert node is not None
        queue.pop(node, None, None)
    assert order == nodes


def test_the_head_of_equal_keys_is_the_first_inserted_ready_or_not(queue: RunQueue[Node]) -> None:
    first, second = blocked(queue, "first"), ready(queue, "second")
    assert queue.head is first
    queue.wake(first, 1)
    assert queue.head is first
    queue.pop(first, 0, None)
    assert queue.head is second


def test_any_ready_member_may_be_popped_not_only_the_leftmost(queue: RunQueue[Node]) -> None:
    first, second = ready(queue, "first", 1), ready(queue, "second", 2)
    queue.pop(second, 0, 1)
    assert queue.select(1) is second
    queue.pop(second, None, None)
    assert queue.select(1) is first


def test_a_moved_node_is_only_where_it_is_now(queue: RunQueue[Node]) -> None:
    """It has the same key and number in both run queues, and its stale entry in the first is not on top."""
    elsewhere = RunQueue[Node](BySubmit())
    first, node = ready(queue, "first", 1), ready(queue, "n", 2)
    ready(elsewhere, "first elsewhere", 1)
    queue.leave(node)
    elsewhere.join(node, 2)
    elsewhere.wake(node, 1)
    queue.leave(first)
    assert (queue.head, queue.select(1)) == (None, None)
    assert node in elsewhere


# --- what the policy is told


def test_the_head_that_the_policy_sees_never_is_the_node_itself(queue: RunQueue[Node], policy: BySubmit) -> None:
    a, b = ready(queue, "a", 1), ready(queue, "b", 2)
    queue.pop(a, 3, 1)
    queue.pop(b, None, None)
    queue.leave(a)
    assert policy.told == [
        ("join", "a", None),
        ("join", "b", "a"),
        ("requeue", "a", 3),
        ("removed", "b", "a"),
        ("removed", "a", None),
    ]


def test_gpu_time_is_accounted_to_members_and_others(queue: RunQueue[Node], policy: BySubmit) -> None:
    node = Node("n")
    queue.charge(node, 7)
    queue.join(node, 0)
    queue.charge(node, 3)
    assert node.runtime_ns == 10
    assert policy.told == [("finished", "n", 7), ("join", "n", None), ("finished", "n", 3)]


def test_a_negative_duration_counts_as_zero(queue: RunQueue[Node], policy: BySubmit) -> None:
    node = Node("n")
    queue.charge(node, 5)
    queue.charge(node, -3)
    assert node.runtime_ns == 5
    assert policy.told[-1] == ("finished", "n", 0)


# --- cost


class CountedKey(int):
    """A key that counts how often any of its kind is compared."""

    comparisons: ClassVar[int] = 0
    __hash__ = int.__hash__

    def __lt__(self, other: int) -> bool:
        CountedKey.comparisons += 1
        return super().__lt__(other)

    def __eq__(self, other: object) -> bool:
        CountedKey.comparisons += 1
        return super().__eq__(other)


class Counted(Policy):
    def join_key(self, node: Node, _head: Node | None, /) -> Key:
        return CountedKey(node.submit_ns)

    def requeue_key(self, node: Node, /) -> Key:
        return CountedKey(node.submit_ns)


def test_a_job_costs_log_n_comparisons_behind_thousands_of_blocked_nodes() -> None:
    members, jobs = 10_000, 3_000
    queue = RunQueue[Node](Counted())
    for submit_ns in range(members // 2):
        blocked(queue, "blocked", submit_ns)
    for submit_ns in range(members // 2, members):
        ready(queue, "ready", submit_ns)
    CountedKey.comparisons = 0
    for submit_ns in range(members, members + jobs):
        node = queue.select(1)
        assert node is not None
        queue.pop(node, submit_ns, None)
        queue.wake(node, 1)
        assert queue.head is not None
    assert CountedKey.comparisons / jobs < 6 * math.log2(members)


def test_stale_entries_do_not_pile_up(queue: RunQueue[Node]) -> None:
    nodes = [ready(queue, str(index), index) for index in range(100)]
    for submit_ns in range(100, 2_000):
        for node in nodes[::7]:
            queue.pop(node, submit_ns, None)
            queue.wake(node, 1)
        assert queue.statistics().stale <= len(queue) + 64


def test_a_sweep_keeps_the_order(queue: RunQueue[Node]) -> None:
    nodes = [ready(queue, str(index), index * 37 % 101) for index in range(101)]
    for leaving in nodes[::2]:
        queue.leave(leaving)
    for submit_ns in range(300):  # each leaves a stale entry
        queue.pop(nodes[1], submit_ns, 1)
    order: list[int] = []
    while (node := queue.select(1)) is not None:
        order.append(node.submit_ns)
        queue.pop(node, None, None)
    assert len(order) == 50
    assert order == sorted(order)


def test_statistics_count_what_is_held(queue: RunQueue[Node]) -> None:
    blocked(queue, "a")
    node = ready(queue, "b")
    blocked(queue, "c")
    assert queue.statistics() == RunQueueStatistics(ready=1, blocked=2, stale=1)  # b was blocked before it woke
    queue.leave(node)
    assert queue.statistics() == RunQueueStatistics(ready=0, blocked=2, stale=1)  # of b's two, the one on top is gone
