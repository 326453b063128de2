from __future__ import annotations

import errno

import pytest

from fencepost import Priority
from fencepost.actors import Job, Runtime, Scheduler
from fencepost.errors import WrongState
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from tests.actors.kit import EVERYWHERE, LIMIT_S, NATIVELY, ScriptedBackend, Way, adds_up, finished, refuse, settle


def schedulers_of(rt: Runtime, count: int, *, credit_limit: int = 1) -> list[Scheduler]:
    return [rt.scheduler(MockBackend(), f"s{number}", credit_limit=credit_limit) for number in range(count)]


def scores(schedulers: list[Scheduler]) -> list[int]:
    return [scheduler.score for scheduler in schedulers]


# Where jobs go.


@EVERYWHERE
def test_the_score_counts_attached_entities_and_jobs_under_way(way: Way) -> None:
    with way.runtime() as rt:
        backend = ScriptedBackend()
        scheduler = rt.scheduler(backend)
        one, two = scheduler.entity(), scheduler.entity()
        assert scheduler.score == 0, "an entity is attached by its first push"
        jobs = [one.submit(), one.submit()]
        assert scheduler.score == 3
        jobs.append(two.submit())
        assert scheduler.score == 5
        for left in (4, 3, 2):
            settle(one, two, scheduler)
            assert backend.advance() == 1
            settle(scheduler)
            assert scheduler.score == left
        assert finished(jobs)
        one.kill()
        assert scheduler.score == 1
        one.kill()
        assert scheduler.score == 1, "an entity leaves once"
        two.fini(LIMIT_S)
        assert scheduler.score == 0


@EVERYWHERE
def test_a_job_that_is_pushed_after_the_kill_does_not_attach_its_entity(way: Way) -> None:
    with way.runtime() as rt:
        entity = rt.scheduler(MockBackend()).entity()
        job = entity.job()
        job.arm()
        entity.kill()
        job.push()
        assert job.finished.wait(LIMIT_S)
        assert job.finished.error == -errno.ESRCH
        assert entity.scheduler.score == 0
    assert adds_up(rt)


@EVERYWHERE
def test_entities_go_where_there_is_the_least_to_do(way: Way) -> None:
    with way.runtime() as rt:
        schedulers = schedulers_of(rt, 3)
        entities = [rt.entity(schedulers) for _ in range(4)]
        for entity in entities:
            entity.submit()
        assert [entity.scheduler.name for entity in entities] == ["s0", "s1", "s2", "s0"]
        assert scores(schedulers) == [4, 2, 2]


@EVERYWHERE
def test_an_entity_moves_when_it_is_idle_and_not_before(way: Way) -> None:
    with way.runtime() as rt:
        backend = MockBackend()
        busy, free = rt.scheduler(backend, "busy"), rt.scheduler(MockBackend(), "free")
        entity = rt.entity([busy, free])
        jobs = [entity.submit(), entity.submit()]
        assert entity.scheduler is busy
        for job in jobs:
            assert job.scheduled.wait(LIMIT_S)
            backend.advance()
            assert job.finished.wait(LIMIT_S)
        busy.entity().submit()
        assert scores([busy, free]) == [3, 0]
        entity.submit()
        assert entity.scheduler is free
        assert scores([busy, free]) == [2, 2]
        assert entity.schedulers == (busy, free)


@EVERYWHERE
def test_an_entity_stays_while_an_earlier_job_is_under_way_though_its_last_one_is_done(way: Way) -> None:
    """The last job is refused by the backend while the one before it is on the hardware."""
    with way.runtime() as rt:
        backend = ScriptedBackend()
        here, there = rt.scheduler(backend, credit_limit=2), rt.scheduler(MockBackend())
        entity = rt.entity([here, there])
        slow = entity.submit()
        refused = entity.submit(work=refuse(OSError(errno.EINVAL, "no")))
        assert refused.finished.wait(LIMIT_S)
        assert not slow.finished.signaled
        following = entity.submit(deps=[slow.finished])
        assert entity.scheduler is here
        assert following.scheduled.wait(LIMIT_S), "a dependency of the same entity is implied by order"
        backend.advance()
        backend.advance()
        assert finished([slow, following])
        here.entity().submit()
        entity.submit(0)
        assert entity.scheduler is there


@EVERYWHERE
def test_modified_schedulers_hold_from_the_next_idle_arm_on(way: Way) -> None:
    with way.runtime() as rt:
        backend = MockBackend()
        first, second = rt.scheduler(backend), rt.scheduler(MockBackend())
        entity = first.entity()
        job = entity.submit()
        entity.modify_schedulers([second])
        entity.submit()
        assert entity.scheduler is first
        assert job.scheduled.wait(LIMIT_S)
        for _ in range(2):
            settle(entity, first)
            backend.advance()
            settle(first)
        last = entity.submit(0)
        assert entity.scheduler is second
        assert last.finished.wait(LIMIT_S)
        assert scores([first, second]) == [0, 1]
        with pytest.raises(ValueError, match="no schedulers for"):
            entity.modify_schedulers([])


@EVERYWHERE
def test_what_is_not_ready_gets_no_entity(way: Way) -> None:
    with way.runtime() as rt:
        one, two = schedulers_of(rt, 2)
        entity = rt.entity([one, two])
        one.ready = False
        assert entity.submit(0).finished.wait(LIMIT_S)
        assert entity.scheduler is two
        two.ready = False
        with pytest.raises(OSError, match="none of the 2 schedulers") as caught:
            entity.submit(0)
        assert caught.value.errno == errno.ENODEV


@EVERYWHERE
def test_a_job_for_a_finished_scheduler_is_refused(way: Way) -> None:
    """Its only scheduler would never run it, and nobody would end it."""
    with way.runtime() as rt:
        scheduler = rt.scheduler(MockBackend())
        entity = scheduler.entity()
        assert entity.submit(0).finished.wait(LIMIT_S)
        scheduler.fini()
        with pytest.raises(OSError, match="none of the 1 schedulers") as caught:
            entity.submit(0)
        assert caught.value.errno == errno.ENODEV
    assert adds_up(rt)


# Submission.


@EVERYWHERE
def test_submit_is_refused_while_an_armed_job_is_to_be_pushed(way: Way) -> None:
    """The refused one must not keep a number that nobody can push."""
    with way.runtime() as rt:
        entity = rt.scheduler(MockBackend()).entity("game")
        early = entity.job(duration_us=0)
        early.arm()
        with pytest.raises(WrongState, match="game:1> was armed and must be pushed"):
            entity.submit(0)
        early.push()
        assert entity.submit(0).finished.wait(LIMIT_S)
    assert adds_up(rt)


@EVERYWHERE
def test_a_killed_entity_takes_no_more_jobs(way: Way) -> None:
    with way.runtime() as rt:
        entity = rt.scheduler(MockBackend()).entity("game")
        entity.kill()
        with pytest.raises(OSError, match="game was killed") as caught:
            entity.submit(0)
        assert caught.value.errno == errno.ECANCELED
        assert entity.armed == 0


@NATIVELY
def test_any_number_of_clients_may_use_one_entity(way: Way) -> None:
    with way.runtime() as rt:
        backend = ScriptedBackend()
        entity = rt.scheduler(backend, credit_limit=8).entity()
        clients = [rt.spawn(lambda: [entity.submit(0) for _ in range(50)]) for _ in range(4)]
        for client in clients:
            assert client.join(LIMIT_S)
            assert finished(client.result)
    assert [job.finished.seqno for job in backend.ran] == list(range(1, 201))
    assert adds_up(rt)


# Control.


@EVERYWHERE
def test_a_priority_holds_for_what_is_chosen_next(way: Way) -> None:
    with way.runtime() as rt:
        backend = ScriptedBackend()
        scheduler = rt.scheduler(backend)
        blocker = scheduler.entity("blocker")
        one, two = scheduler.entity("one"), scheduler.entity("two", priority=Priority.LOW)
        blocker.submit()
        settle(blocker, scheduler)
        two.set_priority(Priority.KERNEL)
        settle(scheduler)
        assert two.priority is Priority.KERNEL
        jobs: list[Job] = []
        for entity in (one, two):
            jobs.append(entity.submit(0))
            settle(entity, scheduler)
        backend.advance()
        assert finished(jobs)
        assert [job.entity.name for job in backend.ran] == ["blocker", "two", "one"]


def test_the_last_of_several_priorities_holds_though_the_entity_has_moved() -> None:
    """The old scheduler is behind with its messages when the new one has handled its own."""
    with Runtime("virtual", "workqueue") as rt:
        old, new = schedulers_of(rt, 2)
        entity = old.entity()
        for _ in range(40):  # more than one slice
            entity.set_priority(Priority.HIGH)
        entity.modify_schedulers([new])
        entity.submit(0)
        entity.set_priority(Priority.LOW)
        settle(old, new)
        assert entity.priority is Priority.LOW


@EVERYWHERE
def test_flush_waits_until_all_is_on_the_hardware(way: Way) -> None:
    with way.runtime() as rt:
        backend = MockBackend()
        scheduler = rt.scheduler(backend, credit_limit=1)
        entity = scheduler.entity()
        assert entity.flush(0), "nothing to flush"
        first, second = entity.submit(), entity.submit()
        assert first.scheduled.wait(LIMIT_S)
        assert not entity.flush(0)
        backend.advance()
        assert entity.flush(LIMIT_S)
        assert second.scheduled.signaled
        assert not second.finished.signaled


@EVERYWHERE
def test_flush_ends_when_the_entity_is_killed(way: Way) -> None:
    with way.runtime() as rt:
        entity = rt.scheduler(MockBackend()).entity()
        entity.submit()
        entity.submit()
        flushing = rt.spawn(entity.flush)
        entity.kill()
        entity.scheduler.fini()
        assert flushing.join(LIMIT_S)
        assert flushing.result is True


@EVERYWHERE
def test_fini_waits_for_the_last_job_and_says_when_it_ran_out_of_time(way: Way) -> None:
    with way.runtime() as rt:
        backend = MockBackend()
        scheduler = rt.scheduler(backend)
        entity = scheduler.entity()
        on_hardware, queued = entity.submit(), entity.submit()
        assert on_hardware.scheduled.wait(LIMIT_S)
        assert not entity.fini(0)
        assert entity.actor.actor_ref.is_alive()
        assert not queued.finished.signaled, "a killed job stays behind the last that ran"
        backend.advance()
        assert entity.fini(LIMIT_S)
        assert not entity.actor.actor_ref.is_alive()
        assert (on_hardware.finished.error, queued.finished.error) == (0, -errno.ESRCH)
        assert entity.fini()
        assert entity.flush(0)
        entity.kill()
    assert adds_up(rt)


@EVERYWHERE
def test_destroy_gives_the_jobs_time_to_get_to_the_hardware(way: Way) -> None:
    with way.runtime() as rt:
        entity = rt.scheduler(MockBackend()).entity()
        jobs = [entity.submit(20) for _ in range(5)]
        assert entity.destroy(LIMIT_S)
        assert [job.finished.error for job in jobs] == [0] * 5
    assert adds_up(rt)


@EVERYWHERE
def test_destroy_kills_what_did_not_get_to_the_hardware_in_time(way: Way) -> None:
    with way.runtime() as rt:
        backend = MockBackend()
        scheduler = rt.scheduler(backend)
        entity = scheduler.entity()
        job, late = entity.submit(), entity.submit()
        assert job.scheduled.wait(LIMIT_S)
        destroying = rt.spawn(lambda: entity.destroy(0))
        assert rt.spawn(entity.kill).join(LIMIT_S)
        settle(entity, scheduler)
        backend.advance()
        assert destroying.join(LIMIT_S)
        assert destroying.result is True
        assert (job.finished.error, late.finished.error) == (0, -errno.ESRCH)
    assert adds_up(rt)


@EVERYWHERE
def test_an_armed_job_that_is_never_pushed_is_cancelled_by_fini(way: Way) -> None:
    with way.runtime() as rt:
        entity = rt.scheduler(MockBackend()).entity()
        job = entity.job()
        job.arm()
        assert entity.fini(LIMIT_S)
        assert job.finished.error == -errno.ECANCELED
        assert job.scheduled.signaled
        with pytest.raises(WrongState):
            job.push()
    assert adds_up(rt)
    assert rt.statistics().jobs_cancelled == 1


@EVERYWHERE
def test_the_callback_of_a_job_that_was_never_pushed_may_look_at_its_entity(way: Way) -> None:
    """It is called while the entity is torn down, and must not find its lock held."""
    with way.runtime() as rt:
        entity = rt.scheduler(MockBackend()).entity()
        job = entity.job()
        job.arm()
        asked: list[bool] = []

        def ask(_fence: Fence) -> None:
            free = entity._lock.acquire(False)  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001, FBT003
            asked.append(free)
            if free:
                entity._lock.release()  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001

        job.finished.add_callback(ask)
        entity.fini(LIMIT_S)
        assert asked == [True]


@EVERYWHERE
def test_the_error_of_an_entity_is_that_of_its_last_job(way: Way) -> None:
    with way.runtime() as rt:
        entity = rt.scheduler(ScriptedBackend()).entity()
        assert entity.error == 0
        assert entity.submit(work=refuse(OSError(errno.EIO, "broken"))).finished.wait(LIMIT_S)
        assert entity.error == -errno.EIO
        assert entity.submit(0).finished.wait(LIMIT_S)
        assert entity.error == 0


def test_an_entity_needs_a_scheduler() -> None:
    with Runtime("virtual") as rt, pytest.raises(ValueError, match="an entity without schedulers"):
        rt.entity([])


def test_an_entity_tells_its_name_and_that_it_was_killed() -> None:
    with Runtime("virtual") as rt:
        entity = rt.scheduler(MockBackend(), "rcs0").entity()
        assert repr(entity) == "<Entity rcs0.e1>"
        entity.kill()
        assert repr(entity) == "<Entity rcs0.e1 killed>"
        assert entity.killed
