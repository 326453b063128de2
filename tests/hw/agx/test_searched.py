"""The AGX-like GPU under search: recovery races with completion, submission and teardown."""

from __future__ import annotations

import errno
from functools import partial
from typing import cast

from fencepost.actors import Entity, Job, Runtime, Scheduler
from fencepost.fences import Fence
from fencepost.hw.agx import Agx, Commands, Death, IgnoredHalt, LostNotices, Misfortune, PageFault
from fencepost.hw.agx.completions import Completions
from fencepost.hw.agx.submission import Submission
from fencepost.policies import Health
from fencepost.sync import current
from tests.hw.agx.kit import assert_consistent, starts
from tests.searching import assert_clean

US = 1_000
FRAGMENT = Commands(fragment_us=(10,))


class Scene:
    """A compute job of one address space that hangs, and two render jobs of another behind each other."""

    def __init__(self, rt: Runtime, *, idempotent: bool = False, **arguments: float) -> None:
        self.agx = Agx(**arguments)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        self.schedulers: list[Scheduler] = [self.agx.scheduler(rt, "compute"), self.agx.scheduler(rt, "render")]
        self.one: Entity = self.schedulers[0].entity(vm="vm1")
        self.other: Entity = self.schedulers[1].entity(vm="vm2")
        self.a: Job = self.one.submit()
        self.b: Job = self.other.submit(work=FRAGMENT, idempotent=idempotent)
        self.c: Job = self.other.submit(work=FRAGMENT)

    def go_wrong(self, misfortune: Misfortune, at_us: int = 5) -> None:
        """Have something go wrong, about then."""
        current().sleep_until(at_us * US)
        self.agx.inject(misfortune)

    def wait(self) -> list[int]:
        jobs = [self.a, self.b, self.c]
        for job in jobs:
            job.finished.wait()
        assert_consistent(self.agx, self.schedulers)
        return [job.finished.error for job in jobs]


def test_t4_1_the_bystander_runs_again_or_was_complete() -> None:
    """The fault comes at some moment, of its culprit's life and of the bystanders'."""

    def model(rt: Runtime) -> None:
        it = Scene(rt, idempotent=True)
        it.go_wrong(PageFault("vm1"))
        a, b, c = it.wait()
        assert (a, b) == (-errno.EIO, 0)
        assert it.one.status().health is Health.GUILTY
        # The one behind it may have been running, and may not run again.
        assert c == 0 or (starts(rt, it.c) == 1 and it.other.status().health is Health.INNOCENT)
        assert starts(rt, it.a) == 1
        assert starts(rt, it.b) <= 2

    assert_clean(model, schedules=60)
    assert_clean(model, schedules=40, timers="slack20")


def test_t4_2_nothing_behind_a_lost_job_runs() -> None:
    def model(rt: Runtime) -> None:
        it = Scene(rt)
        it.go_wrong(PageFault("vm1"))
        a, b, c = it.wait()
        assert a == -errno.EIO
        assert not b or c
        assert not c or it.other.status().health is Health.INNOCENT
        assert all(starts(rt, job) <= 1 for job in (it.a, it.b, it.c))

    assert_clean(model, schedules=60)
    assert_clean(model, schedules=40, timers="slack20")


def test_t4_3_all_on_the_gpu_are_killed_when_nothing_is_known() -> None:
    def model(rt: Runtime) -> None:
        it = Scene(rt, idempotent=True)
        it.go_wrong(PageFault("vm1", vm_known=False))
        assert it.wait()[0] == -errno.ENODATA
        assert it.one.status().health is Health.UNKNOWN
        assert it.other.status().health in {Health.UNKNOWN, Health.HEALTHY}

    assert_clean(model, schedules=60, timers="slack20")


def test_t4_4_a_lost_notice_does_not_lose_a_job() -> None:
    def model(rt: Runtime) -> None:
        it = Scene(rt)
        it.agx.inject(LostNotices(1))
        it.go_wrong(PageFault("vm1"), at_us=15)
        assert it.wait()[:2] == [-errno.EIO, 0]
        assert it.b.finished.timestamp_ns == 10 * US

    assert_clean(model, schedules=60)


def test_t4_5_a_recovery_ends_though_all_goes_wrong_again() -> None:
    def model(rt: Runtime) -> None:
        it = Scene(rt, idempotent=True, halt_limit=1)
        for _ in range(3):
            it.agx.inject(PageFault())
        assert it.wait()[0]

    assert_clean(model, schedules=60, timers="slack20")


def test_a_halt_that_does_not_come_ends_all() -> None:
    def model(rt: Runtime) -> None:
        it = Scene(rt, patience_s=0.001)
        it.agx.inject(IgnoredHalt())
        it.go_wrong(PageFault("vm1"))
        assert it.wait()[0] == -errno.ENODEV
        assert it.agx.crashed

    assert_clean(model, schedules=40)


def test_a_death_at_any_moment_leaves_nobody_waiting() -> None:
    def model(rt: Runtime) -> None:
        it = Scene(rt)
        it.go_wrong(Death())
        assert set(it.wait()) <= {0, -errno.ENODEV}

    assert_clean(model, schedules=60, timers="slack20")


def test_a_job_that_is_cancelled_has_signalled_by_then() -> None:
    """Also when another task is just signalling."""

    def model(rt: Runtime) -> None:
        agx = Agx()
        schedulers = [agx.scheduler(rt), agx.scheduler(rt, "render")]
        done, hung = schedulers[0].entity().submit(1), schedulers[1].entity().submit()
        hung.scheduled.wait()

        def cancel() -> None:
            schedulers[1].backend.cancel_job(hung)
            assert hung.finished.parent is not None
            assert hung.finished.parent.signaled

        client = rt.spawn(cancel, "cancel")
        done.finished.wait()
        client.join()

    assert_clean(model, schedules=100, timers="slack20")


def test_fences_signal_in_the_order_in_which_their_jobs_ended() -> None:
    class Ended:
        """A submission, as far as it is looked at here."""

        def __init__(self, number: int) -> None:
            self.fence = Fence(name=str(number))
            self.fence.add_callback(lambda _: told.append(number))

        def signal(self) -> None:
            self.fence.signal()

    told: list[int] = []

    def model(rt: Runtime) -> None:
        told.clear()
        completions = Completions(rt.world)
        ended = [Ended(number) for number in range(3)]
        for each in ended[:2]:
            completions.add(cast("Submission", each))

        def go_on() -> None:
            completions.add(cast("Submission", ended[2]))
            completions.signal()

        for task in [rt.spawn(completions.signal), rt.spawn(go_on)]:
            task.join()
        for each in ended:
            each.fence.wait()
        assert told == [0, 1, 2]

    assert_clean(model)


def test_a_time_out_races_with_completion() -> None:
    """Whoever comes first: the job is complete, or it is lost; what waits behind it in another queue runs."""

    def model(rt: Runtime) -> None:
        agx = Agx()
        schedulers = [agx.scheduler(rt, timeout_s=10e-6), agx.scheduler(rt)]
        job, other = schedulers[0].entity(vm="vm1").submit(10), schedulers[1].entity(vm="vm2").submit(5)
        assert job.finished.wait()
        assert other.finished.wait()
        assert job.finished.error in {0, -errno.ETIMEDOUT}
        assert other.finished.error in {0, -errno.ECANCELED}
        assert_consistent(agx, schedulers)

    assert_clean(model, schedules=60)
    assert_clean(model, schedules=60, timers="slack20")


def test_a_scheduler_may_end_while_all_is_halted() -> None:
    def model(rt: Runtime) -> None:
        it = Scene(rt, idempotent=True)
        it.a.scheduled.wait()

        def end() -> None:
            it.one.kill()
            it.schedulers[0].fini()
            assert it.a.finished.signaled

        client = rt.spawn(end, "end")
        it.go_wrong(PageFault("vm1"))
        a, b, _ = it.wait()
        client.join()
        assert a in {0, -errno.EIO, -errno.ECANCELED}
        assert b == 0

    assert_clean(model, schedules=60)
    assert_clean(model, schedules=40, timers="slack20")


def run(entity: Entity) -> None:
    entity.submit(2).finished.wait()


def test_who_waits_for_event_slots_gets_them() -> None:
    def model(rt: Runtime) -> None:
        agx = Agx(event_slots=2)
        schedulers = [agx.scheduler(rt, "render") for _ in range(2)] + [agx.scheduler(rt)]
        entities = [scheduler.entity() for scheduler in schedulers]
        clients = [rt.spawn(partial(run, entity)) for entity in entities]
        for client in clients:
            client.join()
        rt.world.sleep(0.001)
        assert_consistent(agx, schedulers)
        assert agx.driver.slots.free == 2

    assert_clean(model, schedules=60)
