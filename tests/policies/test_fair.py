from __future__ import annotations

from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fencepost.policies.fair import Fair
from fencepost.policies.priority import Priority
from fencepost.policies.run_queue import Node, RunQueue

KERNEL, HIGH, NORMAL, LOW = Priority
SHIFT = {KERNEL: 1, HIGH: 2, NORMAL: 4, LOW: 7}
MS = 1_000_000


def at(vruntime_ns: int, priority: Priority = NORMAL, name: str = "leftmost") -> Node:
    node = Node(name, priority)
    node.vruntime_ns = vruntime_ns
    return node


def add(queue: RunQueue[Node], *nodes: Node) -> None:
    for node in nodes:
        queue.join(node, 0)
        queue.wake(node, 1)


# --- charging


@pytest.mark.parametrize("priority", Priority)
def test_gpu_time_is_scaled_by_priority_when_a_job_is_left_behind(priority: Priority) -> None:
    queue, node = RunQueue[Node](Fair()), Node("n", priority)
    add(queue, node)
    queue.charge(node, 1000)
    queue.pop(node, 0, 1)
    assert node.vruntime_ns == {KERNEL: 2000, HIGH: 4000, NORMAL: 16_000, LOW: 128_000}[priority]


def test_gpu_time_is_settled_once() -> None:
    queue, node = RunQueue[Node](Fair()), Node("n")
    add(queue, node)
    queue.charge(node, 1000)
    queue.pop(node, 0, 1)
    queue.pop(node, 0, 1)
    assert node.vruntime_ns == 16_000
    queue.charge(node, 10)
    queue.pop(node, 0, 1)
    assert node.vruntime_ns == 16_160


def test_a_new_priority_scales_all_that_is_not_settled() -> None:
    queue, node = RunQueue[Node](Fair()), Node("n", LOW)
    add(queue, node)
    queue.charge(node, 1000)
    node.priority = KERNEL
    queue.pop(node, 0, 1)
    assert node.vruntime_ns == 2000


def test_gpu_time_stays_owed_when_the_queue_runs_empty() -> None:
    queue, node = RunQueue[Node](Fair()), Node("n")
    for _ in range(3):
        add(queue, node)
        queue.pop(node, None, None)
        queue.charge(node, 1000)
    assert (node.runtime_ns, node.charged_ns, node.relative_vruntime_ns) == (3000, 0, 0)
    add(queue, node)
    assert node.vruntime_ns == 0
    queue.pop(node, 0, 1)
    assert node.vruntime_ns == 3000 << 4


# --- leaving and coming back


@pytest.mark.parametrize(
    ("vruntime_ns", "leftmost", "expected"),
    [
        pytest.param(700, at(500), 200, id="behind the leftmost"),
        pytest.param(500, at(500), 0, id="level with it"),
        pytest.param(300, at(500), 0, id="ahead of it"),
        pytest.param(5, at(-3), 8, id="behind a negative one"),
        pytest.param(-7, at(-3), 0, id="ahead of a negative one"),
        pytest.param(700, at(0), 0, id="a leftmost at zero counts as none"),
        pytest.param(700, None, 0, id="nobody left"),
    ],
)
def test_a_leaving_node_keeps_its_distance(vruntime_ns: int, leftmost: Node | None, expected: int) -> None:
    node = at(vruntime_ns, name="n")
    node.relative_vruntime_ns = 12_345
    Fair().removed(node, leftmost)
    assert node.relative_vruntime_ns == expected


def test_the_distance_is_taken_from_the_leftmost_of_the_others() -> None:
    queue, node, other = RunQueue[Node](Fair()), Node("n"), Node("other")
    add(queue, node, other)
    for used, ns in ((node, 100), (other, 70)):
        queue.charge(used, ns)
        queue.pop(used, 0, 1)
    assert (node.vruntime_ns, other.vruntime_ns) == (1600, 1119)  # the other one joined at -1
    queue.pop(other, None, None)
    assert other.relative_vruntime_ns == 0  # ahead of the only one left
    add(queue, other)
    queue.pop(node, None, None)
    assert node.relative_vruntime_ns == 1  # the other one joined just ahead of it


def test_a_node_without_a_distance_joins_an_empty_run_queue_at_zero() -> None:
    assert Fair().join_key(Node("n"), None) == 0


@pytest.mark.parametrize(
    ("leftmost", "expected"),
    [
        pytest.param(None, 500, id="empty run queue"),
        pytest.param(at(1000), 1500, id="equal priority"),
        pytest.param(at(1000, LOW), 1500, id="leftmost less important"),
        pytest.param(at(1000, KERNEL), 1500, id="leftmost more important"),
        pytest.param(at(-800), -300, id="leftmost negative"),
    ],
)
def test_a_node_with_a_distance_comes_back_at_it(leftmost: Node | None, expected: int) -> None:
    node = Node("n")
    node.relative_vruntime_ns = 500
    assert Fair().join_key(node, leftmost) == expected
    assert node.vruntime_ns == expected


@pytest.mark.parametrize(
    ("priority", "leftmost", "expected"),
    [
        pytest.param(HIGH, KERNEL, 1000 + (1000 << 2), id="less important: HIGH behind KERNEL"),
        pytest.param(NORMAL, HIGH, 1000 + (1000 << 4), id="less important: NORMAL behind HIGH"),
        pytest.param(LOW, NORMAL, 1000 + (1000 << 7), id="less important: LOW behind NORMAL"),
        pytest.param(LOW, KERNEL, 1000 + (1000 << 7), id="less important: the gap does not matter"),
        pytest.param(NORMAL, LOW, 999, id="more important by one"),
        pytest.param(HIGH, LOW, 998, id="more important by two"),
        pytest.param(KERNEL, LOW, 997, id="more important by three"),
        pytest.param(NORMAL, NORMAL, 999, id="equal, no job seen yet"),
    ],
)
def test_a_node_without_a_distance_joins_near_the_leftmost(
    priority: Priority, leftmost: Priority, expected: int
) -> None:
    assert Fair().join_key(Node("n", priority), at(1000, leftmost)) == expected


@pytest.mark.parametrize(
    ("priority", "own_us", "other_us", "expected"),
    [
        pytest.param(NORMAL, 100, 300, -1, id="equal priority, jobs shorter than average"),
        pytest.param(NORMAL, 100, 100, -1, id="equal priority, jobs as long as average"),
        pytest.param(NORMAL, 300, 100, +1, id="equal priority, jobs longer than average"),
        pytest.param(HIGH, 300, 100, -1, id="more important, whatever its jobs"),
        pytest.param(LOW, 300, 100, (1 + 300 + 250) * 1000 << 7, id="less important, behind both averages"),
    ],
)
def test_the_lengths_of_jobs_seen_so_far_matter(priority: Priority, own_us: int, other_us: int, expected: int) -> None:
    fair, node = Fair(), Node("n", priority)
    fair.job_finished(node, own_us * 1000 + 999)
    fair.job_finished(Node("other"), other_us * 1000)
    assert fair.join_key(node, at(0)) == expected


def test_a_negative_key_is_left_of_zero() -> None:
    queue, first, second = RunQueue[Node](Fair()), Node("first"), Node("second")
    add(queue, first, second)
    assert (first.vruntime_ns, second.vruntime_ns) == (0, -1)
    assert queue.head is second


def test_a_node_keeps_its_place_when_it_moves_to_another_run_queue() -> None:
    here, there, node, other = RunQueue[Node](Fair()), RunQueue[Node](Fair()), Node("n"), Node("other")
    other.relative_vruntime_ns = 5
    add(here, node, other)
    here.charge(node, 100)
    here.pop(node, 0, 1)
    assert (node.vruntime_ns, other.vruntime_ns) == (1600, 5)
    here.leave(node)
    add(there, node)
    assert node.vruntime_ns == 1595


def test_a_blocked_node_keeps_its_virtual_time() -> None:
    queue, node = RunQueue[Node](Fair()), Node("n")
    add(queue, node, Node("other"))
    queue.charge(node, MS)
    queue.pop(node, 0, None)
    assert node.vruntime_ns == MS << 4
    queue.wake(node, 1)
    assert node.vruntime_ns == MS << 4


def test_a_big_job_holds_up_those_behind_it() -> None:
    queue, big, small = RunQueue[Node](Fair()), Node("big", HIGH), Node("small")
    queue.join(big, 0)
    queue.wake(big, 3)
    add(queue, small)
    assert queue.select(2) is None
    assert queue.select(3) is big


# --- shares


def saturate(queue: RunQueue[Node], durations_ns: dict[Node, list[int]], jobs: int) -> None:
    """Run an engine with one slot, whose clients always have another job."""
    add(queue, *durations_ns)
    lengths = {node: cycle(each) for node, each in durations_ns.items()}
    for _ in range(jobs):
        node = queue.select(1)
        assert node is not None
        queue.pop(node, 0, 1)
        queue.charge(node, next(lengths[node]))


@pytest.mark.parametrize(
    ("more", "less", "ratio"),
    [
        (KERNEL, HIGH, 2),
        (HIGH, NORMAL, 4),
        (NORMAL, LOW, 8),
        (HIGH, LOW, 32),
        (KERNEL, LOW, 64),
        (LOW, LOW, 1),
    ],
)
@pytest.mark.parametrize("lengths", [(MS, MS), (3 * MS, MS), (MS, 3 * MS)])
def test_two_busy_nodes_share_the_engine_by_priority(
    more: Priority, less: Priority, ratio: int, lengths: tuple[int, int]
) -> None:
    first, second = Node("more", more), Node("less", less)
    saturate(RunQueue[Node](Fair()), {first: [lengths[0]], second: [lengths[1]]}, jobs=200 * (ratio + 1))
    assert 0.95 * ratio < first.runtime_ns / second.runtime_ns < 1.05 * ratio


clients = st.lists(
    st.tuples(st.sampled_from(Priority), st.lists(st.integers(MS // 10, MS), min_size=1, max_size=5)),
    min_size=2,
    max_size=5,
)


@given(clients)
def test_no_busy_node_falls_far_behind_another(clients: list[tuple[Priority, list[int]]]) -> None:
    """The time of the newest job is settled one pop late, so the lead is below two jobs, plus the offset at join."""
    nodes = {Node(str(index), priority): lengths for index, (priority, lengths) in enumerate(clients)}
    saturate(RunQueue[Node](Fair()), nodes, jobs=500)
    used = [node.runtime_ns << SHIFT[node.priority] for node in nodes]
    longest = max(max(lengths) << SHIFT[node.priority] for node, lengths in nodes.items())
    assert max(used) - min(used) <= 2 * longest + len(nodes) * (1000 << SHIFT[LOW])


def test_the_least_important_node_gets_through_a_crowd_of_the_most_important() -> None:
    crowd, low = [Node(str(index), KERNEL) for index in range(20)], Node("low", LOW)
    saturate(RunQueue[Node](Fair()), {node: [MS] for node in [*crowd, low]}, jobs=2 * 20 * 64)
    assert low.runtime_ns >= MS


def test_a_client_that_is_always_back_in_time_is_never_settled_and_starves_its_equals() -> None:
    """The limit that the module states."""
    queue, busy, synchronous = RunQueue[Node](Fair()), Node("busy"), Node("synchronous")
    add(queue, busy)
    queue.charge(busy, MS)
    queue.pop(busy, 0, 1)
    for _ in range(100):
        add(queue, synchronous)
        assert queue.select(1) is synchronous
        queue.pop(synchronous, None, None)
        queue.charge(synchronous, MS // 2)
