"""Page faults on a GPU: who is killed for them."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from fencepost import Runtime
from fencepost.actors import Status
from fencepost.checks.invariants import check_events, check_quiescent
from fencepost.hw import Gpu, GpuRing
from fencepost.policies import Health
from tests.hw.gpu_machine import TWO, Machine, errors, is_refused


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
