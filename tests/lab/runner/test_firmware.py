"""Runs in which a firmware schedules: contexts of a GuC-like one, and user queues."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

import pytest

from fencepost.errors import BadInput
from fencepost.lab.runner import run
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.lab.wsim import load
from fencepost.policies import Priority
from tests.lab.runner.kit import RunText, client, with_fault

Firmware: TypeAlias = Literal["guc", "doorbell"]

WORKLOADS = Path(__file__).parents[4] / "shared" / "workloads"


@pytest.fixture(params=["guc", "doorbell"])
def submission(request: pytest.FixtureRequest) -> Firmware:
    name: Firmware = request.param
    return name


@pytest.mark.slow
@pytest.mark.parametrize("dispatch", ["thread", "workqueue"])
@pytest.mark.parametrize("world", ["virtual", "native"])
@pytest.mark.parametrize("path", sorted(WORKLOADS.glob("*.wsim")) or [None], ids=lambda path: path and path.stem)
def test_every_workload_runs(
    path: Path | None,
    world: Literal["virtual", "native"],
    dispatch: Literal["thread", "workqueue"],
    submission: Firmware,
) -> None:
    if path is None:
        pytest.skip(f"no workloads in {WORKLOADS}")
    clients = tuple(ClientSetup(name, load(path), repeats=3) for name in ("a", "b"))
    result = run(Setup("test", clients, world=world, dispatch=dispatch, submission=submission, keep_events=True))
    assert result.violations == ()
    assert result.deadlock is None
    assert [workload.cycles for workload in result.workloads] == [3, 3]
    statistics = result.statistics
    assert statistics.jobs_completed == statistics.jobs_submitted
    assert statistics.fences_armed == statistics.fences_signaled


def test_batches_of_two_contexts_take_turns(run_text: RunText, submission: Firmware) -> None:
    """On a ring the second would wait for the first."""
    result = run_text("X.1.100,1.RCS.10000.0.0,X.2.100,2.RCS.2000.0.1", submission=submission)
    assert result.workloads[0].cycle_times_us == (4000.0,)
    assert result.workloads[0].no_effect == ()


def test_a_context_that_cannot_be_preempted_keeps_the_engine(run_text: RunText, submission: Firmware) -> None:
    result = run_text("X.1.0,1.RCS.10000.0.0,2.RCS.2000.0.1", submission=submission)
    assert result.workloads[0].cycle_times_us == (12000.0,)


def test_priorities_are_the_firmwares(submission: Firmware) -> None:
    clients = (client("1.RCS.5000.0.1", "low", Priority.LOW), client("d.1000,1.RCS.5000.0.1", "high", Priority.HIGH))
    result = run(Setup("test", clients, world="virtual", submission=submission))
    assert [workload.cycle_times_us for workload in result.workloads] == [(10000.0,), (6000.0,)]


def test_a_context_changes_its_priority(run_text: RunText, submission: Firmware) -> None:
    text = "1.RCS.100.0.1,P.2.1,1.RCS.5000.0.0,2.RCS.1000.0.1"
    assert run_text(text, submission=submission).workloads[0].cycle_times_us == (1100.0,)


def test_a_virtual_engine_is_one_context_of_the_firmware(run_text: RunText, submission: Firmware) -> None:
    result = run_text("M.1.VCS,B.1,M.2.VCS,B.2,1.VCS.1000.0.0,2.VCS.500.0.0,1.VCS.700.0.1", submission=submission)
    assert result.workloads[0].gpu_time_us == {"vcs0": 1700.0, "vcs1": 500.0}
    assert result.workloads[0].cycle_times_us == (1700.0,)


def test_an_unbounded_batch_ends_when_told(run_text: RunText, submission: Firmware) -> None:
    result = run_text("1.RCS.*.0.0,2.BCS.500.0.1,T.-2,s.-3", submission=submission)
    assert result.workloads[0].cycle_times_us == (500.0,)


def test_a_suspended_client_is_away_for_a_while(submission: Firmware) -> None:
    result = with_fault(submission, "suspend", "a", restart_s=0.04)
    suspended, other = result.workloads
    assert (suspended.cycles, other.cycles) == (30, 30)
    assert suspended.time_us is not None
    assert suspended.time_us.max > 40_000
    assert suspended.jobs_lost == 0


def test_what_chooses_nothing_is_refused_where_it_is_wrong(run_text: RunText, submission: Firmware) -> None:
    with pytest.raises(BadInput, match="policy: found 'luck', expected one of"):
        run_text("d.1", submission=submission, policy="luck")
    with pytest.raises(BadInput, match=f"recovery: found kill_vm, expected none with submission {submission}"):
        run_text("d.1", submission=submission, recovery="kill_vm")


def test_a_client_that_is_killed_comes_back(submission: Firmware) -> None:
    result = with_fault(submission, "kill_client", "a", restart_s=0.02)
    assert [workload.cycles for workload in result.workloads] == [30, 30]
    assert [workload.contexts_lost for workload in result.workloads] == [1, 0]
    assert [workload.guilty for workload in result.workloads] == [0, 0]
    assert result.violations == ()


def test_an_unplugged_device_ends_everything(submission: Firmware) -> None:
    result = with_fault(submission, "unplug", None)
    assert [workload.device_lost for workload in result.workloads] == [True, True]
    assert [recovery.status for recovery in result.recoveries] == ["device gone"]
    assert result.statistics.fences_armed == result.statistics.fences_signaled
