from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fencepost.policies.fifo import Fifo
from fencepost.policies.priority import Priority
from fencepost.policies.run_queue import Node, RunQueue


def add(queue: RunQueue[Node], name: str, submit_ns: int, priority: Priority = Priority.NORMAL, cost: int = 1) -> Node:
    node = Node(name, priority)
    queue.join(node, submit_ns)
    queue.wake(node, cost)
    return node


@given(st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=8).map(sorted), min_size=1, max_size=6))
def test_jobs_are_taken_by_submit_time_whoever_submitted_them(clients: list[list[int]]) -> None:
    queue = RunQueue[Node](Fifo())
    jobs = {add(queue, f"client {index}", times[0]): list(times) for index, times in enumerate(clients)}
    taken: list[int] = []
    while (node := queue.select(1)) is not None:
        taken.append(jobs[node].pop(0))
        queue.pop(node, jobs[node][0] if jobs[node] else None, 1)
    assert taken == sorted(time for times in clients for time in times)


def test_a_more_important_node_goes_first_although_it_is_later() -> None:
    queue = RunQueue[Node](Fifo())
    add(queue, "early", 0)
    high = add(queue, "late", 100, Priority.HIGH)
    assert queue.select(1) is high


def test_a_less_important_node_waits_as_long_as_the_others_have_jobs() -> None:
    queue = RunQueue[Node](Fifo())
    add(queue, "starved", 0, Priority.LOW)
    busy = add(queue, "busy", 1)
    for submit_ns in range(2, 200):
        assert queue.select(1) is busy
        queue.pop(busy, submit_ns, 1)


def test_a_big_job_holds_up_the_later_ones() -> None:
    queue = RunQueue[Node](Fifo())
    big = add(queue, "big", 0, cost=3)
    small = add(queue, "small", 1)
    assert queue.select(2) is None
    assert queue.select(3) is big
    queue.pop(big, None, None)
    assert queue.select(2) is small


def test_a_new_priority_counts_from_the_next_join() -> None:
    queue = RunQueue[Node](Fifo())
    first, second = add(queue, "first", 0), add(queue, "second", 1)
    second.priority = Priority.HIGH
    assert queue.select(1) is first
    queue.leave(second)
    queue.join(second, 1)
    queue.wake(second, 1)
    assert queue.select(1) is second
