"""The firmware on threads and the wall clock: what holds whatever the threads do, and no absolute times."""

from __future__ import annotations

import errno
import random
from functools import partial
from typing import Literal

import pytest

from fencepost import Runtime
from fencepost.actors import Job
from fencepost.checks.invariants import check_events, check_quiescent
from fencepost.hw import Batch
from fencepost.hw.guc import Guc, GucQueue
from fencepost.hw.guc.messages import FromFirmware
from fencepost.policies import Priority
from tests.hw.kit import assert_one_at_a_time

Dispatch = Literal["thread", "workqueue"]

dispatches = pytest.mark.parametrize("dispatch", ["thread", "workqueue"])

QUEUES = 6
JOBS = 20


def assert_in_order(jobs: list[Job]) -> None:
    by_queue: dict[int, list[int]] = {}
    for job in jobs:
        assert job.finished.parent is not None
        by_queue.setdefault(job.finished.context, []).append(job.finished.parent.timestamp_ns)
    assert all(times == sorted(times) for times in by_queue.values())


@dispatches
def test_what_engines_did_adds_up(dispatch: Dispatch) -> None:
    guc = Guc({"rcs": 1, "vcs": 2}, quantum_us=50, preempt_us=5)
    jobs: list[Job] = []
    with Runtime(dispatch=dispatch, workers=2, events=None) as rt:
        queues = [
            guc.queue(rt, ("rcs0", "vcs")[number % 2], client=f"client{number}", priority=list(Priority)[number % 4])
            for number in range(QUEUES)
        ]

        def client(queue: GucQueue, seed: int) -> None:
            rng = random.Random(seed)
            mine = [queue.entity.submit(rng.randrange(60), work=Batch(rng.choice((None, 0, 1)))) for _ in range(JOBS)]
            queue.suspend().wait(5)
            queue.resume()
            mine[-1].finished.wait(5)
            jobs.extend(mine)

        for task in [rt.spawn(partial(client, queue, number)) for number, queue in enumerate(queues)]:
            task.join()
        statistics = guc.statistics()
    assert [job.finished.error for job in jobs] == [0] * (QUEUES * JOBS)
    assert_one_at_a_time(rt)
    assert_in_order(jobs)
    assert sum(engine.jobs for engine in statistics.engines.values()) == len(jobs)
    assert sum(statistics.clients.values()) == sum(round((job.duration_us or 0) * 1000) for job in jobs)
    assert guc.firmware.violations == []
    assert rt.events is not None
    assert check_events(rt.events) == []
    assert check_quiescent(rt) == []


def try_luck(guc: Guc, queue: GucQueue, seed: int, jobs: list[Job]) -> None:
    """Submit jobs of which some hang and some fault; suspend the queue from time to time, or kill it."""
    rng = random.Random(seed)
    for _ in range(JOBS):
        job = queue.entity.job(duration_us=rng.randrange(300))
        try:
            job.arm()
        except OSError:
            return
        if rng.random() < 0.05:
            rng.choice((guc.faults.hang, guc.faults.page_fault))(job)
        job.push()
        jobs.append(job)
        if rng.random() < 0.2:
            queue.suspend().wait(5)
            queue.resume()
        elif rng.random() < 0.05:
            queue.kill()


@dispatches
@pytest.mark.parametrize("seed", range(3))
def test_everything_goes_wrong_and_every_fence_signals(dispatch: Dispatch, seed: int) -> None:
    """Hangs, faults, lost and late replies, engine resets, resets of the device, kills, suspensions, all at once."""
    guc = Guc({"rcs": 1, "vcs": 1}, ack_timeout_s=0.02, preempt_timeout_us=2_000, quantum_us=100)
    jobs: list[Job] = []
    rng = random.Random(seed)

    def some(_message: FromFirmware) -> bool:
        return rng.random() < 0.1

    with Runtime(dispatch=dispatch, workers=2) as rt:
        queues = [guc.queue(rt, ("rcs0", "vcs0")[number % 2], timeout_s=0.01) for number in range(QUEUES)]

        clients = [rt.spawn(partial(try_luck, guc, queue, number, jobs)) for number, queue in enumerate(queues)]
        guc.faults.drop(some, count=3)
        guc.faults.delay(some, 0.003, count=10)
        guc.faults.duplicate(some, count=5)
        guc.faults.reset_engine("rcs0")
        guc.reset("a test")
        for task in clients:
            task.join()
        for job in jobs:
            assert job.finished.wait(20), job
        for queue in queues:
            queue.close()
    allowed = {0, -errno.ETIME, -errno.EIO, -errno.ECANCELED}
    assert {job.finished.error for job in jobs} <= allowed
    assert guc.firmware.violations == []
    assert_one_at_a_time(rt)
    assert check_quiescent(rt) == []
