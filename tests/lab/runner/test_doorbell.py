"""Runs whose contexts are user queues."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from fencepost import Runtime
from fencepost.errors import BadInput
from fencepost.events.kinds import BATCH, JOB_RUN
from fencepost.fences import Fence
from fencepost.lab.faults import FaultKind, FaultSetup, check_fault
from fencepost.lab.result import RunResult
from fencepost.lab.runner import run
from fencepost.lab.runner.doorbell_machine import DoorbellMachine
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.lab.wsim import load, parse_text
from fencepost.policies import Priority

RunText = Callable[..., RunResult]

WORKLOADS = Path(__file__).parents[4] / "shared" / "workloads"


def client(text: str, name: str = "a", priority: Priority = Priority.NORMAL, repeats: int | None = 1) -> ClientSetup:
    return ClientSetup(name, parse_text(text, name="game", where="-w"), priority=priority, repeats=repeats)


@pytest.mark.slow
@pytest.mark.parametrize("dispatch", ["thread", "workqueue"])
@pytest.mark.parametrize("world", ["virtual", "native"])
@pytest.mark.parametrize("path", sorted(WORKLOADS.glob("*.wsim")) or [None], ids=lambda path: path and path.stem)
def test_every_workload_runs(
    path: Path | None, world: Literal["virtual", "native"], dispatch: Literal["thread", "workqueue"]
) -> None:
    if path is None:
        pytest.skip(f"no workloads in {WORKLOADS}")
    clients = tuple(ClientSetup(name, load(path), repeats=3) for name in ("a", "b"))
    result = run(Setup("test", clients, world=world, dispatch=dispatch, submission="doorbell", keep_events=True))
    assert result.violations == ()
    assert result.deadlock is None
    assert [workload.cycles for workload in result.workloads] == [3, 3]
    statistics = result.statistics
    assert statistics.jobs_completed == statistics.jobs_submitted
    assert statistics.fences_armed == statistics.fences_signaled


def test_a_job_is_handed_over_by_its_client_and_no_actor() -> None:
    """In the virtual world no actor can take a step before the client sleeps."""
    with Runtime(world="virtual") as rt:
        machine = DoorbellMachine(Setup("test", (client("d.1"),)), rt)
        entity = machine.entity(client("d.1"), "ctx", ("rcs0",))
        outside = Fence(name="outside")
        job = entity.submit(10, deps=[outside])
        assert job.scheduled.signaled
        assert rt.events is not None
        assert len(list(rt.events.of(JOB_RUN))) == 1
        rt.world.timers.call_at(5_000, outside.signal)
        job.finished.wait()
        assert job.finished.timestamp_ns == 15_000
        assert job.finished.parent is not None


def test_a_client_pays_for_what_its_queue_has_executed_also_where_that_was_lost() -> None:
    with Runtime(world="virtual") as rt:
        machine = DoorbellMachine(Setup("test", (client("d.1"),), timeout_s=1e-3), rt)
        payer = rt.cgroups.card("card0", rt.schedulers, engines={"rcs": 1}).open("a")
        entity = machine.entity(client("d.1"), "ctx", ("rcs0",))
        payer.adopt(entity)
        entity.submit(10).finished.wait()
        assert payer.used_ns() == {"rcs": 10_000}
        hung = entity.submit()
        hung.finished.wait()
        assert hung.finished.error == -errno.ETIME
        assert payer.used_ns() == {"rcs": 1_010_000}


def test_what_comes_between_arm_and_death_of_its_queue_ends_with_an_error() -> None:
    with Runtime(world="virtual") as rt:
        entity = DoorbellMachine(Setup("test", (client("d.1"),)), rt).entity(client("d.1"), "ctx", ("rcs0",))
        job = entity.job(duration_us=10)
        job.arm()
        entity.kill()
        job.push()
        assert (job.scheduled.signaled, job.finished.error) == (True, -errno.ECANCELED)
    assert rt.statistics().fences_armed == rt.statistics().fences_signaled


def test_a_dependency_is_waited_for_in_the_ring(run_text: RunText) -> None:
    """The second batch does not begin before the first one ends, on another engine; the third one does."""
    result = run_text("1.RCS.500.0.0,2.BCS.100.-1.0,3.VCS.100.0.1,s.-2", submission="doorbell", keep_events=True)
    begin = {event[2]: event[6] for event in result.events if event[1] == BATCH}
    assert begin == {"rcs0": 0, "bcs0": 500_000, "vcs0": 0}


def test_batches_of_two_contexts_take_turns(run_text: RunText) -> None:
    """On a ring the second would wait for the first."""
    result = run_text("X.1.100,1.RCS.10000.0.0,X.2.100,2.RCS.2000.0.1", submission="doorbell")
    assert result.workloads[0].cycle_times_us == (4000.0,)
    assert result.workloads[0].no_effect == ()


def test_a_context_that_cannot_be_preempted_keeps_the_engine(run_text: RunText) -> None:
    result = run_text("X.1.0,1.RCS.10000.0.0,2.RCS.2000.0.1", submission="doorbell")
    assert result.workloads[0].cycle_times_us == (12000.0,)


def test_priorities_are_the_firmwares() -> None:
    clients = (client("1.RCS.5000.0.1", "low", Priority.LOW), client("d.1000,1.RCS.5000.0.1", "high", Priority.HIGH))
    result = run(Setup("test", clients, world="virtual", submission="doorbell"))
    assert [workload.cycle_times_us for workload in result.workloads] == [(10000.0,), (6000.0,)]


def test_a_context_changes_its_priority(run_text: RunText) -> None:
    text = "1.RCS.100.0.1,P.2.1,1.RCS.5000.0.0,2.RCS.1000.0.1"
    assert run_text(text, submission="doorbell").workloads[0].cycle_times_us == (1100.0,)


def test_a_virtual_engine_is_one_queue(run_text: RunText) -> None:
    result = run_text("M.1.VCS,B.1,M.2.VCS,B.2,1.VCS.1000.0.0,2.VCS.500.0.0,1.VCS.700.0.1", submission="doorbell")
    assert result.workloads[0].gpu_time_us == {"vcs0": 1700.0, "vcs1": 500.0}
    assert result.workloads[0].cycle_times_us == (1700.0,)


def test_an_unbounded_batch_ends_when_told(run_text: RunText) -> None:
    result = run_text("1.RCS.*.0.0,2.BCS.500.0.1,T.-2,s.-3", submission="doorbell")
    assert result.workloads[0].cycle_times_us == (500.0,)


def test_what_chooses_nothing_is_refused_where_it_is_wrong(run_text: RunText) -> None:
    with pytest.raises(BadInput, match="policy: found 'luck', expected one of"):
        run_text("d.1", submission="doorbell", policy="luck")
    with pytest.raises(BadInput, match="recovery: found kill_vm, expected none with submission doorbell"):
        run_text("d.1", submission="doorbell", recovery="kill_vm")


def test_a_firmware_that_dies_is_refused() -> None:
    fault = FaultSetup("a.toml:1", "firmware_death", None, 0.0)
    with pytest.raises(BadInput, match=r"a\.toml:1, kind: found firmware_death, expected submission guc"):
        check_fault(fault, ["a"], ["rcs0"], "doorbell")


def with_fault(kind: FaultKind, target: str | None, restart_s: float | None = None) -> RunResult:
    faults = (FaultSetup("a.toml:1", kind, target, 0.0101, restart_s=restart_s),)
    clients = (client("1.RCS.2000.0.1", "a", repeats=30), client("1.RCS.2000.0.1", "b", repeats=30))
    return run(
        Setup(
            "test",
            clients,
            world="virtual",
            submission="doorbell",
            timeout_s=0.05,
            faults=faults,
            keep_events=True,
        )
    )


@pytest.mark.parametrize(("kind", "target"), [("hang", "a"), ("page_fault", "a"), ("engine_reset", "rcs0")])
def test_what_goes_wrong_costs_the_queue_it_happens_to(kind: FaultKind, target: str | None) -> None:
    result = with_fault(kind, target)
    assert [workload.cycles for workload in result.workloads] == [30, 30]
    assert [workload.jobs_lost for workload in result.workloads] == [1, 0]
    assert [workload.guilty for workload in result.workloads] == [1, 0]
    assert result.faults[0].hit
    assert [(recovery.status, recovery.client) for recovery in result.recoveries] == [("reset", "a")]
    assert result.violations == ()
    assert result.statistics.fences_armed == result.statistics.fences_signaled


def test_a_suspended_client_is_away_for_a_while() -> None:
    result = with_fault("suspend", "a", restart_s=0.04)
    suspended, other = result.workloads
    assert (suspended.cycles, other.cycles) == (30, 30)
    assert suspended.time_us is not None
    assert suspended.time_us.max > 40_000
    assert suspended.jobs_lost == 0


def test_a_client_that_is_killed_comes_back() -> None:
    result = with_fault("kill_client", "a", restart_s=0.02)
    assert [workload.cycles for workload in result.workloads] == [30, 30]
    assert [workload.contexts_lost for workload in result.workloads] == [1, 0]
    assert [workload.guilty for workload in result.workloads] == [0, 0]
    assert result.violations == ()


def test_an_unplugged_device_ends_everything() -> None:
    result = with_fault("unplug", None)
    assert [workload.device_lost for workload in result.workloads] == [True, True]
    assert [recovery.status for recovery in result.recoveries] == ["device gone"]
    assert result.statistics.fences_armed == result.statistics.fences_signaled
