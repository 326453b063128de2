"""What containers keep alive, and what they let go of."""

from __future__ import annotations

import errno
import gc
import warnings
from weakref import ref

import pytest

from fencepost.fences import Fence, FenceArray, FenceChain
from fencepost.fences.several import signal_all
from tests.fences.chains import chain_of

pytestmark = pytest.mark.usefixtures("any_world")


class Noted(Fence):
    """A fence of which one can tell whether it is there."""

    __slots__ = ("__weakref__",)


def test_a_chain_that_nobody_waits_for_goes_with_its_last_reference() -> None:
    fences = [Noted() for _ in range(3)]
    nodes = chain_of(fences)
    alive = [ref(thing) for thing in (*nodes, *fences)]
    assert not nodes[-1].signaled
    del nodes, fences
    assert [thing() for thing in alive] == [None] * 6


def test_a_dropped_head_is_not_kept_by_what_is_before_it() -> None:
    nodes = chain_of([Fence() for _ in range(3)])
    head = ref(nodes.pop())
    assert head() is None
    again = FenceChain(Fence(), 3, nodes[-1])
    assert again.find_seqno(1) is nodes[0]
    assert again.last_complete_seqno() == 0


def test_a_point_that_was_collected_goes() -> None:
    fences = [Fence() for _ in range(4)]
    nodes = chain_of(fences)
    head, middle = nodes[3], ref(nodes[2])
    del nodes
    fences[2].signal()
    assert head.prev is not None
    fences[1].signal()
    fences[0].signal()
    assert head.prev is None
    assert middle() is None


@pytest.mark.parametrize("waited_for", [True, False])
def test_a_timeline_that_goes_on_for_ever_keeps_only_what_is_pending(waited_for: bool) -> None:  # noqa: FBT001
    window: list[Fence] = []
    nodes: list[ref[FenceChain]] = []
    head: FenceChain | None = None
    for seqno in range(1, 1001):
        window.append(Fence())
        head = FenceChain(window[-1], seqno, head)
        nodes.append(ref(head))
        if waited_for:
            head.enable_signaling()
        if len(window) > 8:
            window.pop(0).signal()
            assert head.prev is not None
    assert sum(node() is not None for node in nodes) <= 20
    signal_all(window)


def test_one_that_somebody_waits_for_is_kept_by_its_members() -> None:
    fences, heard = [Fence(), Fence(), Fence()], list[int]()
    FenceArray(fences).add_callback(lambda fence: heard.append(fence.status))
    chain_of(fences)[-1].add_callback(lambda fence: heard.append(fence.status))
    gc.collect()
    signal_all(fences)
    assert heard == [1, 1]


def test_what_has_signalled_keeps_nothing_before_it() -> None:
    fences = [Noted() for _ in range(3)]
    nodes = chain_of(fences)
    before = [ref(fences[0]), ref(fences[1])]
    head = nodes[-1]
    assert head.enable_signaling()
    signal_all(fences)
    del nodes, fences
    assert [fence() for fence in before] == [None, None]
    assert head.signaled


@pytest.mark.parametrize("kind", ["array", "chain"])
def test_one_that_is_dropped_with_its_members_while_somebody_waits_signals_an_error(kind: str) -> None:
    fences, heard = [Fence(name="a"), Fence(name="b")], list[int]()
    container = FenceArray(fences) if kind == "array" else chain_of(fences)[-1]
    container.add_callback(lambda fence: heard.append(fence.status))
    del container, fences
    with pytest.warns(RuntimeWarning, match="was dropped with 1 callbacks"):
        gc.collect()
    assert heard == [-errno.EDEADLK]


@pytest.mark.parametrize("kind", ["array", "chain"])
def test_nothing_is_said_of_one_that_nobody_waits_for_any_more(kind: str) -> None:
    fences = [Fence(), Fence()]
    container = FenceArray(fences) if kind == "array" else chain_of(fences)[-1]
    assert not container.wait(0)
    container.add_callback(print)
    container.remove_callback(print)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        del container, fences
        gc.collect()
    assert said == []
