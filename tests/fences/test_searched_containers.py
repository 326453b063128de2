"""Chains and arrays under search; among the models two selftests about races, spec/dma_fence.md 4, rows 12 and 18."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial

import pytest

from fencepost.actors import Runtime
from fencepost.checks import Model, explore
from fencepost.fences import Fence, FenceArray, FenceChain, merge, unwrap
from fencepost.sync import Task
from tests import searching
from tests.fences.chains import chain_of
from tests.fences.kit import Work
from tests.searching import joined

assert_clean = partial(searching.assert_clean, schedules=300)


def assert_proved(model: Model, *, bound: int, schedules: int) -> None:
    """Run every schedule of at most `bound` preemptions, up to the order of independent steps."""
    report = explore(model, schedules=schedules, strategy=f"dfs{bound}")
    assert not report.found, str(report)
    assert report.complete


def started(rt: Runtime, *functions: Callable[[], object]) -> list[Task]:
    return [rt.spawn(function) for function in functions]


# Row 12.


def race_signal_callback(rt: Runtime, *, signal_first: bool) -> None:
    """Two publish a fence each, signal it, and add a callback to the other's; one that was added is seen."""
    fences = [Fence(), Fence()]

    def race(mine: Fence, other: Fence) -> None:
        seen: list[Fence] = []
        if signal_first:
            mine.signal()
        was_added = other.add_callback(seen.append)
        if not signal_first:
            mine.signal()
        if was_added:
            assert other.wait()
            other.wait_for_callbacks()
        assert len(seen) == was_added

    joined(*started(rt, partial(race, *fences), partial(race, *reversed(fences))))


@pytest.mark.parametrize("signal_first", [True, False])
def test_race_signal_callback(signal_first: bool) -> None:  # noqa: FBT001 - the two passes
    def model(rt: Runtime) -> None:
        race_signal_callback(rt, signal_first=signal_first)

    assert_clean(model)
    assert_proved(model, bound=3, schedules=20_000)


# Row 18.


def find_race(rt: Runtime, *, armed: bool, plan: tuple[tuple[int, int], ...]) -> None:
    """Each finds a point from the head, and from what was found, then signals a fence."""
    fences = [Fence() for _ in range(3)]
    head = chain_of(fences)[-1]
    if armed:
        assert head.enable_signaling()

    def find_and_signal(seqno: int, place: int) -> None:
        found = head.find_seqno(seqno)
        if found is not None and found.seqno == seqno:
            assert isinstance(found, FenceChain)
            found.find_seqno(seqno)
        fences[place].signal()

    finders = started(rt, *(partial(find_and_signal, seqno, place) for seqno, place in plan))
    joined(*finders)
    signaled = {place for _, place in plan}
    left = [node for node in range(3) if node not in signaled]
    assert head.signaled == (not left)
    assert head.last_complete_seqno() == (left[0] if left else 3)
    for fence in fences:
        fence.signal()
    assert head.signaled
    assert head.find_seqno(1) is None


@pytest.mark.parametrize("armed", [True, False])
def test_find_race(armed: bool) -> None:  # noqa: FBT001 - a parameter
    for plan in ((2, 1), (1, 0)), ((1, 0), (2, 1)), ((3, 2), (1, 1), (2, 0)):
        assert_clean(partial(find_race, armed=armed, plan=plan))


def test_find_race_is_proved_for_two_tasks() -> None:
    assert_proved(partial(find_race, armed=True, plan=((2, 1), (1, 0))), bound=2, schedules=30_000)


# Chains.


def test_who_adds_and_who_sleeps_hears_of_a_node_in_whatever_order_its_fences_signal() -> None:
    def model(rt: Runtime) -> None:
        fences, heard = [Fence(), Fence(), Fence()], list[Fence]()
        nodes = chain_of(fences)
        sleeper = rt.spawn(nodes[2].wait)
        adders = started(rt, *(partial(node.add_callback, heard.append) for node in nodes))
        signallers = started(rt, *(fence.signal for fence in reversed(fences)))
        joined(sleeper, *adders, *signallers)
        assert sleeper.result is True
        assert len(heard) == sum(adder.result for adder in adders)
        assert len(set(map(id, heard))) == len(heard)

    assert_clean(model, schedules=500)


def test_a_node_is_made_while_what_is_before_it_signals() -> None:
    def model(rt: Runtime) -> None:
        fences = [Fence(), Fence(), Fence()]
        first = chain_of(fences[:1])[0]

        def grow() -> FenceChain:
            head = FenceChain(fences[2], 3, FenceChain(fences[1], 2, first))
            head.enable_signaling()
            return head

        growing = rt.spawn(grow)
        joined(growing, *started(rt, fences[0].signal, fences[1].signal, partial(getattr, first, "signaled")))
        head: FenceChain = growing.result
        assert head.last_complete_seqno() == 2
        assert head.prev is None
        fences[2].signal()
        assert head.is_over

    assert_clean(model)


def test_two_branches_over_one_node_each_signal_once() -> None:
    def model(rt: Runtime) -> None:
        fences, heard = [Fence(), Fence(), Fence()], list[Fence]()
        stem = FenceChain(fences[0], 1)

        def grow(fence: Fence) -> None:
            if not FenceChain(fence, 2, stem).add_callback(heard.append):
                heard.append(fence)

        joined(*started(rt, partial(grow, fences[1]), partial(grow, fences[2]), *(f.signal for f in fences)))
        assert len(heard) == 2

    assert_clean(model)


def test_how_far_it_is_never_goes_back() -> None:
    def model(rt: Runtime) -> None:
        fences = [Fence() for _ in range(4)]
        head = chain_of(fences)[-1]

        def ask() -> None:
            said = [head.last_complete_seqno() for _ in range(3)]
            assert said == sorted(said)

        joined(*started(rt, ask, ask, fences[1].signal, fences[0].signal, fences[2].signal))
        assert head.last_complete_seqno() == 3
        fences[3].signal()

    assert_clean(model)


def test_a_chain_is_unwrapped_while_it_is_collected() -> None:
    def model(rt: Runtime) -> None:
        fences = [Fence() for _ in range(4)]
        head = chain_of(fences)[-1]
        unwrapping = rt.spawn(lambda: list(unwrap(head)))
        joined(unwrapping, *started(rt, fences[1].signal, fences[2].signal, partial(head.find_seqno, 2)))
        inside: list[Fence] = unwrapping.result
        assert inside == [fence for fence in reversed(fences) if fence in inside]
        assert {fences[0], fences[3]} <= set(inside)

    assert_clean(model)


def test_of_two_deadlines_every_fence_hears_of_the_sooner() -> None:
    def model(rt: Runtime) -> None:
        work = [Work() for _ in range(3)]
        nodes = chain_of(work)
        joined(*started(rt, partial(nodes[2].set_deadline, 9), partial(nodes[1].set_deadline, 5)))
        assert [min(fence.deadlines_ns) for fence in work] == [5, 5, 9]

    assert_clean(model)


# Arrays.


@pytest.mark.parametrize("any_is_enough", [True, False])
def test_an_array_signals_once_however_it_is_noticed(any_is_enough: bool) -> None:  # noqa: FBT001 - a parameter
    def model(rt: Runtime) -> None:
        fences, heard = [Fence(), Fence()], list[int]()
        array = FenceArray(fences, signal_on_any=any_is_enough)
        tasks = started(rt, partial(fences[0].signal, -errno.EIO), partial(fences[1].signal, -errno.EBUSY))
        adding = rt.spawn(lambda: array.add_callback(lambda fence: heard.append(fence.error)))
        asking = rt.spawn(lambda: array.status)
        joined(adding, asking, *tasks)
        assert array.error in (-errno.EIO, -errno.EBUSY)
        assert asking.result in (0, array.error)
        assert heard == [array.error] * adding.result

    assert_clean(model, schedules=500)


def test_an_array_does_not_signal_while_a_member_is_pending() -> None:
    def model(rt: Runtime) -> None:
        fences = [Fence(), Fence(), Fence()]
        array = FenceArray(fences)

        def ask() -> None:
            for _ in range(3):
                assert not array.signaled

        joined(*started(rt, ask, ask, array.enable_signaling, fences[0].signal, fences[2].signal))
        assert not array.signaled
        fences[1].signal()
        assert array.signaled

    assert_clean(model)


def test_each_member_is_enabled_once_by_whoever_comes() -> None:
    def model(rt: Runtime, *, chain: bool) -> None:
        work = [Work(), Work()]
        container = chain_of(work)[-1] if chain else FenceArray(work)
        waiters = started(rt, container.wait, container.wait)
        joined(*waiters, *started(rt, work[0].signal, work[1].signal))
        assert [waiter.result for waiter in waiters] == [True, True]
        assert all(fence.enabled <= 1 for fence in work)

    assert_clean(partial(model, chain=True))
    assert_clean(partial(model, chain=False))


def test_who_comes_at_the_same_time_has_no_member_counted_twice() -> None:
    def model(rt: Runtime, *, chain: bool) -> None:
        fences = [Fence(), Fence()]
        container = chain_of(fences)[-1] if chain else FenceArray(fences)
        joined(*started(rt, container.enable_signaling, container.enable_signaling, fences[1].signal))
        assert not container.signaled
        fences[0].signal()
        assert container.signaled

    assert_clean(partial(model, chain=True))
    assert_clean(partial(model, chain=False))


def test_fences_are_merged_while_they_signal() -> None:
    def model(rt: Runtime) -> None:
        fences = [Fence(), Fence(), Fence()]
        merging = rt.spawn(lambda: merge(*fences))
        joined(merging, *started(rt, fences[0].signal, fences[2].signal))
        merged: Fence = merging.result
        assert not merged.signaled
        fences[1].signal()
        assert merged.signaled

    assert_clean(model)


def test_an_array_of_two_is_proved() -> None:
    def model(rt: Runtime) -> None:
        fences, heard = [Fence(), Fence()], list[Fence]()
        array = FenceArray(fences)
        adding = rt.spawn(lambda: array.add_callback(heard.append))
        joined(adding, *started(rt, fences[0].signal, fences[1].signal))
        assert array.signaled
        assert len(heard) == adding.result

    assert_proved(model, bound=2, schedules=30_000)
