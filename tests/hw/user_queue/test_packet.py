from __future__ import annotations

import errno

import pytest

from fencepost.fences import UserFence
from fencepost.hw.user_queue import Packet, UserWrite
from tests.hw.user_queue.kit import refused


@pytest.mark.parametrize("duration_us", [-1, float("nan"), float("inf")])
def test_a_duration_that_nobody_could_execute_is_refused(duration_us: float) -> None:
    with pytest.raises(ValueError, match="expected 0 or more"):
        Packet(duration_us=duration_us)


def test_a_negative_distance_of_preemption_is_refused() -> None:
    with pytest.raises(ValueError, match="preempted every -1 us"):
        Packet(preempt_us=-1)


@pytest.mark.parametrize("value", [-1, 1 << 64])
def test_a_value_of_more_than_64_bits_is_refused(value: int) -> None:
    refused(errno.EINVAL, f"a value of {value} for user fence", lambda: UserWrite(UserFence(), value))


def test_a_user_fence_at_an_unaligned_address_is_refused() -> None:
    memory = bytearray(32)
    aligned = next(offset for offset in range(8) if _fits(memory, offset))
    refused(errno.EINVAL, "no multiple of 8", lambda: UserFence(memory, aligned + 4))
    assert memory == bytearray(32)


def _fits(memory: bytearray, offset: int) -> bool:
    try:
        UserFence(memory, offset)
    except OSError:
        return False
    return True
