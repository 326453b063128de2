from __future__ import annotations

import errno

import pytest

from fencepost.hw.memory import PAGE_BYTES, Placement
from fencepost.hw.memory.placement import check_range


def test_what_is_evicted_goes_to_the_next_kind_of_memory_and_then_to_a_disk() -> None:
    assert Placement.VRAM.below is Placement.SYSTEM
    assert Placement.SYSTEM.below is None


@pytest.mark.parametrize("range_", [(0, 0), (0, -PAGE_BYTES), (-PAGE_BYTES, PAGE_BYTES), (1, PAGE_BYTES), (0, 1)])
def test_a_range_is_of_whole_pages(range_: tuple[int, int]) -> None:
    check_range(PAGE_BYTES, PAGE_BYTES, "a thing")
    with pytest.raises(OSError, match=r"a thing at .* bytes, expected whole pages of 4096") as refused:
        check_range(*range_, "a thing")
    assert refused.value.errno == errno.EINVAL
