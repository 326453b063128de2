"""When a backend is asked to prepare a job, and what comes of its answer."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from fencepost.actors import Job, Runtime
from fencepost.errors import WrongState
from fencepost.fences import Fence
from tests.actors.kit import EVERYWHERE, LIMIT_S, ScriptedBackend, Way, adds_up, finished, settle


class Prepared(ScriptedBackend):
    """Keeps whom it was asked about, and answers as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Job] = []
        self.answer: Callable[[Job], Fence | None] = lambda _job: None

    def prepare_job(self, job: Job) -> Fence | None:
        self.asked.append(job)
        return self.answer(job)


class Choosy(Prepared):
    """Refuses what it is told to."""

    def check_job(self, job: Job) -> None:
        if job.work == "too much":
            raise OSError(errno.EINVAL, f"{job} is too much")


@EVERYWHERE
def test_a_job_runs_when_its_backend_has_nothing_more_to_wait_for(way: Way) -> None:
    with way.runtime() as rt:
        backend = Prepared()
        fences = [Fence(), Fence()]
        left = list(fences)
        backend.answer = lambda _job: left[0] if left else None
        scheduler = rt.scheduler(backend)
        entity = scheduler.entity()
        job = entity.submit(0)
        for times, fence in enumerate(fences, start=1):
            settle(entity, scheduler)
            assert backend.asked == [job] * times
            assert not job.scheduled.signaled
            left.pop(0)
            fence.signal(-errno.EIO)
        assert finished([job])
        assert backend.asked == [job] * 3
        assert backend.ran == [job]
        assert job.finished.error == 0


@EVERYWHERE
def test_it_is_asked_when_all_dependencies_are_met(way: Way) -> None:
    with way.runtime() as rt:
        backend = Prepared()
        scheduler = rt.scheduler(backend)
        entity, gate = scheduler.entity(), Fence()
        job = entity.submit(0, deps=[gate])
        settle(entity, scheduler)
        assert backend.asked == []
        gate.signal()
        assert finished([job])
        assert backend.asked == [job]


@EVERYWHERE
def test_it_is_asked_for_the_next_job_when_the_one_before_was_handed_over(way: Way) -> None:
    """A hundred jobs in a line do not take what only the first can use."""
    with way.runtime() as rt:
        backend = Prepared()
        scheduler = rt.scheduler(backend, credit_limit=2)
        entity = scheduler.entity()
        jobs = [entity.submit() for _ in range(5)]
        assert jobs[1].scheduled.wait(LIMIT_S)
        settle(entity, scheduler)
        assert backend.asked == jobs[:3]
        backend.advance()
        assert jobs[2].scheduled.wait(LIMIT_S)
        settle(entity, scheduler)
        assert backend.asked == jobs[:4]


@EVERYWHERE
def test_a_fence_that_has_signalled_means_ask_again(way: Way) -> None:
    with way.runtime() as rt:
        backend = Prepared()
        left = [Fence() for _ in range(10)]
        for fence in left:
            fence.signal()
        backend.answer = lambda _job: left.pop() if left else None
        scheduler = rt.scheduler(backend)
        assert finished([scheduler.entity().submit(0)])
        assert len(backend.asked) == 11


@EVERYWHERE
def test_a_killed_job_is_not_prepared(way: Way) -> None:
    with way.runtime() as rt:
        backend, gate = Prepared(), Fence()
        backend.answer = lambda _job: gate
        scheduler = rt.scheduler(backend)
        entity = scheduler.entity()
        jobs = [entity.submit(0) for _ in range(3)]
        settle(entity, scheduler)
        entity.kill()
        assert finished(jobs)
        assert [job.finished.error for job in jobs] == [-errno.ESRCH] * 3
        assert backend.asked == jobs[:1]
        assert backend.ran == []
        gate.signal()
        settle(entity, scheduler)
        assert backend.asked == jobs[:1]
    assert adds_up(rt)


@EVERYWHERE
def test_entities_are_prepared_each_for_itself(way: Way) -> None:
    with way.runtime() as rt:
        backend, gate = Prepared(), Fence()
        backend.answer = lambda job: gate if job.work == "slow" and not gate.signaled else None
        scheduler = rt.scheduler(backend)
        slow = scheduler.entity().submit(0, work="slow")
        assert finished([scheduler.entity().submit(0)])
        assert not slow.scheduled.signaled
        gate.signal()
        assert finished([slow])


@EVERYWHERE
def test_a_job_that_could_never_run_is_refused_at_submission(way: Way) -> None:
    with way.runtime() as rt:
        backend = Choosy()
        entity = rt.scheduler(backend).entity()
        before = entity.submit(0)
        with pytest.raises(OSError, match="is too much") as refusal:
            entity.submit(0, work="too much")
        assert refusal.value.errno == errno.EINVAL
        job = entity.job(work="too much")
        with pytest.raises(OSError, match="is too much"):
            job.arm()
        with pytest.raises(WrongState):
            job.push()
        # Nothing is half done: the next one has the next number.
        after = entity.submit(0)
        assert finished([before, after])
        assert [before.finished.seqno, after.finished.seqno] == [1, 2]
    assert rt.statistics().jobs_submitted == 2
    assert adds_up(rt)


def test_a_backend_that_cannot_prepare_is_not_asked() -> None:
    with Runtime(world="virtual") as rt:
        scheduler = rt.scheduler(ScriptedBackend())
        assert scheduler.prepare_job is None
        assert scheduler.check_job is None
        assert finished([scheduler.entity().submit(0)])
