"""Many clients, entities and schedulers on real threads, with everything that can happen happening at random."""

from __future__ import annotations

import itertools
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest

from fencepost import Priority
from fencepost.actors import Entity, Job, Runtime, Scheduler
from fencepost.actors.job import ScheduledFence
from fencepost.events.kinds import JOB_DONE, JOB_RUN
from fencepost.fences import Fence
from fencepost.sync import now_ns
from tests.actors.kit import LIMIT_S, NATIVELY, ScriptedBackend, Way, adds_up, done_at_once, finished, refuse

SCHEDULERS = 3
CLIENTS = 4
STEPS = 60
SEEDS = 2
STRESS_S = float(os.environ.get("FENCEPOST_STRESS_S", "0"))
"""For how long each way is tried besides: FENCEPOST_STRESS_S=600 pytest tests/actors/test_stress.py"""


@dataclass
class Battle:
    """What the clients of one run share; lists are only appended to."""

    rt: Runtime
    schedulers: list[Scheduler]
    shared: list[Entity]
    jobs: list[Job] = field(default_factory=list[Job])
    entities: list[Entity] = field(default_factory=list[Entity])

    def client(self, seed: int) -> None:
        """Do so many things at random, then wait for the own jobs."""
        dice = random.Random(seed)
        mine = [self.entity(dice) for _ in range(2)]
        for _ in range(STEPS):
            entity = dice.choice([*mine, *self.shared])
            match dice.randrange(12):
                case 0:
                    entity.set_priority(dice.choice(list(Priority)))
                case 1:
                    entity.modify_schedulers(self.some(dice))
                case 2:
                    entity.kill()
                    self.replace(mine, entity, dice)
                case 3 if entity in mine:
                    entity.fini(LIMIT_S)
                    self.replace(mine, entity, dice)
                case 4 if self.jobs:
                    dice.choice(self.jobs).finished.wait(0.0005)
                case _:
                    self.submit(entity, dice)

    def entity(self, dice: random.Random) -> Entity:
        entity = self.rt.entity(self.some(dice), priority=dice.choice(list(Priority)))
        self.entities.append(entity)
        return entity

    def replace(self, mine: list[Entity], entity: Entity, dice: random.Random) -> None:
        if entity in mine:
            mine[mine.index(entity)] = self.entity(dice)

    def some(self, dice: random.Random) -> list[Scheduler]:
        return dice.sample(self.schedulers, dice.randint(1, SCHEDULERS))

    def submit(self, entity: Entity, dice: random.Random) -> None:
        recent = self.jobs[-20:]
        deps: list[Fence] = [job.finished for job in dice.sample(recent, min(len(recent), dice.randrange(3)))]
        if recent and dice.random() < 0.2:
            deps.append(dice.choice(recent).scheduled)
        work = dice.choice([None, None, None, done_at_once, refuse(OSError(5, "no"))])
        try:
            job = entity.submit(dice.choice([0, 5, 50]), deps=deps, credits=dice.randint(1, 3), work=work)
        except OSError:
            assert entity.killed
        else:
            self.jobs.append(job)


def seeds() -> Iterator[int]:
    """Give the first few seeds, and more until the time is up."""
    end_ns = now_ns() + round(STRESS_S * 1e9)
    for seed in itertools.count():
        if seed >= SEEDS and now_ns() >= end_ns:
            return
        yield seed


@NATIVELY
@pytest.mark.timeout(60 + STRESS_S)
def test_whatever_clients_do_every_fence_signals_and_all_adds_up(way: Way) -> None:
    for seed in seeds():
        fight(way, seed)


def fight(way: Way, seed: int) -> None:
    """Let the clients of one seed do their worst, and look whether the account is right."""
    backends = [ScriptedBackend() for _ in range(SCHEDULERS)]
    with way.runtime(events=None) as rt:
        schedulers = [
            rt.scheduler(backend, policy=policy, credit_limit=limit)
            for backend, policy, limit in zip(backends, ("rr", "fifo", "fair"), (1, 2, 4), strict=True)
        ]
        battle = Battle(rt, schedulers, [rt.entity(schedulers) for _ in range(2)])
        clients = [rt.spawn(partial(battle.client, 1000 * seed + each)) for each in range(CLIENTS)]
        for client in clients:
            assert client.join(LIMIT_S), f"seed {seed}: {client} is stuck"
        assert finished(battle.jobs), f"seed {seed}: a job never ends"
        for entity in (*battle.entities, *battle.shared):
            assert entity.fini(LIMIT_S)
        assert [scheduler.score for scheduler in schedulers] == [0] * SCHEDULERS, f"seed {seed}"
        assert [scheduler.actor.credits_in_use for scheduler in schedulers] == [0] * SCHEDULERS, f"seed {seed}"
    assert adds_up(rt), f"seed {seed}: {rt.statistics()}"
    assert not rt.leftovers, f"seed {seed}"
    check_orders(rt, battle, backends, f"seed {seed}")


def check_orders(rt: Runtime, battle: Battle, backends: list[ScriptedBackend], seed: str) -> None:
    """Look at the order of hand-overs and of ends."""
    for backend in backends:
        latest: dict[Entity, int] = {}
        for job in backend.ran:
            assert job.finished.seqno > latest.get(job.entity, 0), f"{seed}: {job!r} ran out of order"
            latest[job.entity] = job.finished.seqno
        assert [job for job in backend.freed if job in set(backend.ran)] == backend.ran, f"{seed}: freed out of order"
    assert rt.events is not None
    done: dict[tuple[int, int], int] = {}
    for place, event in enumerate(rt.events):
        if event[1] == JOB_DONE:
            assert (event[3], event[4]) not in done, f"{seed}: {event} twice"
            done[event[3], event[4]] = place
    ran = {(event[5], event[6]) for event in rt.events.of(JOB_RUN)}
    for job in battle.jobs:
        me = (job.finished.context, job.finished.seqno)
        assert (me in ran) == (job.finished.error != -3), f"{seed}: {job!r} was killed and ran"
        if me not in ran:
            for fence in job.dependencies:
                context = fence.context + isinstance(fence, ScheduledFence)
                assert done[context, fence.seqno] < done[me], f"{seed}: {job!r} ended before {fence!r}"
