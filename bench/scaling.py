"""What one operation costs on few fences and on many: nothing may be quadratic."""

from __future__ import annotations

import random
import timeit
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from fencepost.fences import Fence, FenceChain, Syncobj, merge

__all__ = ["SCALES", "scale_us"]

Order = Callable[[list[Fence]], Sequence[Fence]]
Build = Callable[[int], tuple[list[Fence], Fence]]


def forwards(fences: list[Fence]) -> Sequence[Fence]:
    """Signal the oldest first."""
    return fences


def backwards(fences: list[Fence]) -> Sequence[Fence]:
    """Signal the youngest first."""
    return fences[::-1]


def anyhow(fences: list[Fence]) -> Sequence[Fence]:
    """Signal in an order that is the same in each run."""
    return random.Random(1).sample(fences, len(fences))


def chain(points: int) -> tuple[list[Fence], Fence]:
    """Return the fences of a chain, and its head."""
    fences = [Fence(1, point) for point in range(1, points + 1)]
    head: FenceChain | None = None
    for fence in fences:
        head = FenceChain(fence, fence.seqno, head)
    assert head is not None
    return fences, head


def syncobj(points: int) -> tuple[list[Fence], Fence]:
    """Return the fences of a syncobj's timeline, and what its last point waits for."""
    timeline, fences = Syncobj(), [Fence(1, point) for point in range(1, points + 1)]
    for fence in fences:
        timeline.add_point(fence, fence.seqno)
    return fences, timeline.find_fence(points)


def complete(build: Build, order: Order, points: int) -> None:
    """Make that many points, have somebody wait for the last, and signal them all."""
    fences, last = build(points)
    woken: list[Fence] = []
    last.add_callback(woken.append)
    for fence in order(fences):
        fence.signal()
    assert woken == [last]


def ask(order: Order, points: int) -> None:
    """Signal the points of a syncobj's timeline, and ask after each how far it has come."""
    timeline, fences = Syncobj(), [Fence(1, point) for point in range(1, points + 1)]
    for fence in fences:
        timeline.add_point(fence, fence.seqno)
    for fence in order(fences):
        fence.signal()
        timeline.query()
    assert timeline.query() == points


def merge_all(build: Build, fences: int) -> None:
    """Merge that many fences of as many contexts, and signal them."""
    several, _ = build(fences)
    merged = merge(*several)
    for fence in several:
        fence.signal()
    assert merged.signaled


def contexts(fences: int) -> tuple[list[Fence], Fence]:
    """Return fences that have nothing to do with each other, and one of them."""
    several = [Fence(context, 1) for context in range(1, fences + 1)]
    return several, several[0]


def scale_us(work: Callable[[int], None], size: int, total: int) -> float:
    """Return what one of `size` costs in us, where `total` are dealt with one group after the other."""
    rounds = total // size
    return timeit.timeit(partial(work, size), number=rounds) / (rounds * size) * 1e6


SCALES: Final[Mapping[str, tuple[Callable[[int], None], int, int]]] = {
    **{
        f"{name}, signalled {order.__name__}": (partial(complete, build, order), 100, 100_000)
        for name, build in (("FenceChain", chain), ("Syncobj timeline", syncobj))
        for order in (forwards, backwards, anyhow)
    },
    "Syncobj timeline, signalled anyhow and queried": (partial(ask, anyhow), 100, 100_000),
    "merge": (partial(merge_all, contexts), 10, 1000),
}
"""What is done to groups of fences; few of them, and many."""
