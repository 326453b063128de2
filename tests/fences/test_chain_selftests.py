"""The kernel's own self-tests of dma_fence_chain: rows 13 to 23 of spec/dma_fence.md 4.2."""

from __future__ import annotations

import errno
import random
from functools import partial

import pytest

from fencepost import sync
from fencepost.fences import Fence, FenceChain
from fencepost.fences.several import signal_all
from tests.fences.chains import new_chain

LONG_S = 60.0
FEW = 64
MANY = 4096
FINDERS = 4
FINDS = 400
"""Of each finder; the kernel's go on for 5 s."""

pytestmark = pytest.mark.usefixtures("any_world")


def find(node: Fence | None, seqno: int) -> Fence | None:
    assert isinstance(node, FenceChain)
    return node.find_seqno(seqno)


def has_no_point(node: Fence | None, seqno: int) -> bool:
    with pytest.raises(OSError, match="has no point") as caught:
        find(node, seqno)
    return caught.value.errno == errno.EINVAL


def test_sanitycheck() -> None:
    fence = Fence()
    node = FenceChain(fence, 1)
    assert node.enable_signaling()
    fence.signal()
    assert node.signaled


def test_find_seqno() -> None:
    fences, nodes = new_chain(FEW)
    tail = nodes[-1]
    assert find(tail, 0) is tail
    for place, node in enumerate(nodes):
        assert find(tail, place + 1) is node
        assert find(node, place + 1) is node
        assert has_no_point(node, place + 2)
        assert place == 0 or find(node, place) is nodes[place - 1]
    signal_all(fences)


def test_find_signaled() -> None:
    fences, nodes = new_chain(2)
    fences[0].signal()
    assert find(nodes[-1], 1) in (None, nodes[0])
    signal_all(fences)


def test_find_out_of_order() -> None:
    fences, nodes = new_chain(3)
    fences[1].signal()
    assert find(nodes[-1], 2) is nodes[0]
    signal_all(fences)


def test_find_gap() -> None:
    fences, nodes = new_chain(FEW, first=2, step=2)
    for place, node in enumerate(nodes):
        assert find(nodes[-1], 2 * place + 1) is node
        assert find(node, 2 * place + 2) is node
    signal_all(fences)


def test_find_race(any_world: sync.World) -> None:
    fences, nodes = new_chain(MANY)
    tail = nodes.pop()
    nodes.clear()

    def find_and_signal(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(FINDS):
            seqno = chance.randint(1, MANY)
            found = find(tail, seqno)
            if found is not None and found.seqno == seqno:
                find(found, seqno)
            fences[chance.randrange(MANY - 1)].signal()
            any_world.sleep(0)

    finders = [any_world.spawn(partial(find_and_signal, n), name=f"finder{n}") for n in range(FINDERS)]
    assert all(finder.join(LONG_S) for finder in finders)
    assert any_world.failures == []
    assert not tail.signaled
    signal_all(fences)
    assert tail.signaled


def test_signal_forward() -> None:
    fences, nodes = new_chain(FEW)
    for place, fence in enumerate(fences):
        fence.signal()
        assert nodes[place].signaled
        assert place + 1 == FEW or not nodes[place + 1].signaled


def test_signal_backward() -> None:
    fences, nodes = new_chain(FEW)
    for place in reversed(range(FEW)):
        fences[place].signal()
        assert place == 0 or not nodes[place].signaled
    assert all(node.signaled for node in nodes)


@pytest.mark.parametrize("order", ["forward", "backward", "random"])
def test_wait(any_world: sync.World, order: str) -> None:
    fences, nodes = new_chain(MANY)
    tail = nodes.pop()
    nodes.clear()
    waiter = any_world.spawn(lambda: tail.wait(LONG_S), name="waiter")
    any_world.sleep(0)
    if order == "backward":
        fences.reverse()
    elif order == "random":
        random.Random(1).shuffle(fences)
    signal_all(fences)
    assert waiter.join(LONG_S)
    assert waiter.result is True
