"""Recovery, exact and in virtual time. The numbers T4-* are those of the behaviour specification."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import pytest

from fencepost import Runtime
from fencepost.actors import Entity, Job, Scheduler, Status
from fencepost.hw.agx import Agx, ChannelError, Commands, Hang, IgnoredHalt, LostNotices, PageFault
from fencepost.hw.agx.firmware import Firmware
from fencepost.hw.agx.messages import Resume
from fencepost.policies import Health
from fencepost.sync import current
from tests.hw.agx.kit import assert_consistent, assert_idle, ends, starts, work_queues

US = 1_000


@dataclass
class Scene:
    """A compute job of one address space and a render job of another, half done, with one queued behind it."""

    rt: Runtime
    agx: Agx
    schedulers: list[Scheduler]
    a: Job
    b: Job
    c: Job

    @property
    def jobs(self) -> list[Job]:
        return [self.a, self.b, self.c]

    def health(self) -> list[Health]:
        return [job.entity.status().health for job in (self.a, self.b)]


MakeScene = Callable[..., Scene]


@pytest.fixture
def scene(rt: Runtime) -> MakeScene:
    def made(*, idempotent: bool, at_us: int = 5, **arguments: object) -> Scene:
        agx = Agx(**arguments)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        schedulers = [agx.scheduler(rt, "compute"), agx.scheduler(rt, "render")]
        one = schedulers[0].entity(vm="vm1")
        other = schedulers[1].entity(vm="vm2")
        work = Commands(fragment_us=(10,))
        jobs = [one.submit(20), other.submit(work=work, idempotent=idempotent), other.submit(work=work)]
        rt.world.sleep_until(at_us * US)
        return Scene(rt, agx, schedulers, *jobs)

    return made


def submit_error(entity: Entity) -> int | None:
    """Return the errno with which a submission is refused, None if it is not."""
    try:
        entity.submit(1)
    except OSError as refused:
        return refused.errno
    return None


def test_t4_1_a_fault_kills_its_address_space_and_an_idempotent_bystander_runs_again(scene: MakeScene) -> None:
    it = scene(idempotent=True)
    it.agx.inject(PageFault("vm1", address=0xDEAD))
    assert ends(it.jobs) == [(-errno.EIO, 5), (0, 15), (0, 25)]
    assert it.health() == [Health.GUILTY, Health.HEALTHY]
    assert [starts(it.rt, job) for job in it.jobs] == [1, 2, 1]
    assert submit_error(it.a.entity) == errno.ECANCELED
    assert submit_error(it.b.entity) is None
    assert it.agx.domain.count(Status.RESET) == 1
    assert it.agx.domain.snapshot is not None
    assert [record.error for record in it.agx.domain.read_faults()] == [-errno.EIO, 0]


def test_t4_2_a_bystander_that_may_not_run_again_is_lost_with_its_queue(scene: MakeScene) -> None:
    it = scene(idempotent=False)
    it.agx.inject(PageFault("vm1"))
    assert ends(it.jobs) == [(-errno.EIO, 5), (-errno.ECANCELED, 5), (-errno.ECANCELED, 5)]
    assert it.health() == [Health.GUILTY, Health.INNOCENT]
    assert [starts(it.rt, job) for job in it.jobs] == [1, 1, 0]
    assert [submit_error(job.entity) for job in (it.a, it.b)] == [errno.ECANCELED] * 2


@pytest.mark.parametrize("idempotent", [True, False])
def test_t4_3_without_fault_information_all_on_the_gpu_are_killed(
    scene: MakeScene,
    idempotent: bool,  # noqa: FBT001 - the case
) -> None:
    it = scene(idempotent=idempotent)
    it.agx.inject(PageFault("vm1", vm_known=False))
    assert ends(it.jobs) == [(-errno.ENODATA, 5), (-errno.ENODATA, 5), (-errno.ECANCELED, 5)]
    assert it.health() == [Health.UNKNOWN] * 2


def test_t4_4_what_was_complete_when_all_was_halted_is_a_success_although_nobody_was_told(scene: MakeScene) -> None:
    it = scene(idempotent=False)
    it.agx.inject(LostNotices(1))
    it.rt.world.sleep_until(12 * US)
    assert not it.b.finished.signaled
    it.agx.inject(PageFault("vm1"))
    assert ends(it.jobs) == [(-errno.EIO, 12), (0, 10), (-errno.ECANCELED, 12)]
    assert it.health() == [Health.GUILTY, Health.INNOCENT]


def test_t4_5_faults_during_the_recovery_of_a_fault_come_to_an_end(rt: Runtime) -> None:
    """Each address space that comes to run next faults at once; there are more of them than the limit."""
    agx = Agx(halt_limit=3)
    schedulers = [agx.scheduler(rt) for _ in range(6)]
    jobs = [scheduler.entity(vm=f"vm{number}").submit(10) for number, scheduler in enumerate(schedulers)]
    rt.world.sleep_until(5 * US)
    for number in range(6):
        agx.inject(PageFault(f"vm{number}"))
    errors = [error for error, _ in ends(jobs)]
    assert errors == [-errno.EIO] * 6
    assert agx.domain.wedged
    assert agx.domain.count(Status.WEDGED) == 1
    assert [job.entity.status().health for job in jobs] == [Health.GUILTY] * 4 + [Health.INNOCENT] * 2
    assert submit_error(jobs[5].entity) == errno.EIO


def test_faults_up_to_the_limit_are_survived(rt: Runtime) -> None:
    agx = Agx(halt_limit=3)
    schedulers = [agx.scheduler(rt) for _ in range(4)]
    jobs = [scheduler.entity(vm=f"vm{number}").submit(10) for number, scheduler in enumerate(schedulers)]
    rt.world.sleep_until(5 * US)
    for number in range(3):
        agx.inject(PageFault(f"vm{number}"))
    assert ends(jobs) == [(-errno.EIO, 5)] * 3 + [(0, 15)]
    assert (agx.domain.resets, agx.crashed) == (1, False)
    assert_idle(agx, schedulers)


def test_a_command_that_takes_too_long_is_found_by_the_firmware(scene: MakeScene) -> None:
    it = scene(idempotent=True, at_us=1, timeout_s=15e-6)
    it.agx.inject(Hang("vm1"))
    assert ends(it.jobs) == [(-errno.ETIMEDOUT, 15), (0, 10), (-errno.ECANCELED, 15)]
    assert it.health() == [Health.GUILTY, Health.INNOCENT]


def test_a_channel_error_is_blamed_on_its_queue(scene: MakeScene) -> None:
    it = scene(idempotent=True)
    it.agx.inject(ChannelError("vm1"))
    assert ends(it.jobs) == [(-errno.EIO, 5), (0, 15), (0, 25)]
    assert it.health() == [Health.GUILTY, Health.HEALTHY]


def test_a_job_that_has_had_its_time_is_found_by_its_scheduler(rt: Runtime) -> None:
    agx = Agx()
    scheduler, other = agx.scheduler(rt, timeout_s=0.001), agx.scheduler(rt, "render")
    hung, behind, fine = scheduler.entity(), scheduler.entity(), other.entity()
    jobs = [hung.submit(), behind.submit(10), fine.submit(1990, idempotent=True)]
    assert ends(jobs) == [(-errno.ETIMEDOUT, 1000), (0, 1010), (0, 995 + 995 + 5)]
    assert_idle(agx, [scheduler, other])


def test_a_job_that_waits_for_others_does_not_hang(rt: Runtime) -> None:
    agx = Agx()
    one, other = agx.scheduler(rt), agx.scheduler(rt, timeout_s=0.001)
    jobs = [one.entity().submit(4500), other.entity().submit(600)]
    assert ends(jobs) == [(0, 4500), (0, 5100)]
    assert agx.domain.count(Status.NO_HANG) == 5
    assert agx.domain.resets == 0


def test_what_a_lost_notice_hides_is_found_by_the_time_out(rt: Runtime) -> None:
    agx = Agx()
    scheduler = agx.scheduler(rt, timeout_s=0.001)
    job = scheduler.entity().submit(10)
    job.scheduled.wait()
    agx.inject(LostNotices())
    done_at_us: list[int] = []
    job.finished.add_callback(lambda _: done_at_us.append(rt.world.now_ns() // US))
    assert ends([job]) == [(0, 10)]
    assert done_at_us == [1000]
    assert agx.domain.count(Status.NO_HANG) == 1


def test_a_job_runs_again_only_so_often(rt: Runtime) -> None:
    agx = Agx()
    victims, culprits = agx.scheduler(rt, "render"), agx.scheduler(rt)
    job = victims.entity(vm="good").submit(work=Commands(fragment_us=(100,)), idempotent=True)
    for number in range(3):
        bad = culprits.entity(vm=f"bad{number}").submit()
        rt.world.sleep_until((number + 1) * 10 * US)
        agx.inject(PageFault(f"bad{number}"))
        assert ends([bad]) == [(-errno.EIO, (number + 1) * 10)]
    assert ends([job]) == [(-errno.ECANCELED, 30)]
    assert starts(rt, job) == 3


def test_a_job_whose_successor_has_started_does_not_run_again(rt: Runtime) -> None:
    """The vertices of the next job are executed beside the fragments of the bystander."""
    agx = Agx()
    scheduler = agx.scheduler(rt, "render")
    entity = scheduler.entity(vm="good")
    jobs = [
        agx.scheduler(rt).entity(vm="bad").submit(),
        entity.submit(work=Commands(vertex_us=(5,), fragment_us=(50,)), idempotent=True),
        entity.submit(work=Commands(vertex_us=(5,), fragment_us=(50,)), idempotent=True),
    ]
    rt.world.sleep_until(20 * US)
    agx.inject(PageFault("bad"))
    assert ends(jobs) == [(-errno.EIO, 20), (-errno.ECANCELED, 20), (-errno.ECANCELED, 20)]
    assert entity.status().health is Health.INNOCENT


def test_what_runs_again_repeats_only_what_was_cut_off(rt: Runtime) -> None:
    agx = Agx()
    entity = agx.scheduler(rt, "render").entity(vm="good")
    bad = agx.scheduler(rt).entity(vm="bad").submit()
    job = entity.submit(work=Commands(vertex_us=(10,), fragment_us=(10, 10)), idempotent=True)
    rt.world.sleep_until(25 * US)
    agx.inject(PageFault("bad"))
    assert ends([bad, job]) == [(-errno.EIO, 25), (0, 35)]


def test_all_queues_of_the_guilty_address_space_are_banned_wherever_they_are(rt: Runtime) -> None:
    agx = Agx()
    schedulers = [agx.scheduler(rt), agx.scheduler(rt, "render"), agx.scheduler(rt)]
    faulting, sibling, other = (
        scheduler.entity(vm=vm) for scheduler, vm in zip(schedulers, ("bad", "bad", "good"), strict=True)
    )
    idle = schedulers[2].entity(vm="bad")
    jobs = [faulting.submit(), sibling.submit(10), sibling.submit(10), other.submit(10)]
    rt.world.sleep_until(2 * US)
    agx.inject(PageFault("bad"))
    assert ends(jobs) == [(-errno.EIO, 2), (-errno.EIO, 2), (-errno.ECANCELED, 2), (0, 12)]
    assert [submit_error(entity) for entity in (faulting, sibling, idle, other)] == [errno.ECANCELED] * 3 + [None]


def test_jobs_that_were_held_are_killed_without_having_been_there(rt: Runtime) -> None:
    agx = Agx(event_slots=1)
    schedulers = [agx.scheduler(rt), agx.scheduler(rt), agx.scheduler(rt)]
    jobs = [
        scheduler.entity(vm=vm).submit(10) for scheduler, vm in zip(schedulers, ("bad", "bad", "good"), strict=True)
    ]
    rt.world.sleep_until(4 * US)
    agx.inject(PageFault("bad"))
    assert ends(jobs) == [(-errno.EIO, 4), (-errno.ECANCELED, 4), (0, 14)]
    assert [starts(rt, job) for job in jobs] == [1, 0, 1]
    # I2, I16: the firmware has not even seen it.
    assert [queue.cpu_wptr.value for queue in work_queues(schedulers)] == [1, 0, 1]
    assert_idle(agx, schedulers)


def test_a_fault_of_what_runs_again_cuts_off_what_was_to_follow(rt: Runtime) -> None:
    agx = Agx()
    culprit, second, third = (
        agx.scheduler(rt, kinds).entity(vm=vm)
        for kinds, vm in (("compute", "vm1"), ("render", "vm2"), ("render", "vm3"))
    )
    jobs = [
        culprit.submit(),
        second.submit(work=Commands(vertex_us=(10,)), idempotent=True),
        third.submit(work=Commands(fragment_us=(10,)), idempotent=True),
    ]
    rt.world.sleep_until(5 * US)
    agx.inject(PageFault("vm1"))
    agx.inject(PageFault("vm2"))
    assert ends(jobs) == [(-errno.EIO, 5), (-errno.EIO, 5), (0, 15)]
    assert starts(rt, jobs[2]) == 2
    assert agx.domain.count(Status.RESET) == 1


@pytest.mark.parametrize("recovery", ["engine_reset", "full_reset"])
def test_another_policy_spares_the_other_queues_of_the_culprit(rt: Runtime, recovery: str) -> None:
    agx = Agx(recovery=recovery)
    one, other = agx.scheduler(rt, timeout_s=0.001).entity(vm="vm"), agx.scheduler(rt).entity(vm="vm")
    jobs = [one.submit(), other.submit(10)]
    assert ends(jobs) == [(-errno.ETIMEDOUT, 1000), (0, 1010)]


def test_a_gpu_that_does_not_halt_in_time_has_crashed(scene: MakeScene) -> None:
    it = scene(idempotent=True, patience_s=0.01)
    it.agx.inject(IgnoredHalt())
    it.agx.inject(PageFault("vm1"))
    assert ends(it.jobs) == [(-errno.ENODEV, 10_005)] * 3
    assert it.agx.crashed
    assert [submit_error(job.entity) for job in (it.a, it.b)] == [errno.ENODEV] * 2


class LateFirmware(Firmware):
    """Takes its time before it goes on."""

    late = True

    def on_resume(self, message: Resume) -> None:
        if not self.late:
            super().on_resume(message)
        else:
            self.late = False
            world = current()
            world.timers.call_at(world.now_ns() + 1_000 * US, lambda: self.post(message))

    messages: ClassVar = {**Firmware.messages, Resume: on_resume}


class LateAgx(Agx):
    firmware_class = LateFirmware


def test_nothing_is_executed_after_a_crash(rt: Runtime) -> None:
    """The driver gives up before the firmware has taken up that it may go on."""
    agx = LateAgx(patience_s=500e-6)
    jobs = [
        agx.scheduler(rt).entity(vm="vm1").submit(),
        agx.scheduler(rt, "render").entity(vm="vm2").submit(work=Commands(fragment_us=(10,)), idempotent=True),
    ]
    rt.world.sleep_until(5 * US)
    agx.inject(PageFault("vm1"))
    assert ends(jobs) == [(-errno.ENODEV, 505)] * 2
    rt.world.sleep(0.1)
    assert [starts(rt, job) for job in jobs] == [1, 1]


def test_word_of_a_halt_that_was_dealt_with_changes_nothing(scene: MakeScene) -> None:
    it = scene(idempotent=True)
    it.agx.inject(PageFault("vm1"))
    assert ends([it.a]) == [(-errno.EIO, 5)]
    halt = it.agx.driver.shared.halt
    assert halt is not None
    it.agx.domain.recover(lambda recovery: it.agx.halt_cycle.recover_halt(halt, recovery))
    assert ends([it.b, it.c]) == [(0, 15), (0, 25)]
    assert (it.agx.domain.count(Status.RESET), it.agx.domain.count(Status.NO_HANG)) == (1, 1)
    assert_consistent(it.agx, it.schedulers)
