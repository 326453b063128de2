"""Runs whose contexts are user queues."""

from __future__ import annotations

import errno

import pytest

from fencepost import Runtime
from fencepost.errors import BadInput
from fencepost.events.kinds import BATCH, JOB_RUN
from fencepost.fences import Fence
from fencepost.lab.faults import FaultKind, FaultSetup, check_fault
from fencepost.lab.runner.doorbell_machine import DoorbellMachine
from fencepost.lab.setup import Setup
from tests.lab.runner.kit import RunText, client, with_fault


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


def test_a_firmware_that_dies_is_refused() -> None:
    fault = FaultSetup("a.toml:1", "firmware_death", None, 0.0)
    with pytest.raises(BadInput, match=r"a\.toml:1, kind: found firmware_death, expected submission guc"):
        check_fault(fault, ["a"], ["rcs0"], "doorbell")


@pytest.mark.parametrize(("kind", "target"), [("hang", "a"), ("page_fault", "a"), ("engine_reset", "rcs0")])
def test_what_goes_wrong_costs_the_queue_it_happens_to(kind: FaultKind, target: str | None) -> None:
    result = with_fault("doorbell", kind, target)
    assert [workload.cycles for workload in result.workloads] == [30, 30]
    assert [workload.jobs_lost for workload in result.workloads] == [1, 0]
    assert [workload.guilty for workload in result.workloads] == [1, 0]
    assert result.faults[0].hit
    assert [(recovery.status, recovery.client) for recovery in result.recoveries] == [("reset", "a")]
    assert result.violations == ()
    assert result.statistics.fences_armed == result.statistics.fences_signaled
