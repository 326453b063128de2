"""What recoveries leave behind: statuses, records, counts."""

from __future__ import annotations

import errno

import pytest

from fencepost.actors import Job, Recovery, Runtime, Status
from fencepost.actors.fault_log import FaultLog, FaultRecord
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.policies import Health, Priority
from tests.actors.scripted import ScriptedDriver


def record(seqno: int) -> FaultRecord:
    return FaultRecord(0, "rcs0", "e", "c", "vm", (1, seqno), -errno.EIO, Health.GUILTY)


def test_a_fault_log_counts_what_nobody_read_in_time() -> None:
    log = FaultLog(capacity=2)
    for seqno in range(3):
        log.add(record(seqno))
    assert [each.job[1] for each in log.take()] == [1, 2]
    log.add(record(3))
    assert (log.dropped, log.take()) == (1, (record(3),))


@pytest.mark.parametrize(
    ("asked", "vm"),
    [({"client": "game", "vm": "shared"}, "shared"), ({"client": "game"}, "game"), ({"name": "alone"}, "alone")],
)
def test_an_entity_is_in_the_address_space_it_names_or_in_its_clients_or_alone(asked: dict[str, str], vm: str) -> None:
    with Runtime("virtual") as rt:
        scheduler = rt.scheduler(MockBackend())
        assert scheduler.entity(**asked).vm == vm  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_a_job_is_not_idempotent_unless_its_client_says_so() -> None:
    with Runtime("virtual") as rt:
        entity = rt.scheduler(MockBackend()).entity()
        assert [entity.job(idempotent=True).idempotent, entity.job().idempotent] == [True, False]


def test_who_lost_nothing_is_healthy() -> None:
    with Runtime("virtual") as rt:
        entity = rt.scheduler(MockBackend(), timeout_s=1).entity()
        assert entity.submit(1).finished.wait()
        status = entity.status()
        assert (status.health, status.error, status.first_error) == (Health.HEALTHY, 0, 0)
        assert (status.resets, status.hangs, status.lost_jobs) == (0, 0, 0)


def test_the_first_error_of_a_queue_stays() -> None:
    with Runtime("virtual") as rt:
        entity = rt.scheduler(MockBackend(), timeout_s=0.001).entity()
        entity.submit().finished.wait()
        entity.submit(1).finished.wait()
        entity.submit(1, deps=[never := Fence()])
        entity.kill()
        never.signal()
        assert entity.flush(1)
        assert (entity.error, entity.status().first_error) == (-errno.ESRCH, -errno.ETIMEDOUT)


def test_a_status_can_be_asked_when_the_entity_is_gone() -> None:
    with Runtime("virtual") as rt:
        entity = rt.scheduler(MockBackend(), timeout_s=0.001).entity(vm="space")
        entity.submit().finished.wait()
        entity.fini()
        assert (entity.status().first_error, entity.vm, entity.banned) == (-errno.ETIMEDOUT, "space", False)


@pytest.mark.parametrize(("priority", "banned"), [(Priority.NORMAL, True), (Priority.KERNEL, False)])
def test_blame_bans_all_but_the_kernel(priority: Priority, banned: bool) -> None:  # noqa: FBT001 - the case
    def blame(job: Job, recovery: Recovery) -> Status:
        assert recovery.blame(job) is banned
        assert job.finished.parent is not None
        job.finished.parent.signal(-errno.EIO)
        return Status.RESET

    with Runtime("virtual") as rt:
        entity = rt.scheduler(ScriptedDriver(blame), timeout_s=0.001).entity(priority=priority)
        entity.submit().finished.wait()
        assert entity.banned is banned


def test_a_domain_counts_its_recoveries() -> None:
    with Runtime("virtual") as rt:
        device = MockBackend()
        scheduler = rt.scheduler(device, timeout_s=0.001)
        entity = scheduler.entity()
        entity.submit().finished.wait()
        spared = entity.job()
        spared.arm()
        device.spare(spared)
        spared.push()
        assert not spared.finished.wait(0.0015)
        device.advance()
        assert spared.finished.wait(1)
        assert scheduler.domain is not None
        statistics = scheduler.domain.statistics()
        assert (statistics.resets, statistics.spurious, scheduler.domain.resets) == (1, 1, 1)
        assert (statistics.killed_jobs, statistics.recovery_ns, statistics.longest_ns) == (0, 0, 0)
