from __future__ import annotations

import errno

import pytest

from fencepost import Runtime
from fencepost.hw.eviction import EvictionCounts
from fencepost.hw.memory import PAGE_BYTES, MemoryManager
from tests.hw.eviction.kit import Card, WatchedVm
from tests.hw.user_queue.kit import refused


@pytest.fixture
def cards(rt: Runtime) -> list[Card]:  # noqa: ARG001 - they are of that world
    """Give two devices that take queues off at once."""
    vm = WatchedVm(MemoryManager(PAGE_BYTES, PAGE_BYTES))
    return [Card(vm, name) for name in ("first", "second")]


def test_queues_run_again_when_each_eviction_was_undone(cards: list[Card]) -> None:
    counts = EvictionCounts("a", everywhere=1)
    for card in cards:
        counts.join(card)
    assert [card.holds for card in cards] == [1, 1]
    assert all(gate.is_open for gate in counts.evict())
    assert counts.evict_on(cards[1]).is_open
    assert [counts.on(card) for card in cards] == [2, 3]
    counts.restore()
    counts.restore()
    assert [(counts.on(card), card.is_on) for card in cards] == [(0, True), (1, False)]
    counts.restore_on(cards[1])
    assert [(counts.on(card), card.is_on) for card in cards] == [(0, True), (0, True)]


def test_who_joins_late_is_evicted_as_often_as_the_others(cards: list[Card]) -> None:
    counts = EvictionCounts("a")
    counts.join(cards[0])
    counts.evict()
    counts.evict()
    counts.evict_on(cards[0])
    counts.join(cards[1])
    assert [card.holds for card in cards] == [3, 2]
    counts.restore()
    counts.restore()
    assert [(card.holds, card.is_on) for card in cards] == [(1, False), (0, True)]


def test_a_count_does_not_fall_below_0(cards: list[Card]) -> None:
    counts = EvictionCounts("a")
    counts.join(cards[0])
    refused(errno.EINVAL, "a is to be restored, and is not evicted", counts.restore)
    refused(errno.EINVAL, "<first> of a is to be restored, .* alone", lambda: counts.restore_on(cards[0]))
    counts.evict()
    refused(errno.EINVAL, "<first> of a is to be restored, .* alone", lambda: counts.restore_on(cards[0]))
    counts.restore()
    counts.evict_on(cards[0])
    refused(errno.EINVAL, "a is to be restored, and is not evicted", counts.restore)
    assert (counts.on(cards[0]), cards[0].holds) == (1, 1)


def test_a_device_of_another_process_is_refused(cards: list[Card]) -> None:
    counts = EvictionCounts("a")
    counts.join(cards[0])
    refused(errno.EEXIST, "<first> has joined a before", lambda: counts.join(cards[0]))
    for call in (counts.evict_on, counts.restore_on, counts.on):
        refused(errno.ENODEV, "<second> is not of a", lambda call=call: call(cards[1]))  # type: ignore[misc]
    assert [card.holds for card in cards] == [0, 0]
