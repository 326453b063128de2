from __future__ import annotations

from fencepost.hw.memory import MemoryManager, Placement, Region


def test_it_gives_what_it_has() -> None:
    region = Region(Placement.VRAM, 100)
    assert region.take(60)
    assert not region.take(41)
    assert region.take(40)
    assert region.free_bytes == 0
    region.give_back(60)
    assert (region.free_bytes, repr(region)) == (60, "<vram, 40 of 100 bytes used>")


def test_it_knows_who_was_used_least_recently() -> None:
    memory, region = MemoryManager(1 << 20, 1 << 20), Region(Placement.VRAM, 100)
    first, second, third = (memory.create(4096, name) for name in ("first", "second", "third"))
    for buffer in (first, second, third):
        assert region.take(10, buffer)
    region.touch(first)
    assert region.least_recent() == (second, third, first)
    region.give_back(10, third)
    assert region.least_recent() == (second, first)
    assert region.used_bytes == 20


def test_who_finds_no_room_does_not_come() -> None:
    region = Region(Placement.VRAM, 100)
    assert not region.take(101, MemoryManager(4096, 4096).create(4096))
    assert region.least_recent() == ()
