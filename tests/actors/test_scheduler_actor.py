# ruff: noqa: PT012 - what a runtime raises when its block is left is what is tested
from __future__ import annotations

import errno

import pytest

from fencepost.actors import Job, Runtime, Scheduler
from fencepost.errors import ActorFailed
from fencepost.events import as_dict
from fencepost.events.kinds import JOB_DONE, JOB_RUN
from fencepost.fences import Fence
from tests.actors.kit import (
    EVERYWHERE,
    LIMIT_S,
    ScriptedBackend,
    Way,
    adds_up,
    done_at_once,
    finished,
    hand_out,
    refuse,
    settle,
)


def bench_of(rt: Runtime, *, credit_limit: int = 1, policy: str = "fifo") -> tuple[ScriptedBackend, Scheduler]:
    backend = ScriptedBackend()
    return backend, rt.scheduler(backend, policy=policy, credit_limit=credit_limit)


# Order.


@EVERYWHERE
def test_jobs_of_an_entity_run_and_are_scheduled_in_the_order_of_their_push(way: Way) -> None:
    with way.runtime() as rt:
        backend, scheduler = bench_of(rt, credit_limit=3, policy="fair")
        entities = [scheduler.entity() for _ in range(3)]
        scheduled: list[Fence] = []
        jobs: list[Job] = []
        for number in range(60):
            job = entities[number % 3].job(duration_us=0)
            job.arm()
            job.scheduled.add_callback(scheduled.append)
            job.push()
            jobs.append(job)
        assert finished(jobs)
        settle(scheduler)
        assert scheduled == [job.scheduled for job in backend.ran]
        assert backend.freed == backend.ran
        for entity in entities:
            assert [job.finished.seqno for job in backend.ran if job.entity is entity] == list(range(1, 21))


@EVERYWHERE
@pytest.mark.parametrize(
    ("work", "error"),
    [(None, 0), (done_at_once, 0), (refuse(OSError(errno.EIO, "no")), -errno.EIO), (refuse(OSError()), -errno.EIO)],
    ids=["mock device", "done at once", "refused", "refused without a number"],
)
def test_what_a_waiter_of_a_fence_finds_done(way: Way, work: object, error: int) -> None:
    """Parent before scheduled, scheduled before finished; credits, score, counts and event before finished."""
    with way.runtime() as rt:
        _, scheduler = bench_of(rt, credit_limit=2)
        job = scheduler.entity().job(duration_us=10, credits=2, work=work)
        job.arm()
        seen: list[object] = []

        def at_scheduled(_fence: Fence) -> None:
            seen.append(("parent", job.finished.parent is not None))
            seen.append(("finished", job.finished.signaled))
            seen.append(("credits", scheduler.actor.credits_in_use))

        def at_finished(_fence: Fence) -> None:
            assert rt.events is not None
            seen.append(("scheduled", job.scheduled.signaled))
            seen.append(("credits", scheduler.actor.credits_in_use))
            seen.append(("score", scheduler.score))
            seen.append(("events", [event[1] for event in rt.events.of(JOB_RUN, JOB_DONE)]))
            seen.append(("ended", scheduler.actor.completed + scheduler.actor.errored))

        job.scheduled.add_callback(at_scheduled)
        job.finished.add_callback(at_finished)
        job.push()
        assert job.finished.wait(LIMIT_S)
        assert seen == [
            ("parent", work is None),
            ("finished", False),
            ("credits", 2),
            ("scheduled", True),
            ("credits", 0),
            ("score", 1),
            ("events", [JOB_RUN, JOB_DONE]),
            ("ended", 1),
        ]
        assert job.finished.error == error
        assert job.scheduled.error == 0
    assert adds_up(rt)


@EVERYWHERE
def test_jobs_are_freed_in_the_order_they_ran_whatever_the_order_of_their_ends(way: Way) -> None:
    with way.runtime() as rt:
        backend, scheduler = bench_of(rt, credit_limit=3)
        hardware = [Fence() for _ in range(3)]
        entity = scheduler.entity()
        jobs = [entity.submit(work=hand_out(fence)) for fence in hardware]
        assert jobs[-1].scheduled.wait(LIMIT_S)
        hardware[2].signal()
        hardware[1].signal()
        assert finished(jobs[1:])
        settle(scheduler)
        assert backend.freed == []
        hardware[0].signal()
        assert finished(jobs)
        settle(scheduler)
        assert backend.freed == jobs


@EVERYWHERE
def test_a_hardware_fence_that_has_signalled_already_completes_its_job(way: Way) -> None:
    with way.runtime() as rt:
        _, scheduler = bench_of(rt)
        hardware = Fence()
        hardware.signal(-errno.EIO)
        jobs = [scheduler.entity().submit(work=hand_out(hardware)) for _ in range(2)]
        assert finished(jobs)
        assert [job.finished.error for job in jobs] == [-errno.EIO] * 2
        assert {job.finished.timestamp_ns for job in jobs} == {hardware.timestamp_ns}
    assert rt.statistics().jobs_errored == 2


# Credits.


@EVERYWHERE
def test_a_small_job_does_not_overtake_a_big_one_that_is_first(way: Way) -> None:
    with way.runtime() as rt:
        backend, scheduler = bench_of(rt, credit_limit=3)
        jobs: list[Job] = []
        for name, credit_count in (("running", 2), ("big", 2), ("small", 1)):
            entity = scheduler.entity(name)
            jobs.append(entity.submit(credits=credit_count))
            settle(entity, scheduler)
        assert [job.entity.name for job in backend.ran] == ["running"]
        assert scheduler.actor.credits_in_use == 2
        backend.advance()
        assert jobs[2].scheduled.wait(LIMIT_S)
        assert [job.entity.name for job in backend.ran] == ["running", "big", "small"]
        assert scheduler.actor.credits_in_use == 3


@EVERYWHERE
def test_a_job_of_more_credits_than_there_are_runs_alone(way: Way) -> None:
    with way.runtime() as rt:
        backend, scheduler = bench_of(rt, credit_limit=3)
        entity = scheduler.entity()
        jobs = [entity.submit(credits=each) for each in (1, 9, 1)]
        assert jobs[1].credits == 3
        for number, job in enumerate(jobs):
            assert job.scheduled.wait(LIMIT_S)
            settle(entity, scheduler)
            assert len(backend.ran) == number + 1
            backend.advance()
        assert finished(jobs)


@EVERYWHERE
def test_there_are_never_more_credits_in_use_than_the_limit(way: Way) -> None:
    with way.runtime() as rt:
        _, scheduler = bench_of(rt, credit_limit=5)
        entities = [scheduler.entity() for _ in range(3)]
        assert finished([entities[number % 3].submit(1, credits=1 + number % 5) for number in range(60)])
        assert rt.events is not None
        in_use = [as_dict(event)["credits_in_use"] for event in rt.events.of(JOB_RUN)]
        assert len(in_use) == 60
        assert max(in_use) == 5
        assert scheduler.actor.credits_in_use == 0


# The end.


@EVERYWHERE
def test_fini_cancels_newest_first_and_returns_when_all_have_signalled(way: Way) -> None:
    with way.runtime() as rt:
        backend, scheduler = bench_of(rt, credit_limit=10)
        entity = scheduler.entity()
        jobs = [entity.submit() for _ in range(5)]
        assert jobs[-1].scheduled.wait(LIMIT_S)
        entity.kill()
        assert scheduler.fini(LIMIT_S)
        assert [job.finished.error for job in jobs] == [-errno.ECANCELED] * 5
        assert backend.cancelled == jobs[::-1]
        assert scheduler.fini()
        assert not scheduler.ready
        settle(scheduler)
        assert backend.freed == jobs
    assert adds_up(rt)
    assert rt.statistics().jobs_cancelled == 5


@EVERYWHERE
def test_fini_of_a_backend_that_does_not_cancel_gives_up_in_time(way: Way) -> None:
    hardware = Fence()

    class Deaf(ScriptedBackend):
        def cancel_job(self, job: Job) -> None:
            self.cancelled.append(job)

    with way.runtime() as rt:
        scheduler = rt.scheduler(Deaf())
        job = scheduler.entity().submit(work=hand_out(hardware))
        assert job.scheduled.wait(LIMIT_S)
        assert not scheduler.fini(0)
        hardware.signal()
        assert job.finished.wait(LIMIT_S)
        assert scheduler.fini(0)
    assert adds_up(rt)


@EVERYWHERE
def test_what_a_deaf_backend_leaves_on_the_hardware_is_ended_with_its_scheduler(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fencepost.actors.runtime.ABANDON_AFTER_S", 0.01)
    hardware = Fence()

    class Deaf(ScriptedBackend):
        def cancel_job(self, job: Job) -> None:
            self.cancelled.append(job)

    with way.runtime() as rt:
        job = rt.scheduler(Deaf()).entity().submit(work=hand_out(hardware))
        assert job.scheduled.wait(LIMIT_S)
    assert job.finished.error == -errno.ENODEV
    hardware.signal()
    assert adds_up(rt)


@EVERYWHERE
def test_a_backend_that_raises_ends_every_job_of_its_scheduler(way: Way) -> None:
    with pytest.raises(ActorFailed, match="burnt") as caught, way.runtime() as rt:
        backend, scheduler = bench_of(rt, credit_limit=2)
        entity, other = scheduler.entity(), scheduler.entity()
        on_hardware = entity.submit()
        waiting = other.submit(0, deps=[Fence()])
        settle(other, scheduler)
        failing = entity.submit(work=refuse(RuntimeError("burnt")))
        queued = [entity.submit(0) for _ in range(3)]
        assert finished([on_hardware, failing, *queued])
        assert {job.finished.error for job in (on_hardware, failing, *queued)} == {-errno.ENODEV}
        assert waiting.finished.wait(LIMIT_S)
        assert backend.cancelled == [on_hardware], "something is left on the hardware"
        with pytest.raises(OSError, match="takes jobs"):
            entity.submit(0)
        with pytest.raises(OSError, match="takes jobs"):
            scheduler.entity().submit(0)
        entity.kill()
        scheduler.fini()
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert adds_up(rt)
    assert not rt.leftovers.tasks


@EVERYWHERE
def test_a_backend_that_raises_in_teardown_does_not_stop_it(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fencepost.actors.runtime.ABANDON_AFTER_S", 0.01)

    class Broken(ScriptedBackend):
        def cancel_job(self, job: Job) -> None:
            raise RuntimeError(f"cannot cancel {job!r}")

    jobs: list[Job] = []
    with pytest.raises(ActorFailed, match="cannot cancel"), way.runtime() as rt:
        jobs += [rt.scheduler(backend).entity().submit() for backend in (Broken(), ScriptedBackend())]
        for job in jobs:
            assert job.scheduled.wait(LIMIT_S)
    assert [job.finished.error for job in jobs] == [-errno.ENODEV, -errno.ECANCELED]
    assert jobs[0].finished.parent is not None
    jobs[0].finished.parent.signal()
    assert adds_up(rt)
    assert not rt.leftovers.tasks


@EVERYWHERE
@pytest.mark.parametrize("which", ["scheduled", "finished"])
def test_a_callback_that_raises_keeps_no_fence_from_signalling(way: Way, which: str) -> None:
    def fail(_fence: Fence) -> None:
        raise RuntimeError("a bad callback")

    with pytest.raises(ActorFailed, match="a bad callback"), way.runtime() as rt:
        _, scheduler = bench_of(rt, credit_limit=2)
        entity = scheduler.entity()
        jobs = [entity.job(duration_us=0) for _ in range(4)]
        for job in jobs:
            job.arm()
            getattr(job, which).add_callback(fail)
        for job in jobs:
            job.push()
        assert finished(jobs)
        assert all(job.scheduled.signaled for job in jobs)
    assert adds_up(rt)


@EVERYWHERE
def test_free_job_that_raises_ends_the_other_jobs(way: Way) -> None:
    class Broken(ScriptedBackend):
        def free_job(self, job: Job) -> None:
            raise RuntimeError(f"cannot free {job!r}")

    with pytest.raises(ActorFailed, match="cannot free"), way.runtime() as rt:
        entity = rt.scheduler(Broken()).entity()
        jobs = [entity.submit(0) for _ in range(4)]
        assert finished(jobs)
        assert jobs[0].finished.error == 0
    assert adds_up(rt)


def test_jobs_finish_in_order_also_when_the_later_one_is_complete_as_soon_as_it_is_handed_over(rt: Runtime) -> None:
    """While the second is handed over the first completes: the message of that is still in the mailbox."""
    backend = ScriptedBackend()
    entity = rt.scheduler(backend, credit_limit=2).entity()
    running, complete = Fence(), Fence()
    complete.signal()

    def complete_both(_job: Job) -> Fence:
        running.signal()
        return complete

    first = entity.submit(work=hand_out(running))
    second = entity.job(work=complete_both)
    second.arm()
    earlier: list[bool] = []
    second.finished.add_callback(lambda _fence: earlier.append(first.finished.signaled))
    second.push()
    assert second.finished.wait(LIMIT_S)
    assert earlier == [True]
