"""Hangs on a GPU: who is to blame, what is told of it, and when the device is lost."""

from __future__ import annotations

import errno
import json

import pytest

from fencepost import Runtime
from fencepost.actors import Scheduler, Status
from fencepost.errors import BadInput
from fencepost.hw import Gpu
from fencepost.policies import Health, Priority
from tests.hw.gpu_machine import TIMEOUT_S, TWO, Machine, errors, is_refused

# What it is made of.


def test_schedulers_of_a_gpu_share_a_reset_domain(rt: Runtime) -> None:
    gpu = Gpu(TWO)
    one, two = (rt.scheduler(gpu.ring(name)) for name in ("rcs0", "ccs0"))
    assert one.domain is not None
    assert one.domain is two.domain
    assert one.domain.name == "gpu"
    assert rt.scheduler(Gpu().ring("rcs0")).domain is not one.domain


def test_a_scheduler_may_be_given_another_domain(rt: Runtime) -> None:
    domain = rt.reset_domain("mine")
    assert rt.scheduler(Gpu().ring("rcs0"), domain=domain).domain is domain


def test_an_unknown_recovery_is_refused() -> None:
    with pytest.raises(BadInput, match="recovery: found 'hope', expected one of engine_reset, kill_vm, full_reset"):
        Gpu(recovery="hope")


def test_a_negative_hang_limit_is_refused(rt: Runtime) -> None:
    with pytest.raises(BadInput, match="hang_limit: found -1"):
        rt.scheduler(Gpu().ring("rcs0"), hang_limit=-1)


# Blame.


def test_a_hang_within_the_limit_is_forgiven_to_an_idempotent_job(rt: Runtime) -> None:
    ring = Gpu().ring("rcs0")
    entity = rt.scheduler(ring, timeout_s=TIMEOUT_S, hang_limit=1).entity()
    job = entity.submit(1.5 * TIMEOUT_S * 1e6, idempotent=True)
    assert errors(job) == [-errno.ETIMEDOUT]
    assert job.finished.timestamp_ns == 2 * TIMEOUT_S * 1e9
    assert entity.status().hangs == 2
    assert entity.status().health is Health.GUILTY


def test_the_kernel_is_never_to_blame_and_in_the_end_the_device_is_wedged(rt: Runtime) -> None:
    machine = Machine(rt, Gpu(TWO))
    kernel = machine.schedulers[0].entity(priority=Priority.KERNEL)
    job = kernel.submit()
    assert errors(job) == [-errno.ECANCELED]
    assert job.finished.timestamp_ns == 3 * TIMEOUT_S * 1e9
    assert kernel.status().hangs == 0
    assert machine.domain.wedged


# Wedged, and gone.


def test_when_a_reset_fails_the_device_is_wedged(rt: Runtime) -> None:
    """All that was pushed ends, also what was not on the hardware yet; nothing more is taken, by nobody."""
    machine = Machine(rt, Gpu(TWO), credit_limit=1)
    machine.gpu.break_resets()
    hung, other = machine.entities[0].submit(), machine.entities[1].submit(1.5 * TIMEOUT_S * 1e6)
    queued = machine.entities[1].submit(1)
    assert errors(hung, other, queued) == [-errno.ETIMEDOUT, -errno.EIO, -errno.EIO]
    assert machine.domain.wedged
    assert machine.domain.count(Status.WEDGED) == 1
    late = machine.schedulers[0].entity()
    assert all(is_refused(entity, errno.EIO) for entity in (machine.entities[1], late))
    assert machine.health() == [Health.GUILTY, Health.INNOCENT]


def test_a_device_that_is_gone_refuses_with_enodev(rt: Runtime) -> None:
    machine = Machine(rt, Gpu(TWO))
    job = machine.entities[0].submit()
    machine.domain.unplug()
    assert errors(job) == [-errno.ENODEV]
    with pytest.raises(OSError, match="takes jobs") as refusal:
        machine.entities[1].submit(1)
    assert refusal.value.errno == errno.ENODEV


# What is told.


def test_a_fault_record_is_there_before_the_fence_tells_the_error(rt: Runtime) -> None:
    machine = Machine(rt, Gpu(TWO))
    seen: list[list[tuple[int, int]]] = []
    job = machine.entities[0].job()
    job.arm()
    job.finished.add_callback(lambda _: seen.append([record.job for record in machine.domain.read_faults()]))
    job.push()
    assert errors(job) == [-errno.ETIMEDOUT]
    assert seen == [[(job.finished.context, job.finished.seqno)]]


def test_fault_records_tell_whose_job_it_was(rt: Runtime) -> None:
    machine = Machine(rt, Gpu(TWO))
    assert errors(machine.entities[0].submit()) == [-errno.ETIMEDOUT]
    (record,) = machine.domain.read_faults()
    assert (record.scheduler, record.client, record.vm) == ("rcs0", "client0", "client0")
    assert (record.error, record.health, record.time_ns) == (-errno.ETIMEDOUT, Health.GUILTY, TIMEOUT_S * 1e9)
    assert machine.domain.read_faults() == ()


def test_the_first_hang_leaves_a_snapshot_until_it_is_cleared(rt: Runtime) -> None:
    machine = Machine(rt, Gpu(TWO))
    before = machine.domain.snapshot
    assert errors(machine.entities[0].submit(), machine.entities[1].submit()) == [-errno.ETIMEDOUT] * 2
    snapshot = machine.domain.snapshot
    assert before is None
    assert snapshot is not None
    assert json.loads(json.dumps(snapshot)) == snapshot
    first, second = snapshot["schedulers"]
    assert (first["name"], first["stopped"], second["stopped"]) == ("rcs0", True, False)
    (job,) = first["pending"]
    assert (job["hardware"]["signaled"], job["finished"]["error"]) == (False, 0)
    assert [(queue["client"], queue["health"]) for queue in snapshot["queues"]] == [("client0", "healthy")]
    assert "job_timedout" in {event["kind"] for event in snapshot["events"]}
    machine.domain.clear_snapshot()
    assert machine.domain.snapshot is None


def test_statistics_of_a_domain_and_of_its_queues(rt: Runtime) -> None:
    machine = Machine(rt, Gpu(TWO))
    errors(machine.entities[0].submit())
    statistics = machine.domain.statistics()
    assert (statistics.resets, statistics.killed_jobs, statistics.guilty_queues) == (1, 1, 1)
    assert [entity.status().resets for entity in machine.entities] == [1, 1]
    assert machine.schedulers[1].entity().status().resets == 0
    assert machine.entities[0].status().error == -errno.ECANCELED


# Device lost.


def test_wait_idle_tells_of_a_lost_job_for_ever(rt: Runtime) -> None:
    machine = Machine(rt, Gpu(TWO))
    assert machine.entities[0].wait_idle()
    machine.entities[0].submit()
    machine.entities[1].submit(1)
    assert not machine.entities[0].wait_idle(0)
    for _ in range(2):
        with pytest.raises(OSError, match="has lost jobs") as lost:
            machine.entities[0].wait_idle()
        assert lost.value.errno == errno.ETIMEDOUT
    assert machine.entities[1].wait_idle()


# Time.


def test_each_ring_of_an_engine_is_charged_for_what_it_executed(rt: Runtime) -> None:
    """The one that waits for the other behind a long job is not charged for waiting."""
    gpu = Gpu({"rcs": 1}, preempt_us=0)
    schedulers: list[Scheduler] = [rt.scheduler(gpu.ring("rcs0"), credit_limit=2) for _ in range(2)]
    long, short = (each.entity() for each in schedulers)
    first, second = long.submit(100), short.submit(1)
    errors(first, second)
    parents = [job.finished.parent for job in (first, second)]
    assert [getattr(parent, "executed_ns", None) for parent in parents] == [100_000, 1_000]
