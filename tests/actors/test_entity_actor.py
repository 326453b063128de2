from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial

import pytest

from fencepost.actors import Entity, Job, Runtime, Scheduler
from fencepost.actors.messages import Kill, Recalled
from fencepost.events.kinds import JOB_ADD_DEP, JOB_UNSCHEDULABLE
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.sync import Gate
from tests.actors.kit import (
    EVERYWHERE,
    LIMIT_S,
    NATIVELY,
    ScriptedBackend,
    Way,
    adds_up,
    done_at_once,
    finished,
    refuse,
    settle,
)


def bench_of(rt: Runtime, *, credit_limit: int = 8) -> tuple[ScriptedBackend, Scheduler, Entity]:
    backend = ScriptedBackend()
    scheduler = rt.scheduler(backend, policy="fifo", credit_limit=credit_limit)
    return backend, scheduler, scheduler.entity()


# Dependencies.


@EVERYWHERE
def test_a_job_waits_for_all_its_dependencies(way: Way) -> None:
    with way.runtime() as rt:
        backend, scheduler, entity = bench_of(rt)
        fences = [Fence() for _ in range(4)]
        fences[1].signal()
        job = entity.submit(0, deps=fences)
        for fence in (fences[3], fences[0], fences[2]):
            settle(entity, scheduler)
            assert not job.scheduled.signaled
            fence.signal()
        assert job.finished.wait(LIMIT_S)
        assert backend.ran == [job]


@EVERYWHERE
def test_a_job_without_dependencies_does_not_overtake_one_that_waits(way: Way) -> None:
    with way.runtime() as rt:
        backend, scheduler, entity = bench_of(rt)
        gate = Fence()
        jobs = [entity.submit(0, deps=[gate]), entity.submit(0)]
        other = scheduler.entity().submit(0)
        assert other.finished.wait(LIMIT_S), "an entity that waits holds up nobody else"
        settle(entity, scheduler)
        assert backend.ran == [other]
        gate.signal()
        assert finished(jobs)
        assert backend.ran == [other, *jobs]


@EVERYWHERE
@pytest.mark.parametrize("error", [0, -errno.EIO], ids=["well", "with an error"])
def test_a_dependency_that_has_ended_is_met_however_it_ended(way: Way, error: int) -> None:
    with way.runtime() as rt:
        _, _, entity = bench_of(rt)
        early, late = Fence(), Fence()
        early.signal(error)
        jobs = [entity.submit(0, deps=[early]), entity.submit(0, deps=[late])]
        late.signal(error)
        assert finished(jobs)
        assert [job.finished.error for job in jobs] == [0, 0]


@EVERYWHERE
def test_on_one_scheduler_a_dependant_is_handed_over_right_behind(way: Way) -> None:
    with way.runtime() as rt:
        backend, scheduler, entity = bench_of(rt)
        first = entity.submit()
        second = scheduler.entity().submit(deps=[first.finished])
        assert second.scheduled.wait(LIMIT_S)
        assert not first.finished.signaled
        assert backend.ran == [first, second]


@EVERYWHERE
def test_on_another_scheduler_a_dependant_waits_for_the_end(way: Way) -> None:
    with way.runtime() as rt:
        backend, scheduler, entity = bench_of(rt)
        first = entity.submit()
        other = rt.scheduler(ScriptedBackend()).entity()
        second = other.submit(0, deps=[first.finished])
        assert first.scheduled.wait(LIMIT_S)
        settle(other, scheduler)
        assert not second.scheduled.signaled
        backend.advance()
        assert second.finished.wait(LIMIT_S)
        assert first.finished.timestamp_ns <= second.scheduled.timestamp_ns


@EVERYWHERE
def test_a_dependency_on_a_job_of_the_same_entity_is_implied(way: Way) -> None:
    with way.runtime() as rt:
        _, scheduler, entity = bench_of(rt)
        gate = Fence()
        first = entity.submit(deps=[gate])
        second = entity.submit(deps=[first.finished, first.scheduled])
        settle(entity, scheduler)
        gate.signal()
        assert second.scheduled.wait(LIMIT_S)
        assert rt.events is not None
        waited_for = {(event[4], event[5]) for event in rt.events.of(JOB_UNSCHEDULABLE)}
        assert waited_for == {(gate.context, gate.seqno)}
        assert len(rt.events.of(JOB_ADD_DEP)) == 3


@EVERYWHERE
def test_a_dependant_of_a_killed_job_on_the_same_scheduler_goes_on(way: Way) -> None:
    """It waits for the scheduled fence of a job that is never scheduled."""
    with way.runtime() as rt:
        _, scheduler, entity = bench_of(rt)
        gate = Fence()
        doomed = entity.submit(0, deps=[gate])
        dependant = scheduler.entity().submit(0, deps=[doomed.finished])
        settle(entity, dependant.entity, scheduler)
        entity.kill()
        gate.signal()
        assert dependant.finished.wait(LIMIT_S)
        assert (doomed.finished.error, dependant.finished.error) == (-errno.ESRCH, 0)
    assert adds_up(rt)


# Kill.


class CountedFence(Fence):
    """Counts those who wait for its callback."""

    callbacks = 0

    def add_callback(self, callback: Callable[[Fence], object]) -> bool:
        added = super().add_callback(callback)
        self.callbacks += added
        return added

    def remove_callback(self, callback: Callable[[Fence], object], *, wait: bool = True) -> bool:
        removed = super().remove_callback(callback, wait=wait)
        self.callbacks -= removed
        return removed


@EVERYWHERE
def test_killed_jobs_end_in_order_behind_the_last_one_that_ran(way: Way) -> None:
    with way.runtime() as rt:
        backend, scheduler, entity = bench_of(rt, credit_limit=1)
        running = entity.submit()
        queued = [entity.submit(0), entity.submit(0, deps=[Fence(7, 0)]), entity.submit(0)]
        gate = queued[1].dependencies[0]
        order: list[int] = []
        for job in queued:
            job.scheduled.add_callback(lambda fence: order.append(-fence.seqno))
            job.finished.add_callback(lambda fence: order.append(fence.seqno))
        assert running.scheduled.wait(LIMIT_S)
        entity.kill()
        gate.signal()
        settle(entity, scheduler)
        assert order == []
        backend.advance()
        assert finished([running, *queued])
        assert order == [-2, 2, -3, 3, -4, 4]
        assert [job.finished.error for job in (running, *queued)] == [0, *[-errno.ESRCH] * 3]
        assert all(job.finished.parent is None for job in queued)
        assert backend.ran == [running]
        entity.fini(LIMIT_S)
        settle(scheduler)
        assert backend.freed == [running, *queued]
    assert adds_up(rt)
    assert rt.statistics().jobs_cancelled == 3


@EVERYWHERE
def test_a_killed_job_waits_for_each_dependency_to_its_end(way: Way) -> None:
    """Also for one that was met at the hand-over, and for one that it no longer had to wait for."""
    with way.runtime() as rt:
        backend, scheduler, entity = bench_of(rt)
        pipelined = scheduler.entity().submit()
        fences = [Fence(), Fence()]
        job = entity.submit(0, deps=[fences[0], pipelined.scheduled, pipelined.finished, fences[1]])
        assert pipelined.scheduled.wait(LIMIT_S)
        fences[0].signal()
        settle(entity, scheduler)
        entity.kill()
        fences[1].signal()
        settle(entity, scheduler)
        assert not job.finished.signaled, "the job it depends on is on the hardware"
        backend.advance()
        assert job.finished.wait(LIMIT_S)
        assert backend.ran == [pipelined]
    assert adds_up(rt)


@EVERYWHERE
def test_a_kill_recalls_what_was_offered_and_has_not_run(way: Way) -> None:
    with way.runtime() as rt:
        backend, scheduler, entity = bench_of(rt, credit_limit=1)
        blocker = scheduler.entity().submit()
        assert blocker.scheduled.wait(LIMIT_S)
        offered = [entity.submit(0) for _ in range(3)]
        settle(entity, scheduler)
        entity.kill()
        assert finished(offered), "nothing of the entity has run, so there is nothing to wait for"
        assert {job.finished.error for job in offered} == {-errno.ESRCH}
        backend.advance()
        assert blocker.finished.wait(LIMIT_S)
        assert backend.ran == [blocker]
    assert adds_up(rt)


@EVERYWHERE
def test_a_kill_frees_the_way_for_others(way: Way) -> None:
    """The job at the head, too big for the credits that are left, is killed; the one it held up runs."""
    with way.runtime() as rt:
        backend, scheduler, entity = bench_of(rt, credit_limit=2)
        first = scheduler.entity()
        first.submit()
        settle(first, scheduler)
        big = entity.submit(credits=2)
        settle(entity, scheduler)
        small = scheduler.entity().submit()
        settle(small.entity, scheduler)
        assert not small.scheduled.signaled
        entity.kill()
        assert small.scheduled.wait(LIMIT_S)
        assert big.finished.wait(LIMIT_S)
        backend.advance(2)


@NATIVELY
def test_every_kill_returns_only_when_nothing_more_will_run(way: Way) -> None:
    """The second killer must not return while the first one's recall is on its way."""
    with way.runtime() as rt:
        backend, scheduler, _ = bench_of(rt, credit_limit=1000)
        for _ in range(20):
            victim = scheduler.entity()
            for _ in range(20):
                victim.submit(work=done_at_once)
            ran_at_return: list[int] = []

            def kill(victim: Entity = victim, ran_at_return: list[int] = ran_at_return) -> None:
                victim.kill()
                ran_at_return.append(sum(job.entity is victim for job in tuple(backend.ran)))

            killers = [rt.spawn(kill) for _ in range(2)]
            for killer in killers:
                assert killer.join(LIMIT_S)
            settle(victim, scheduler)
            assert set(ran_at_return) == {sum(job.entity is victim for job in backend.ran)}
    assert adds_up(rt)


def test_a_second_kill_waits_for_the_recall_of_the_first() -> None:
    with Runtime("virtual") as rt:
        _, _, entity = bench_of(rt)
        entity.submit(0)
        order: list[str] = []

        def kill(name: str) -> None:
            entity.kill()
            order.append(name)

        for name in "ab":
            rt.spawn(partial(kill, name))
        rt.world.sleep(1)
        assert order == ["a", "b"]


@EVERYWHERE
def test_a_job_that_never_ends_is_abandoned_when_the_runtime_is_left(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fencepost.actors.runtime.ABANDON_AFTER_S", 0.01)
    gate = CountedFence()
    jobs: list[Job] = []
    with way.runtime() as rt:
        _, _, entity = bench_of(rt)
        jobs += [entity.submit(0, deps=[gate]), entity.submit(0), entity.submit(0, deps=[Fence()])]
        settle(entity)
        assert gate.callbacks == 1
    assert gate.callbacks == 0, "nobody waits any more"
    assert rt.leftovers.abandoned_jobs == 3
    assert [job.finished.error for job in jobs] == [-errno.ESRCH] * 3
    assert adds_up(rt)


@EVERYWHERE
def test_a_job_of_an_entity_whose_actor_is_gone_ends_with_its_scheduler(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was offered and cannot be recalled, and there is nobody to be told to abandon it."""
    monkeypatch.setattr("fencepost.actors.runtime.ABANDON_AFTER_S", 0.01)
    with way.runtime() as rt:
        _, scheduler, entity = bench_of(rt, credit_limit=1)
        blocker = scheduler.entity().submit()
        assert blocker.scheduled.wait(LIMIT_S)
        offered = entity.submit(0)
        settle(entity, scheduler)
        entity.actor.actor_ref.stop()
    assert offered.finished.error == -errno.ECANCELED
    assert adds_up(rt)
    assert not rt.leftovers


@EVERYWHERE
def test_an_entity_stops_waiting_for_what_can_still_signal_after_its_end(way: Way) -> None:
    gate = Fence()
    with way.runtime() as rt:
        _, _, entity = bench_of(rt)
        job = entity.submit(0, deps=[gate])
        settle(entity)
        rt.spawn(gate.signal)
    assert job.finished.signaled
    gate.signal()
    assert adds_up(rt)


@EVERYWHERE
def test_a_refused_job_ends_before_the_dependant_runs(way: Way) -> None:
    with way.runtime() as rt:
        backend, scheduler, entity = bench_of(rt)
        refused = entity.submit(work=refuse(OSError(errno.ENOMEM, "no")))
        dependant = scheduler.entity().submit(0, deps=[refused.finished])
        assert dependant.finished.wait(LIMIT_S)
        assert (refused.finished.error, dependant.finished.error) == (-errno.ENOMEM, 0)
        assert backend.ran == [refused, dependant]


@EVERYWHERE
def test_jobs_of_an_actor_that_was_stopped_by_hand_end(way: Way) -> None:
    """Nobody should, but no fence may stay unsignalled for it."""
    with way.runtime() as rt:
        backend = MockBackend()
        entity = rt.scheduler(backend).entity()
        held = entity.submit(0, deps=[Fence()])
        settle(entity)
        entity.actor.actor_ref.stop()
        assert held.finished.wait(LIMIT_S)
        late = entity.submit(0)
        assert late.finished.wait(LIMIT_S)
        assert late.finished.error == -errno.ESRCH
        entity.kill()
        entity.fini(LIMIT_S)
    assert adds_up(rt)


def test_jobs_given_back_to_an_actor_that_has_ended_are_lost() -> None:
    with Runtime("virtual") as rt:
        entity = rt.scheduler(MockBackend()).entity()
        job = entity.job()
        job.arm()
        entity.actor.on_dead_letter(Recalled((job,), None))
        assert job.finished.error == -errno.ESRCH


def test_whoever_kills_an_entity_whose_actor_fails_meanwhile_is_let_go() -> None:
    with Runtime("virtual") as rt:
        scheduler, recalled = rt.scheduler(MockBackend()), Gate()
        actor = scheduler.entity().actor
        actor._kill = Kill(scheduler.actor, recalled)  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
        actor.on_failure()
        assert recalled.is_open
