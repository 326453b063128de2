"""Chains and merging against slow models that anybody can read: they walk, and keep nothing."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,  # pyright: ignore[reportUnknownVariableType]
)

from fencepost import sync
from fencepost.fences import Fence, FenceArray, FenceChain, get_stub, merge, unwrap
from fencepost.fences.several import signal_all

TIMESTAMPS = st.integers(0, 100)


@dataclass(eq=False)
class Node:
    """A node as the model knows it: what was asked for, and what follows from that."""

    real: FenceChain
    fence: Fence
    seqno: int
    before: Node | Fence | None
    context: object = None
    prev_seqno: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.before, Node) and self.seqno > self.before.seqno:
            self.context, self.prev_seqno = self.before.context, self.before.seqno
            return
        self.context = object()
        if isinstance(self.before, Node):
            self.seqno = max(self.seqno, self.before.seqno)

    def back(self) -> Iterator[Node | Fence]:
        """Yield it and all that is before it."""
        here: Node | Fence | None = self
        while here is not None:
            yield here
            here = here.before if isinstance(here, Node) else None

    def left(self) -> Iterator[Node | Fence]:
        """Yield it and what is before it and not collected."""
        for here in self.back():
            if here is self or not own_fence(here).signaled:
                yield here

    @property
    def signaled(self) -> bool:
        return all(own_fence(here).signaled for here in self.back())

    @property
    def prev(self) -> Node | Fence | None:
        return next((here for here in self.left() if here is not self), None)

    def find(self, seqno: int) -> Node | Fence | None:
        for here in self.left():
            if not isinstance(here, Node) or here.context is not self.context or here.prev_seqno < seqno:
                return here
        return None

    def last_complete_seqno(self) -> int:
        line = [here for here in self.back() if isinstance(here, Node) and here.context is self.context]
        return max((here.seqno for here in line if here.signaled), default=0)


def own_fence(here: Node | Fence) -> Fence:
    return here.fence if isinstance(here, Node) else here


def real(here: Node | Fence | None) -> Fence | None:
    return here.real if isinstance(here, Node) else here


class ChainMachine(RuleBasedStateMachine):
    """Makes nodes over any nodes, signals fences in any order, and asks any node."""

    def __init__(self) -> None:
        super().__init__()
        self.world = sync.world("virtual")
        self.world.enter()
        self.fences: list[Fence] = []
        self.nodes: list[Node] = []
        self.expected: list[Node] = []
        self.heard: list[Fence] = []

    def fence(self) -> Fence:
        self.fences.append(Fence())
        return self.fences[-1]

    @rule(step=st.integers(-2, 4), back=st.integers(0, 30), as_usual=st.booleans())
    def add(self, step: int, back: int, as_usual: bool) -> None:  # noqa: FBT001 - drawn
        before: Node | Fence | None = None
        if self.nodes:
            before = self.nodes[-1] if as_usual else self.nodes[-1 - back % len(self.nodes)]
        elif not as_usual:
            before = self.fence()
        seqno = max(1, (before.seqno if isinstance(before, Node) else 0) + step)
        fence = self.fence()
        self.nodes.append(Node(FenceChain(fence, seqno, real(before)), fence, seqno, before))

    @precondition(lambda self: self.fences)
    @rule(place=st.integers(0, 30), error=st.sampled_from([0, -errno.EIO]))
    def signal(self, place: int, error: int) -> None:
        self.fences[place % len(self.fences)].signal(error)
        assert {id(fence) for fence in self.heard} == {id(n.real) for n in self.expected if n.signaled}

    @precondition(lambda self: self.nodes)
    @rule(place=st.integers(0, 30))
    def add_callback(self, place: int) -> None:
        node = self.nodes[place % len(self.nodes)]
        if node in self.expected:
            return
        assert node.real.add_callback(self.heard.append) == (not node.signaled)
        if not node.signaled:
            self.expected.append(node)

    @precondition(lambda self: self.nodes)
    @rule(place=st.integers(0, 30))
    def enable(self, place: int) -> None:
        node = self.nodes[place % len(self.nodes)]
        assert node.real.enable_signaling() == (not node.signaled)

    @precondition(lambda self: self.nodes)
    @rule(place=st.integers(0, 30), seqno=st.integers(0, 40))
    def find(self, place: int, seqno: int) -> None:
        node = self.nodes[place % len(self.nodes)]
        if seqno > node.seqno:
            with pytest.raises(OSError, match="has no point"):
                node.real.find_seqno(seqno)
        else:
            assert node.real.find_seqno(seqno) is (real(node.find(seqno)) if seqno else node.real)

    @precondition(lambda self: self.nodes)
    @rule(place=st.integers(0, 30))
    def ask(self, place: int) -> None:
        node = self.nodes[place % len(self.nodes)]
        assert node.real.last_complete_seqno() == node.last_complete_seqno()
        assert node.real.prev is real(node.prev)
        assert node.real.signaled == node.signaled
        assert node.real.status == node.signaled

    @precondition(lambda self: self.nodes)
    @rule(place=st.integers(0, 30))
    def unwrap(self, place: int) -> None:
        node = self.nodes[place % len(self.nodes)]
        assert list(unwrap(node.real)) == [own_fence(here) for here in node.left()]

    @invariant()
    def numbers_are_as_asked_for(self) -> None:
        if self.nodes:
            node = self.nodes[-1]
            assert (node.real.seqno, node.real.prev_seqno) == (node.seqno, node.prev_seqno)
            if isinstance(node.before, Node):
                assert (node.real.context == node.before.real.context) == (node.context is node.before.context)

    def teardown(self) -> None:
        signal_all(self.fences)
        assert len(self.heard) == len(self.expected)
        assert all(node.real.signaled for node in self.nodes)
        assert self.world.close() == []
        assert self.world.failures == []


def test_a_chain_is_what_the_model_says() -> None:
    run_state_machine_as_test(ChainMachine, settings=settings(max_examples=100, stateful_step_count=40))


@st.composite
def leaves(draw: st.DrawFn) -> list[Fence]:
    """Fences of a few contexts, some signalled."""
    made: list[Fence] = []
    for context, seqno, timestamp_ns in draw(
        st.lists(st.tuples(st.integers(1, 4), st.integers(1, 5), st.none() | TIMESTAMPS), min_size=1, max_size=12)
    ):
        made.append(Fence(context, seqno))
        if timestamp_ns is not None:
            made[-1].signal(timestamp_ns=timestamp_ns)
    return made


@st.composite
def containers(draw: st.DrawFn, fences: list[Fence]) -> Fence:
    """One of the fences, an array of some, or a chain over some of these."""
    some = st.lists(st.sampled_from(fences), min_size=1, max_size=6)
    kind = draw(st.sampled_from(["fence", "array", "chain"]))
    if kind == "fence":
        return draw(st.sampled_from(fences))
    if kind == "array":
        return FenceArray(draw(some))
    head: Fence | None = draw(st.none() | st.sampled_from(fences))
    for seqno, inside in enumerate(draw(some), 1):
        head = FenceChain(inside if draw(st.booleans()) else FenceArray(draw(some)), seqno, head)
    assert head is not None
    return head


def inside(fence: Fence) -> list[Fence]:
    """What is pending in a container, the slow way."""
    if isinstance(fence, FenceChain):
        return inside(fence.fence) + (inside(fence.prev) if fence.prev is not None else [])
    if isinstance(fence, FenceArray):
        return [one for member in fence.fences for one in inside(member)]
    return [] if fence.signaled else [fence]


@given(st.data())
@settings(max_examples=200)
def test_merging_is_what_the_model_says(data: st.DataObject) -> None:
    fences = data.draw(leaves())
    inputs = data.draw(st.lists(containers(fences), max_size=4))
    latest = {(one.context, one.seqno) for fence in inputs for one in inside(fence)}
    expected = sorted((context, max(n for c, n in latest if c == context)) for context in {c for c, _ in latest})
    stamps_ns = [one.timestamp_ns for fence in inputs for one in unwrap(fence) if one.signaled]

    merged = merge(*inputs)

    if not expected:
        assert merged.timestamp_ns == max(stamps_ns, default=0)
        assert merged not in (*fences, get_stub())
    elif len(expected) == 1:
        assert merged in fences
        assert [(merged.context, merged.seqno)] == expected
    else:
        assert isinstance(merged, FenceArray)
        assert [(one.context, one.seqno) for one in merged.fences] == expected
        assert all(one in fences for one in merged.fences)
    assert merged.signaled == (not expected)


@given(st.data())
def test_merging_what_was_merged_changes_nothing(data: st.DataObject) -> None:
    fences = data.draw(leaves())
    inputs = data.draw(st.lists(containers(fences), min_size=1, max_size=4))
    once = merge(*inputs)
    again = merge(once, *inputs, once)
    assert [(one.context, one.seqno) for one in unwrap(again)] == [
        (one.context, one.seqno) for one in unwrap(once)
    ] or (once.signaled and again.signaled)
