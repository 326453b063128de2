"""What the bench of submissions measures, where that does not hang on the speed of the machine."""

from __future__ import annotations

import pytest

from bench.submission import WAYS, WHATS, What, dispatch_us, eviction_us, lost_share


@pytest.mark.parametrize("what", WHATS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("batch", [1, 64])
def test_every_way_brings_every_batch_to_its_end(way: str, batch: int, what: What) -> None:
    assert dispatch_us(way, batch, what, dispatches=8) > 0


@pytest.mark.parametrize("busy", [False, True])
def test_an_eviction_takes_time(busy: bool) -> None:  # noqa: FBT001 - a parameter of a test
    assert eviction_us(4, busy=busy, evictions=3) > 0


@pytest.mark.slow
def test_evictions_cost_at_least_their_back_off() -> None:
    """Six of them within 0.3 s, each with 20 ms off the hardware."""
    assert lost_share(20, seconds=0.3, backoff_us=20_000) > 0.3
