"""Random programs in the virtual world: whatever a client does, the rules hold."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fencepost.actors import Entity, Job, Runtime, Scheduler
from fencepost.errors import WrongState
from fencepost.events import as_dict
from fencepost.events.kinds import JOB_RUN
from fencepost.fences import Fence
from tests.actors.kit import VIRTUALLY, ScriptedBackend, Way, adds_up, done_at_once, refuse

SCHEDULERS, ENTITIES, GATES = 2, 3, 3
LIMITS = (1, 3)

WORKS: list[Callable[[Job], Fence | None] | None] = [None, None, done_at_once, refuse(OSError(errno.EIO, "no"))]
Step: TypeAlias = tuple[str, int, int, int]

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["submit"] * 6 + ["advance"] * 3 + ["gate", "sleep", "kill", "fini", "modify", "priority", "arm", "push"]
        ),
        st.integers(0, 11),
        st.integers(0, 11),
        st.integers(0, 11),
    ),
    max_size=60,
)


class Program:
    """Runs steps; every number means something whatever it is."""

    def __init__(self, rt: Runtime) -> None:
        self.rt = rt
        self.backends = [ScriptedBackend() for _ in range(SCHEDULERS)]
        self.schedulers: list[Scheduler] = [
            rt.scheduler(backend, credit_limit=limit, policy="fair" if limit > 1 else "rr")
            for backend, limit in zip(self.backends, LIMITS, strict=True)
        ]
        self.entities: list[Entity] = [rt.entity(self.schedulers[number % 2 :]) for number in range(ENTITIES)]
        self.gates = [Fence(name=f"gate{number}") for number in range(GATES)]
        self.jobs: list[Job] = []
        self.unpushed: dict[Entity, list[Job]] = {entity: [] for entity in self.entities}

    def step(self, step: Step) -> None:
        name, *numbers = step
        getattr(self, name)(*numbers)

    def make(self, a: int, b: int, c: int) -> Job:
        job = self.entities[a % ENTITIES].job(
            duration_us=None if c % 3 else 10.0 * c, credits=1 + b % 4, work=WORKS[c % len(WORKS)]
        )
        if b % 4 == 3:
            job.add_dependency(self.gates[c % GATES])
        for number in (b, c):
            if number % 2 and number < len(self.jobs):
                other = self.jobs[-1 - number]
                job.add_dependency(other.finished if number % 3 else other.scheduled)
        return job

    def submit(self, a: int, b: int, c: int) -> None:
        self.arm(a, b, c)
        self.push(a)

    def arm(self, a: int, b: int, c: int) -> None:
        job = self.make(a, b, c)
        try:
            job.arm()
        except OSError as error:
            assert error.errno == errno.ECANCELED  # noqa: PT017 - and otherwise nothing was raised
            assert job.entity.killed
        else:
            self.unpushed[job.entity].append(job)
            self.jobs.append(job)

    def push(self, a: int, *_: int) -> None:
        entity = self.entities[a % ENTITIES]
        waiting = self.unpushed[entity]
        if len(waiting) > 1:
            with pytest.raises(WrongState):
                waiting[-1].push()
        while waiting:
            waiting.pop(0).push()

    def advance(self, a: int, b: int, _: int) -> None:
        self.backends[a % SCHEDULERS].advance(1 + b % 3)

    def gate(self, a: int, b: int, _: int) -> None:
        self.gates[a % GATES].signal(-errno.EIO if b % 2 else 0)

    def sleep(self, a: int, b: int, _: int) -> None:
        self.rt.world.sleep((a + 1) * (b + 1) * 1e-6)

    def kill(self, a: int, *_: int) -> None:
        self.entities[a % ENTITIES].kill()

    def fini(self, a: int, b: int, _: int) -> None:
        entity = self.entities[a % ENTITIES]
        entity.fini(b * 1e-6)
        self.unpushed[entity].clear()

    def modify(self, a: int, b: int, _: int) -> None:
        self.entities[a % ENTITIES].modify_schedulers([self.schedulers[b % 2]])

    def priority(self, a: int, b: int, _: int) -> None:
        entity = self.entities[a % ENTITIES]
        entity.set_priority(type(entity.priority)(b % 4))

    def check(self) -> None:
        """Look at what must hold at any moment."""
        for job in self.jobs:
            assert job.scheduled.signaled or not job.finished.signaled, f"{job!r} finished before it was scheduled"
            if job.finished.error == -errno.ESRCH:
                self.check_killed(job)
        for scheduler, limit in zip(self.schedulers, LIMITS, strict=True):
            assert 0 <= scheduler.actor.credits_in_use <= limit
            assert scheduler.score >= scheduler.actor.running

    def check_killed(self, job: Job) -> None:
        assert job.finished.parent is None, f"{job!r} was killed and ran"
        for fence in job.dependencies:
            assert fence.signaled, f"{job!r} ended before {fence!r}"

    def check_end(self) -> None:
        assert all(job.finished.signaled for job in self.jobs)
        assert adds_up(self.rt)
        assert not self.rt.leftovers.tasks
        assert self.rt.events is not None
        for backend, limit in zip(self.backends, LIMITS, strict=True):
            ring = self.schedulers[self.backends.index(backend)].name
            runs = [event for event in map(as_dict, self.rt.events.of(JOB_RUN)) if event["ring"] == ring]
            assert all(event["credits_in_use"] <= limit for event in runs)
            latest: dict[int, int] = {}
            for event in runs:
                assert event["seqno"] > latest.get(event["context"], 0), "a job ran out of order"
                latest[event["context"]] = event["seqno"]
            was_run = set(backend.ran)
            assert [job for job in backend.freed if job in was_run] == backend.ran


@VIRTUALLY
@settings(max_examples=150)
@given(steps=STEPS)
def test_whatever_a_client_does_the_rules_hold(way: Way, steps: list[Step]) -> None:
    with way.runtime(events=None) as rt:
        program = Program(rt)
        for step in steps:
            program.step(step)
            program.check()
    program.check_end()
    for gate in program.gates:
        gate.signal()
