"""What holds of every device."""

from __future__ import annotations

from itertools import pairwise

from fencepost import Runtime
from fencepost.events.kinds import BATCH

__all__ = ["assert_one_at_a_time"]


def assert_one_at_a_time(rt: Runtime) -> None:
    """Check by its events that no engine worked on two batches at once."""
    assert rt.events is not None
    by_engine: dict[str, list[tuple[int, int]]] = {}
    for _, _, engine, _, _, _, start_ns, end_ns in rt.events.of(BATCH):
        by_engine.setdefault(engine, []).append((start_ns, end_ns))
    for times in by_engine.values():
        assert all(before[1] <= after[0] for before, after in pairwise(times))
