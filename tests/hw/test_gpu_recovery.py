"""Hangs and faults on a GPU, and who pays for them."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable

import pytest

from fencepost import Runtime
from fencepost.actors import Entity, Job, Scheduler, Status
from fencepost.checks.invariants import check_events, check_quiescent
from fencepost.errors import BadInput
from fencepost.events.kinds import JOB_REQUEUED
from fencepost.hw import Gpu, GpuRing
from fencepost.policies import FullReset, Health, KillVm, Priority

TIMEOUT_S = 0.01
TWO = {"rcs": 1, "ccs": 1}


class Machine:
    """A GPU of two engines, a scheduler on each, and an entity of its own client for each."""

    def __init__(self, rt: Runtime, gpu: Gpu, *, credit_limit: int = 10, timeout_s: float | None = TIMEOUT_S) -> None:
        self.rt = rt
        self.gpu = gpu
        names = [name for names in gpu.engines.values() for name in names]
        self.schedulers = [
            rt.scheduler(gpu.ring(name), name, credit_limit=credit_limit, timeout_s=timeout_s) for name in names
        ]
        self.entities = [each.entity(client=f"client{index}") for index, each in enumerate(self.schedulers)]
        domain = self.schedulers[0].domain
        assert domain is not None
        self.domain = domain

    def sleep(self, us: int) -> None:
        self.rt.world.sleep_until(self.rt.world.now_ns() + us * 1000)

    def health(self) -> list[Health]:
        return [entity.status().health for entity in self.entities]


def errors(*jobs: Job) -> list[int]:
    """Wait for jobs, which no wait for them tells the outcome of; return that."""
    for job in jobs:
        assert job.finished.wait(1)
    return [job.finished.error for job in jobs]


def is_refused(entity: Entity, error: int) -> bool:
    with pytest.raises(OSError, match="takes no more jobs") as refusal:
        entity.submit(1)
    return refusal.value.errno == error


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


# Engine reset.


def test_an_engine_reset_kills_the_queue_that_hangs_and_nobody_else(rt: Runtime) -> None:
    """Another ring of the same engine, and another queue of the same ring, go on."""
    gpu = Gpu(TWO, preempt_us=0)
    machine = Machine(rt, gpu)
    other_ring = rt.scheduler(gpu.ring("rcs0"), "rcs0 too", timeout_s=TIMEOUT_S)
    other_queue = machine.schedulers[0].entity(client="client0")
    hung, behind = machine.entities[0].submit(), machine.entities[0].submit(1)
    same_ring, same_engine = other_queue.submit(1), other_ring.entity().submit(1)
    elsewhere = machine.entities[1].submit(TIMEOUT_S * 1e6 * 2 / 3)
    assert errors(hung, behind, same_ring, same_engine, elsewhere) == [
        -errno.ETIMEDOUT,
        -errno.ECANCELED,
        0,
        0,
        0,
    ]
    assert is_refused(machine.entities[0], errno.ECANCELED)
    assert machine.health() == [Health.GUILTY, Health.HEALTHY]
    assert other_queue.status().health is Health.HEALTHY
    other_queue.submit(1).finished.wait()


def test_what_is_queued_behind_a_killed_job_ends_too(rt: Runtime) -> None:
    machine = Machine(rt, Gpu(TWO), credit_limit=1)
    jobs = [machine.entities[0].submit(duration) for duration in (None, 1, 1)]
    assert errors(*jobs) == [-errno.ETIMEDOUT, -errno.ECANCELED, -errno.ECANCELED]


def test_a_reset_of_an_engine_takes_what_runs_on_it(rt: Runtime) -> None:
    machine = Machine(rt, Gpu(TWO), timeout_s=None)
    lost, other = machine.entities[0].submit(100), machine.entities[1].submit(100)
    machine.sleep(10)
    assert machine.gpu.reset("rcs0")
    assert errors(lost, other) == [-errno.EIO, 0]
    assert lost.finished.timestamp_ns == 10_000
    assert not machine.gpu.reset("rcs0")
    with pytest.raises(BadInput, match="engine: found 'vcs7'"):
        machine.gpu.reset("vcs7")


def test_a_job_that_waits_for_an_engine_is_not_taken_for_hung(rt: Runtime) -> None:
    """A ring of another scheduler, which may take for ever, holds the engine for a while."""
    gpu = Gpu({"rcs": 1}, preempt_us=0)
    holder = rt.scheduler(gpu.ring("rcs0")).entity()
    waiter = rt.scheduler(gpu.ring("rcs0"), timeout_s=TIMEOUT_S).entity()
    held = holder.submit(2.5 * TIMEOUT_S * 1e6)
    held.scheduled.wait()
    assert errors(held, waiter.submit(1)) == [0, 0]
    domain = waiter.scheduler.domain
    assert domain is not None
    assert domain.count(Status.NO_HANG) == 2


def test_who_holds_an_engine_for_too_long_is_to_blame(rt: Runtime) -> None:
    gpu = Gpu({"rcs": 1}, preempt_us=0)
    holder = rt.scheduler(gpu.ring("rcs0")).entity()
    waiter = rt.scheduler(gpu.ring("rcs0"), timeout_s=TIMEOUT_S).entity()
    held = holder.submit()
    held.scheduled.wait()
    assert errors(held, waiter.submit(1)) == [-errno.ETIMEDOUT, 0]
    assert (holder.status().health, waiter.status().health) == (Health.GUILTY, Health.HEALTHY)


# Page faults.


def test_a_fault_kills_its_address_space_everywhere(rt: Runtime) -> None:
    """Queues of one VM on two engines; another VM on both of them is untouched."""
    machine = Machine(rt, Gpu(TWO, recovery="kill_vm"), timeout_s=None)
    guilty = [each.entity(vm="guilty") for each in machine.schedulers]
    bad, same_vm = (entity.submit(100) for entity in guilty)
    machine.sleep(10)
    others = [entity.submit(100) for entity in machine.entities]
    machine.gpu.fault(bad)
    assert errors(bad, same_vm, *others) == [-errno.EIO, -errno.EIO, 0, 0]
    assert bad.finished.timestamp_ns == 10_000
    assert [entity.status().health for entity in guilty] == [Health.GUILTY, Health.GUILTY]
    assert all(is_refused(entity, errno.ECANCELED) for entity in guilty)
    assert machine.health() == [Health.HEALTHY, Health.HEALTHY]


def test_an_address_space_that_is_made_again_is_a_new_one(rt: Runtime) -> None:
    machine = Machine(rt, Gpu(TWO, recovery="kill_vm"))
    job = machine.entities[0].submit(1)
    machine.gpu.fault(job)
    assert errors(job) == [-errno.EIO]
    again = machine.schedulers[0].entity(client="client0")
    assert again.vm == machine.entities[0].vm == "client0"
    assert errors(again.submit(1)) == [0]


def test_a_job_faults_when_it_runs(rt: Runtime) -> None:
    machine = Machine(rt, Gpu(TWO), timeout_s=None)
    before = machine.entities[0].submit(10)
    job = machine.entities[0].job(duration_us=10)
    job.arm()
    machine.gpu.fault(job)
    job.push()
    assert errors(before, job) == [0, -errno.EIO]
    assert job.finished.timestamp_ns == 10_000


def test_a_fault_of_a_complete_job_is_ignored(rt: Runtime) -> None:
    machine = Machine(rt, Gpu(TWO))
    job = machine.entities[0].submit(1)
    assert errors(job) == [0]
    machine.gpu.fault(job)
    assert errors(machine.entities[0].submit(1)) == [0]


@pytest.mark.parametrize("recovery", ["engine_reset", "kill_vm"])
def test_when_nobody_knows_who_faulted_every_vm_on_the_gpu_is_killed(rt: Runtime, recovery: str) -> None:
    """T4-3: and one that was not on it goes on."""
    machine = Machine(rt, Gpu(TWO, recovery=recovery, preempt_us=0), timeout_s=None)
    waiting = machine.schedulers[0].entity(client="patient")
    jobs = [entity.submit(100) for entity in machine.entities]
    machine.sleep(1)
    behind = waiting.submit(1)
    machine.sleep(1)
    machine.gpu.fault(jobs[0], vm_known=False)
    assert errors(*jobs, behind) == [-errno.EIO, -errno.EIO, 0]
    assert machine.health() == [Health.UNKNOWN, Health.UNKNOWN]


def test_two_faults_at_a_time_are_both_found(rt: Runtime) -> None:
    machine = Machine(rt, Gpu(TWO, recovery="full_reset"), timeout_s=None)
    jobs = [entity.submit(100, idempotent=True) for entity in machine.entities]
    for job in jobs:
        machine.gpu.fault(job)
    assert errors(*jobs) == [-errno.EIO, -errno.EIO]
    assert machine.domain.count(Status.RESET) == 1


# Full reset.


def test_t4_1_a_full_reset_runs_an_idempotent_innocent_again(rt: Runtime) -> None:
    machine = Machine(rt, Gpu(TWO, recovery="full_reset"), timeout_s=None)
    guilty, half_done = machine.entities[0].submit(100), machine.entities[1].submit(100, idempotent=True)
    behind = machine.entities[1].submit(10)
    machine.sleep(50)
    hardware = half_done.finished.parent
    machine.gpu.fault(guilty)
    assert errors(guilty, half_done, behind) == [-errno.EIO, 0, 0]
    assert half_done.finished.parent is hardware
    assert (half_done.finished.timestamp_ns, behind.finished.timestamp_ns) == (150_000, 160_000)
    assert machine.health() == [Health.GUILTY, Health.HEALTHY]
    assert rt.events is not None
    assert len(rt.events.of(JOB_REQUEUED)) == 1
    assert machine.domain.statistics().requeued_jobs == 1
    assert machine.entities[1].wait_idle()


def test_t4_2_an_innocent_that_is_not_idempotent_is_killed_with_what_is_behind_it(rt: Runtime) -> None:
    machine = Machine(rt, Gpu(TWO, recovery="full_reset"), timeout_s=None)
    guilty, half_done = machine.entities[0].submit(100), machine.entities[1].submit(100)
    behind = machine.entities[1].submit(10)
    machine.sleep(50)
    machine.gpu.fault(guilty)
    assert errors(guilty, half_done, behind) == [-errno.EIO, -errno.ECANCELED, -errno.ECANCELED]
    assert machine.health() == [Health.GUILTY, Health.INNOCENT]
    assert is_refused(machine.entities[1], errno.ECANCELED)


def test_t4_4_what_had_ended_when_the_gpu_was_halted_is_a_success(rt: Runtime) -> None:
    """The job ends in the very nanosecond of the fault."""
    machine = Machine(rt, Gpu(TWO, recovery="full_reset"), timeout_s=None)
    guilty, complete = machine.entities[0].submit(100), machine.entities[1].submit(50)
    rt.world.timers.call_at(50_000, lambda: machine.gpu.fault(guilty))
    assert errors(guilty, complete) == [-errno.EIO, 0]


def test_what_has_not_started_is_not_lost_by_a_full_reset(rt: Runtime) -> None:
    machine = Machine(rt, Gpu({"rcs": 1}, recovery="full_reset", preempt_us=0))
    fresh = machine.schedulers[0].entity()
    hung = machine.entities[0].submit()
    hung.scheduled.wait()
    assert errors(hung, fresh.submit(1)) == [-errno.ETIMEDOUT, 0]


def test_a_job_runs_again_so_many_times_only(rt: Runtime) -> None:
    machine = Machine(rt, Gpu(TWO, recovery=FullReset(requeue_limit=1)), timeout_s=None)
    victim = machine.entities[1].submit(1000, idempotent=True)
    for number in range(2):
        bad = machine.schedulers[0].entity(f"bad{number}").submit(1)
        machine.gpu.fault(bad)
        assert errors(bad) == [-errno.EIO]
    assert errors(victim) == [-errno.ECANCELED]
    assert machine.entities[1].status().lost_jobs == 2
    assert machine.health()[1] is Health.INNOCENT


def test_recovery_can_be_a_policy_of_ones_own(rt: Runtime) -> None:
    class Mercy(KillVm):
        """Nobody in particular."""

    machine = Machine(rt, Gpu(TWO, recovery=Mercy()))
    assert errors(machine.entities[0].submit()) == [-errno.ETIMEDOUT]


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


# All of it in the native world.


@pytest.mark.parametrize("recovery", ["engine_reset", "kill_vm", "full_reset"])
@pytest.mark.parametrize("vm_known", [True, False])
def test_faults_at_any_moment_leave_nothing_behind(recovery: str, vm_known: bool) -> None:  # noqa: FBT001
    with Runtime(events=None) as runtime:
        gpu = Gpu(TWO, recovery=recovery)
        machine = Machine(runtime, gpu, timeout_s=1.0)

        def client(number: int) -> Callable[[], None]:
            def run() -> None:
                for round_ in range(10):
                    scheduler = machine.schedulers[(number + round_) % 2]
                    entity = scheduler.entity(f"c{number}.{round_}", client=f"c{number}")
                    jobs = [entity.job(duration_us=20, idempotent=bool(index % 2)) for index in range(5)]
                    for index, job in enumerate(jobs):
                        try:
                            job.arm()
                        except OSError as refusal:
                            assert refusal.errno == errno.ECANCELED  # noqa: PT017 - which refusal
                            break
                        if number == 0 and index == 3:
                            gpu.fault(job, vm_known=vm_known)
                        job.push()
                    assert entity.flush(10)
                    assert entity.ended_by(None)
                    if vm_known and number:
                        assert entity.status().health is not Health.GUILTY
                    entity.fini()

            return run

        for number in range(3):
            runtime.spawn(client(number))
    assert check_quiescent(runtime) == []
    assert runtime.events is not None
    assert check_events(runtime.events) == []
    assert isinstance(machine.schedulers[0].backend, GpuRing)
