"""The AGX-like GPU on threads and the wall clock: what holds whatever the threads do, and no absolute times."""

from __future__ import annotations

import random
from functools import partial
from itertools import pairwise
from typing import Literal

import pytest

from fencepost import Runtime
from fencepost.actors import Entity, Job
from fencepost.checks.invariants import check_events, check_quiescent
from fencepost.events.kinds import BATCH
from fencepost.hw.agx import Agx, Hang, PageFault
from fencepost.policies import Health
from tests.hw.agx.kit import assert_consistent

CLIENTS = 4
JOBS = 20

dispatches = pytest.mark.parametrize("dispatch", ["thread", "workqueue"])


@dispatches
def test_all_is_executed_once_and_one_at_a_time(dispatch: Literal["thread", "workqueue"]) -> None:
    agx = Agx(event_slots=3)
    jobs: list[Job] = []
    with Runtime(dispatch=dispatch, workers=2, events=None) as rt:
        schedulers = [agx.scheduler(rt, ("compute", "render", "all")[number % 3]) for number in range(CLIENTS)]

        def client(number: int) -> None:
            rng = random.Random(number)
            entity = schedulers[number].entity(client=f"client{number}")
            mine = [entity.submit(rng.randrange(30)) for _ in range(JOBS)]
            jobs.extend(mine)
            mine[-1].finished.wait()

        for task in [rt.spawn(partial(client, number)) for number in range(CLIENTS)]:
            task.join()
        statistics = agx.statistics()
        assert rt.events is not None
        stretches = [event[2:] for event in rt.events.of(BATCH)]
    assert [job.finished.error for job in jobs] == [0] * (CLIENTS * JOBS)
    for engine in statistics.engines:
        times = sorted((start_ns, end_ns) for name, *_, start_ns, end_ns in stretches if name == engine)
        assert all(end_ns <= next_ns for (_, end_ns), (next_ns, _) in pairwise(times))
        assert statistics.engines[engine].jobs == len(times)
    assert check_events(rt.events) == []
    assert check_quiescent(rt) == []
    assert_consistent(agx, schedulers)


@dispatches
def test_faults_and_hangs_hit_the_culprits_and_every_fence_signals(dispatch: Literal["thread", "workqueue"]) -> None:
    agx = Agx(timeout_s=0.005, patience_s=5)
    with Runtime(dispatch=dispatch, workers=2, events=None) as rt:
        schedulers = [agx.scheduler(rt, ("compute", "render")[number % 2]) for number in range(CLIENTS)]
        entities = [scheduler.entity(vm=f"vm{number}") for number, scheduler in enumerate(schedulers)]

        def client(entity: Entity, *, bad: bool) -> list[Job]:
            jobs: list[Job] = []
            for number in range(JOBS):
                if bad and number == JOBS // 2:
                    agx.inject(PageFault(entity.vm) if entity is entities[0] else Hang(entity.vm))
                try:
                    jobs.append(entity.submit(20, idempotent=not bad))
                except OSError:
                    assert entity.banned
                    break
            return jobs

        tasks = [rt.spawn(partial(client, entity, bad=number < 2)) for number, entity in enumerate(entities)]
        for task in tasks:
            task.join()
        jobs = [job for task in tasks for job in task.result]
        assert all(job.finished.wait(30) for job in jobs)
        assert not agx.crashed
        health = [entity.status().health for entity in entities]
        # One of the culprits may have been lost by what the other did, before it could do anything.
        assert Health.GUILTY in health[:2]
        assert Health.HEALTHY not in health[:2]
        assert Health.GUILTY not in health[2:]
    assert rt.events is not None
    assert check_events(rt.events) == []
    assert check_quiescent(rt) == []
