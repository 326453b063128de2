"""Resets of an engine and of a whole GPU, and what runs again after them."""

from __future__ import annotations

import errno

import pytest

from fencepost import Runtime
from fencepost.actors import Status
from fencepost.errors import BadInput
from fencepost.events.kinds import JOB_REQUEUED
from fencepost.hw import Gpu
from fencepost.policies import FullReset, Health, KillVm
from tests.hw.gpu_machine import TIMEOUT_S, TWO, Machine, errors, is_refused

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
