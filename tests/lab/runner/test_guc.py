"""Runs whose contexts are queues of the firmware."""

from __future__ import annotations

import pytest

from fencepost.lab.faults import FaultKind
from tests.lab.runner.kit import with_fault


@pytest.mark.parametrize(
    ("kind", "target"), [("hang", "a"), ("page_fault", "a"), ("engine_reset", "rcs0"), ("firmware_death", None)]
)
def test_what_goes_wrong_costs_little(kind: FaultKind, target: str | None) -> None:
    result = with_fault("guc", kind, target)
    assert [workload.cycles for workload in result.workloads] == [30, 30]
    assert sum(workload.jobs_lost for workload in result.workloads) in (1, 2)
    assert result.faults[0].hit
    assert "reset" in {recovery.status for recovery in result.recoveries}
    assert result.violations == ()
    assert result.statistics.fences_armed == result.statistics.fences_signaled
