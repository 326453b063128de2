from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fencepost.hw.user_queue import Packet
from fencepost.hw.user_queue.ring import MAX_SIZE, PacketRing
from tests.hw.user_queue.kit import refused


@pytest.mark.parametrize("size", [-4, 0, 3, 6, 255, 2 * MAX_SIZE])
def test_a_size_that_is_no_power_of_two_is_refused(size: int) -> None:
    refused(errno.EINVAL, f"a ring of {size} packets, expected a power of two", lambda: PacketRing(size))


@pytest.mark.parametrize("size", [1, 2, 256, MAX_SIZE])
def test_powers_of_two_are_sizes(size: int) -> None:
    assert PacketRing(size).room == size


def test_what_is_written_is_not_seen_before_it_is_published() -> None:
    ring = PacketRing(4)
    assert ring.write([Packet(), Packet()]) == 2
    assert ring.wptr.load() == 0
    ring.publish()
    assert ring.wptr.load() == 2


@given(st.integers(0, 4), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=60))
def test_it_is_a_queue_that_never_holds_more_than_its_size(shift: int, steps: list[tuple[int, int]]) -> None:
    """Against a list: what is read is what was written, in order, and the pointers stay within the size."""
    ring = PacketRing(1 << shift)
    written: list[Packet] = []
    for write, complete in steps:
        packets = [Packet() for _ in range(min(write, ring.room))]
        written += packets
        assert ring.write(packets) == len(written)
        ring.publish()
        rptr, wptr = ring.rptr.load(), ring.wptr.load()
        assert wptr == len(written)
        assert 0 <= wptr - rptr <= ring.size
        assert [ring.packet(number) for number in range(rptr + 1, wptr + 1)] == written[rptr:wptr]
        ring.rptr.store(min(wptr, rptr + complete))
