from __future__ import annotations

from fencepost.hw.arbiter import Arbiter
from fencepost.hw.execution import RingBuffer


def served(arbiter: Arbiter[RingBuffer]) -> list[RingBuffer]:
    order: list[RingBuffer] = []
    while (ring := arbiter.first()) is not None:
        arbiter.leave(ring)
        order.append(ring)
    return order


def test_nobody_waits() -> None:
    assert Arbiter[RingBuffer]().first() is None


def test_the_more_important_ring_is_first_whenever_it_came() -> None:
    arbiter = Arbiter[RingBuffer]()
    low, high, middle = RingBuffer(3), RingBuffer(-1), RingBuffer(2)
    for ring in (low, high, middle):
        arbiter.enter(ring)
    assert served(arbiter) == [high, middle, low]


def test_among_equals_the_one_that_waits_longest_is_first() -> None:
    arbiter = Arbiter[RingBuffer]()
    rings = [RingBuffer(0) for _ in range(5)]
    for ring in rings:
        arbiter.enter(ring)
    arbiter.leave(rings[1])
    arbiter.enter(rings[1])
    assert served(arbiter) == [rings[0], rings[2], rings[3], rings[4], rings[1]]


def test_to_look_changes_nothing() -> None:
    arbiter, ring = Arbiter[RingBuffer](), RingBuffer(0)
    arbiter.enter(ring)
    assert arbiter.first() is arbiter.first() is ring


def test_a_ring_that_does_not_wait_may_leave() -> None:
    arbiter, ring = Arbiter[RingBuffer](), RingBuffer(0)
    arbiter.leave(ring)
    arbiter.enter(ring)
    arbiter.leave(ring)
    arbiter.leave(ring)
    assert arbiter.first() is None
