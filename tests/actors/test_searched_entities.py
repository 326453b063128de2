"""Entities and schedulers under search: what their clients share, a few tasks, many schedules."""

from __future__ import annotations

import errno
from functools import partial

from fencepost.actors import Job, Runtime
from fencepost.errors import WrongState
from fencepost.events import Event
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.policies import Priority
from fencepost.sync import Gate
from tests.actors.kit import WORKERS, ScriptedBackend, carried_by
from tests.searching import assert_clean, joined


@WORKERS
def test_nothing_runs_once_a_kill_has_returned(workers: int) -> None:
    def model(rt: Runtime) -> None:
        carried_by(rt, workers)
        backend, jobs = ScriptedBackend(), list[Job]()
        scheduler = rt.scheduler(backend, credit_limit=1)
        entity, blocked = scheduler.entity(), Fence()

        def submit() -> None:
            for deps in ([], [blocked]):
                try:
                    jobs.append(entity.submit(1, deps=deps))
                except OSError:
                    assert entity.killed

        def kill() -> None:
            entity.kill()
            ran = len(backend.ran)
            flushed = entity.flush(10)
            assert flushed
            assert len(backend.ran) == ran

        tasks = [rt.spawn(submit), rt.spawn(kill), rt.spawn(kill), rt.spawn(blocked.signal)]
        joined(*tasks)
        for job in jobs:
            job.finished.wait()
            assert job.scheduled.signaled
            assert job.finished.error in (0, -errno.ESRCH)
        assert entity.fini()
        assert scheduler.score == 0

    assert_clean(model, schedules=150)


def test_jobs_of_several_clients_run_in_order() -> None:
    def model(rt: Runtime) -> None:
        backend = ScriptedBackend()
        scheduler = rt.scheduler(backend, credit_limit=2)
        entity = scheduler.entity()

        def submit() -> None:
            entity.submit(0).finished.wait()

        joined(*(rt.spawn(submit) for _ in range(3)), rt.spawn(entity.flush))
        assert [job.finished.seqno for job in backend.ran] == [1, 2, 3]
        assert scheduler.score == 1
        assert scheduler.actor.credits_in_use == 0

    assert_clean(model, schedules=150)


def test_arming_and_pushing_by_several_clients_keeps_the_order() -> None:
    def model(rt: Runtime) -> None:
        scheduler = rt.scheduler(MockBackend(), credit_limit=2)
        entity = scheduler.entity()

        def submit() -> None:
            job = entity.job(duration_us=0)
            job.arm()
            try:
                job.push()
            except WrongState:
                # Somebody has armed one before this and will push it.
                while True:
                    try:
                        job.push()
                    except WrongState:
                        rt.world.sleep(0.001)
                    else:
                        break
            job.finished.wait()

        joined(*(rt.spawn(submit) for _ in range(2)))
        assert entity.armed == 2
        assert entity.end_unpushed() == 0

    assert_clean(model, schedules=150)


def test_an_armed_job_is_pushed_or_ended_with_its_entity() -> None:
    def model(rt: Runtime) -> None:
        scheduler = rt.scheduler(MockBackend())
        entity = scheduler.entity()
        job = entity.job(duration_us=0)
        job.arm()

        def push() -> None:
            try:
                job.push()
            except WrongState:
                assert entity.killed

        joined(rt.spawn(push), rt.spawn(entity.fini))
        job.finished.wait()
        assert job.scheduled.signaled

    assert_clean(model, schedules=200)


def test_a_job_is_pushed_or_torn_down_and_never_both() -> None:
    def model(rt: Runtime) -> None:
        entity = rt.scheduler(MockBackend()).entity()
        job = entity.job(duration_us=0)
        job.arm()
        entity.kill()

        def push() -> bool:
            try:
                job.push()
            except WrongState:
                return False
            return True

        pushing, tearing = rt.spawn(push), rt.spawn(entity.end_unpushed)
        joined(pushing, tearing)
        assert pushing.result + tearing.result == 1
        job.finished.wait()

    assert_clean(model)


def test_an_entity_that_moves_loses_nothing() -> None:
    def model(rt: Runtime) -> None:
        backends = [ScriptedBackend(), ScriptedBackend()]
        first, second = (rt.scheduler(backend) for backend in backends)
        entity = rt.entity([first])

        def submit() -> None:
            for _ in range(2):
                assert entity.submit(0).finished.wait()

        def move() -> None:
            entity.modify_schedulers([second])
            entity.modify_schedulers([first, second])
            entity.modify_schedulers([second])

        joined(rt.spawn(submit), rt.spawn(move), rt.spawn(submit))
        last = entity.submit(0)
        assert last.scheduler is second
        assert last.finished.wait()
        assert sorted(job.finished.seqno for backend in backends for job in backend.ran) == [1, 2, 3, 4, 5]
        assert entity.fini()
        assert (first.score, second.score) == (0, 0)

    assert_clean(model, schedules=80)


def test_of_two_changes_of_its_schedulers_one_holds() -> None:
    def model(rt: Runtime) -> None:
        first, second, third = (rt.scheduler(MockBackend()) for _ in range(3))
        entity = rt.entity([first])
        changes = ([second, third], [first])
        joined(*(rt.spawn(partial(entity.modify_schedulers, schedulers)) for schedulers in changes))
        job = entity.submit(0)
        job.finished.wait()
        if job.scheduler is first:
            first.ready = False
            try:
                job = entity.submit(0)
            except OSError:
                return
            raise AssertionError(f"{job!r} went to {job.scheduler!r}, and the one before to {first!r}")

    assert_clean(model)


def test_a_scheduler_that_is_finished_while_jobs_end_leaves_none_behind() -> None:
    def model(rt: Runtime) -> None:
        backend = MockBackend()
        scheduler = rt.scheduler(backend, credit_limit=3)
        entity = scheduler.entity()
        jobs = [entity.submit(duration) for duration in (None, 0, None)]
        joined(rt.spawn(backend.advance), rt.spawn(scheduler.fini), rt.spawn(entity.kill))
        for job in jobs:
            job.finished.wait()
            assert job.finished.error in (0, -errno.ECANCELED, -errno.ESRCH)

    assert_clean(model, schedules=150)


def test_whoever_sees_a_job_finished_finds_it_accounted_for() -> None:
    def model(rt: Runtime) -> None:
        scheduler = rt.scheduler(MockBackend())
        job = scheduler.entity().job(duration_us=0)
        queue = job.queue
        job.arm()
        job.push()
        assert job.scheduled.wait()
        assert job.finished.parent is not None
        job.finished.wait()
        assert (scheduler.actor.credits_in_use, scheduler.actor.running, scheduler.score) == (0, 0, 1)
        assert scheduler.actor.completed == 1
        assert queue.done == 1

    assert_clean(model, schedules=150)


def test_whoever_sees_a_killed_job_finished_finds_it_counted() -> None:
    def model(rt: Runtime) -> None:
        scheduler, blocked = rt.scheduler(MockBackend()), Fence()
        entity = scheduler.entity()
        job = entity.submit(0, deps=[blocked])
        killer = rt.spawn(entity.kill)
        rt.spawn(blocked.signal)
        job.finished.wait()
        counts = rt.statistics()
        assert counts.jobs_cancelled + counts.jobs_completed == 1
        killer.join()

    assert_clean(model, schedules=150)


def test_the_last_priority_that_was_told_is_the_one_it_has() -> None:
    def model(rt: Runtime) -> None:
        entity, pause, told = rt.scheduler(MockBackend()).entity(), Gate(), list[object]()

        def record(event: Event) -> None:
            assert not pause.is_open
            told.append(event[-1])

        entity._record = record  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
        joined(*(rt.spawn(partial(entity.set_priority, priority)) for priority in (Priority.HIGH, Priority.LOW)))
        assert told[-1] == entity.priority.name

    assert_clean(model)


class Hurried(Fence):
    """Keeps the deadlines it is told."""

    __slots__ = ("told",)

    def __init__(self) -> None:
        super().__init__()
        self.told: list[int] = []

    def set_deadline(self, when_ns: int) -> None:
        self.told.append(when_ns)


def test_the_hardware_fence_is_told_the_earliest_deadline() -> None:
    def model(rt: Runtime) -> None:
        scheduler = rt.scheduler(MockBackend())
        job = scheduler.entity().job()
        job.arm()
        parent = Hurried()
        fence = job.finished
        joined(
            rt.spawn(lambda: fence.set_deadline(10)),
            rt.spawn(lambda: fence.set_deadline(5)),
            rt.spawn(lambda: fence.set_parent(parent)),
        )
        assert 5 in parent.told
        parent.told.clear()
        fence.set_deadline(7)
        assert parent.told == []
        job.push()
        job.finished.set_deadline(1)
        rt.world.settle()

    assert_clean(model, schedules=200)
