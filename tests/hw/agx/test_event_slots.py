from __future__ import annotations

from typing import cast

import pytest

from fencepost.hw.agx.event_slots import STEP, EventSlots, advanced, passed
from fencepost.hw.agx.work_queue import WorkQueue


def owner() -> WorkQueue:
    return cast("WorkQueue", object())


@pytest.mark.parametrize(
    ("stamp", "value", "has_passed", "case"),
    [
        (0x300, 0x200, True, "later"),
        (0x300, 0x300, True, "the same"),
        (0x200, 0x300, False, "earlier"),
        (0x100, 0xFFFFFF00, True, "it has wrapped round"),
        (0xFFFFFF00, 0x100, False, "it is about to wrap round"),
        (0x7FFFFF00, 0, True, "almost half the range ahead"),
        (0x80000000, 0, False, "half the range ahead is behind"),
    ],
)
def test_a_stamp_has_passed_a_value_when_the_signed_difference_says_so(
    stamp: int,
    value: int,
    has_passed: bool,  # noqa: FBT001 - the expectation
    case: str,
) -> None:
    assert passed(stamp, value) is has_passed, case


def test_a_stamp_wraps_round() -> None:
    assert advanced(0) == STEP
    assert advanced(0xFFFFFF00) == 0


def test_of_free_slots_the_least_recently_freed_one_is_given() -> None:
    slots = EventSlots(3)
    taken = [slots.take(owner()) for _ in range(3)]
    assert [slot and slot.index for slot in taken] == [0, 1, 2]
    for index in (1, 2, 0):
        slots.give_back(slots[index])
    assert slots.free == len(slots) == 3
    assert slots.take(owner()) is slots[1]


def test_an_owner_gets_its_last_slot_again_if_nobody_had_it_since() -> None:
    slots, mine, other = EventSlots(2), owner(), owner()
    last = slots[0]
    assert slots.take(mine) is last
    slots.give_back(last)
    assert slots.take(mine) is last
    slots.give_back(last)
    # Slot 1 was never taken, so it is the least recently freed.
    assert [slots.take(other), slots.take(other)] == [slots[1], slots[0]]
    assert slots.take(mine) is None
    slots.give_back(slots[1])
    assert slots.take(mine) is slots[1]


def test_a_slot_keeps_its_stamp() -> None:
    slots = EventSlots(1)
    slot = slots.take(owner())
    assert slot is not None
    slot.stamp.value = advanced(slot.stamp.value)
    slots.give_back(slot)
    assert slots.take(owner()) is slot
    assert slot.stamp.value == STEP
