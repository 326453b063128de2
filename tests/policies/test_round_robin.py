from __future__ import annotations

from fencepost.policies.priority import Priority
from fencepost.policies.round_robin import RoundRobin
from fencepost.policies.run_queue import Node, RunQueue


def add(queue: RunQueue[Node], *nodes: Node, credits_each: int = 1) -> None:
    for node in nodes:
        queue.join(node, 0)
        queue.wake(node, credits_each)


def served(queue: RunQueue[Node], jobs: int) -> str:
    """Take so many jobs from nodes that always have another one, and return their names."""
    names = ""
    for _ in range(jobs):
        node = queue.select(1)
        assert node is not None
        names += node.name
        queue.pop(node, 0, 1)
    return names


def test_nodes_with_a_backlog_take_turns() -> None:
    queue = RunQueue[Node](RoundRobin())
    add(queue, Node("a"), Node("b"), Node("c"))
    assert served(queue, 7) == "abcabca"


def test_a_new_node_is_next() -> None:
    queue = RunQueue[Node](RoundRobin())
    add(queue, Node("a"), Node("b"))
    assert served(queue, 3) == "aba"
    add(queue, Node("c"))
    assert served(queue, 4) == "cbac"


def test_a_node_whose_queue_ran_empty_keeps_its_turn() -> None:
    queue = RunQueue[Node](RoundRobin())
    a, b, c = Node("a"), Node("b"), Node("c")
    add(queue, a, b, c)
    assert served(queue, 5) == "abcab"
    queue.leave(a)  # the last two turns were a's and b's, in this order
    assert served(queue, 2) == "cb"
    add(queue, a)
    assert served(queue, 3) == "acb"


def test_a_client_that_never_queues_two_jobs_is_always_first() -> None:
    queue = RunQueue[Node](RoundRobin())
    synchronous = Node("s")
    add(queue, Node("a"), synchronous)
    served(queue, 1)
    for _ in range(3):
        assert queue.select(1) is synchronous
        queue.pop(synchronous, None, None)
        add(queue, synchronous)


def test_a_more_important_node_goes_first_as_long_as_it_is_ready() -> None:
    queue = RunQueue[Node](RoundRobin())
    high = Node("h", Priority.HIGH)
    add(queue, Node("a"), Node("b"), high)
    assert served(queue, 3) == "hhh"
    queue.pop(high, 0, None)
    assert served(queue, 3) == "aba"
    queue.wake(high, 1)
    assert served(queue, 2) == "hh"


def test_a_big_job_holds_up_its_level_and_those_below() -> None:
    queue = RunQueue[Node](RoundRobin())
    big = Node("B")
    add(queue, big, credits_each=3)
    add(queue, Node("a"), Node("l", Priority.LOW))
    assert queue.select(2) is None
    assert queue.select(3) is big


def test_a_new_priority_counts_from_the_next_pop() -> None:
    queue = RunQueue[Node](RoundRobin())
    a = Node("a")
    add(queue, a, Node("b"))
    a.priority = Priority.LOW
    assert served(queue, 4) == "abbb"


def test_a_node_from_a_run_queue_that_counted_further_is_last_and_not_lost() -> None:
    node, busy, other = Node("n"), RunQueue[Node](RoundRobin()), RunQueue[Node](RoundRobin())
    add(busy, node)
    served(busy, 1000)
    busy.leave(node)
    add(other, Node("a"), Node("b"))
    served(other, 2)
    add(other, node)
    assert served(other, 4) == "abna"


def test_a_node_from_another_run_queue_then_keeps_the_turn_it_got_here() -> None:
    node, busy, other = Node("n"), RunQueue[Node](RoundRobin()), RunQueue[Node](RoundRobin())
    add(busy, node)
    served(busy, 1000)
    busy.leave(node)
    add(other, Node("a"), Node("b"))
    served(other, 2)
    add(other, node)
    other.leave(node)
    served(other, 2)
    add(other, node)
    assert served(other, 4) == "nabn"
