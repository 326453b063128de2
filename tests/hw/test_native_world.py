"""The hardware on threads and the wall clock: what holds whatever the threads do, and no absolute times."""

from __future__ import annotations

import errno
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from typing import Literal

import pytest

from fencepost import Runtime
from fencepost.actors import Job
from fencepost.events.kinds import BATCH
from fencepost.fences import Fence
from fencepost.hw import Batch, Gpu, MockBackend
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.execution import Execution, RingBuffer

Dispatch = Literal["thread", "workqueue"]
MakeBatch = Callable[..., Execution]

dispatches = pytest.mark.parametrize("dispatch", ["thread", "workqueue"])

CLIENTS = 4
JOBS = 25


@dispatches
def test_what_engines_did_adds_up(dispatch: Dispatch) -> None:
    """Clients of all priorities on two engines; every fifth job must be told to end, by another thread."""
    gpu = Gpu({"rcs": 1, "ccs": 1}, preempt_us=5)
    jobs: list[Job] = []
    with Runtime(dispatch=dispatch, workers=2, events=None) as rt:
        schedulers = [
            rt.scheduler(gpu.ring(engine, priority=priority), f"{engine}.{priority}", credit_limit=4)
            for engine in ("rcs0", "ccs0")
            for priority in (0, 1)
        ]

        def terminate(spinners: Iterable[Job]) -> None:
            for job in spinners:
                gpu.terminate(job)

        def client(number: int) -> None:
            rng = random.Random(number)
            entity = schedulers[number % len(schedulers)].entity(client=f"client{number}")
            mine = [
                entity.submit(None if index % 5 == 0 else rng.randrange(30), work=Batch(rng.choice((None, 0, 1))))
                for index in range(JOBS)
            ]
            jobs.extend(mine)
            rt.spawn(partial(terminate, mine[::5])).join()
            mine[-1].finished.wait()

        for task in [rt.spawn(partial(client, number)) for number in range(2 * CLIENTS)]:
            task.join()
        statistics = gpu.statistics()
        assert rt.events is not None
        stretches = [event[2:] for event in rt.events.of(BATCH)]

    assert [job.finished.error for job in jobs] == [0] * (2 * CLIENTS * JOBS)
    assert_one_at_a_time(stretches)
    assert_in_order(jobs)

    executed: Counter[tuple[int, int]] = Counter()
    busy: Counter[tuple[str, str]] = Counter()
    for engine, client_name, context, seqno, start_ns, end_ns in stretches:
        executed[context, seqno] += end_ns - start_ns
        busy[client_name, engine] += end_ns - start_ns
    assert statistics.clients == busy
    assert sum(each.jobs for each in statistics.engines.values()) == len(jobs)
    timed = [job for job in jobs if job.duration_us is not None]
    assert [executed[job.finished.context, job.finished.seqno] for job in timed] == [
        round((job.duration_us or 0) * 1000) for job in timed
    ]


def assert_one_at_a_time(stretches: Iterable[tuple[str, str, int, int, int, int]]) -> None:
    by_engine: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for engine, _, _, _, start_ns, end_ns in stretches:
        by_engine[engine].append((start_ns, end_ns))
    for times in by_engine.values():
        assert all(start <= end for start, end in times)
        assert all(before[1] <= after[0] for before, after in pairwise(times))


def assert_in_order(jobs: Iterable[Job]) -> None:
    by_ring: dict[int, list[Fence]] = defaultdict(list)
    for job in jobs:
        assert job.finished.parent is not None
        by_ring[job.finished.parent.context].append(job.finished.parent)
    for fences in by_ring.values():
        ends = [fence.timestamp_ns for fence in sorted(fences, key=lambda fence: fence.seqno)]
        assert ends == sorted(ends)


def test_the_fences_of_a_ring_signal_in_order(batch: MakeBatch) -> None:
    """The timer, who submits and who terminates all come by when something has ended."""
    rings = [RingBuffer(priority) for priority in (0, 0, 1)]
    told: list[list[int]] = [[] for _ in rings]
    with Runtime(events=False) as rt:
        clocked = ClockedEngine("rcs0")
        clocked.attach(rt.world, rt.events)

        def tell(number: int, index: int, _fence: Fence) -> None:
            told[number].append(index)

        def feed(number: int) -> list[Execution]:
            rng = random.Random(number)
            executions = [batch(rings[number], rng.randrange(20_000), 1000) for _ in range(50)]
            for index, execution in enumerate(executions):
                execution.fence.add_callback(partial(tell, number, index))
                with clocked as engine:
                    engine.submit(execution)
            return executions

        def hurry(executions: Iterable[Execution]) -> None:
            for execution in executions:
                with clocked as engine:
                    engine.terminate(execution)
                execution.fence.wait()

        feeders = [rt.spawn(partial(feed, number)) for number in range(len(rings))]
        for feeder in feeders:
            feeder.join()
            rt.spawn(partial(hurry, feeder.result[::3]))
        for feeder in feeders:
            assert all(execution.fence.wait(10) for execution in feeder.result)
    assert told == [list(range(50))] * len(rings)


@dispatches
def test_a_cancelled_job_has_signalled_whatever_else_ends_it(dispatch: Dispatch) -> None:
    """The timer fires, or somebody else advances, while the job is cancelled."""
    mock = MockBackend()
    with Runtime(dispatch=dispatch, events=False) as rt:
        entity = rt.scheduler(mock, credit_limit=10_000).entity()
        for round_ in range(50):
            timed, manual = entity.submit(round_ / 2), entity.submit()
            manual.scheduled.wait()
            advancing = rt.spawn(mock.advance)
            for job in (manual, timed):
                mock.cancel_job(job)
                assert job.finished.parent is not None
                assert job.finished.parent.signaled
                assert job.finished.parent.error in {0, -errno.ECANCELED}
            advancing.join()
            manual.finished.wait()


@dispatches
def test_leaving_ends_every_job(dispatch: Dispatch) -> None:
    gpu = Gpu()
    jobs: list[Job] = []
    with Runtime(dispatch=dispatch, events=False) as rt:
        for engine in ("rcs0", "vcs0", "vcs1"):
            for priority in (0, 1):
                scheduler = rt.scheduler(gpu.ring(engine, priority=priority), credit_limit=5)
                for _ in range(3):
                    entity = scheduler.entity()
                    jobs += [entity.submit(duration) for duration in (1, 3, None, 1)]
    assert not rt.leftovers
    assert all(job.finished.signaled for job in jobs)
    assert {job.finished.error for job in jobs} <= {0, -errno.ECANCELED, -errno.ESRCH}
    parents = [job.finished.parent for job in jobs if job.finished.parent is not None]
    assert all(parent.signaled for parent in parents)
