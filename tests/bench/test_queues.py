"""What the benches of queues and time-outs measure, where that does not hang on the speed of the machine."""

from __future__ import annotations

import pytest

from bench.queues import KEPT_LIMIT_KB, KINDS, kept_bytes
from bench.tdr import lateness_us


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("jobs", [False, True])
def test_a_queue_of_its_own_keeps_little(kind: str, jobs: bool) -> None:  # noqa: FBT001 - a parameter of a test
    assert 0 < kept_bytes(kind, 50, jobs=jobs) < KEPT_LIMIT_KB * 1000


def test_no_time_out_is_reported_early() -> None:
    late_us = lateness_us(50, 0.05, lead_s=1.0)
    assert len(late_us) == 50
    assert min(late_us) >= 0
