"""Whatever ends while jobs run, wait or are being reset: every armed fence signals, and rules are kept on the way."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fencepost.actors import Entity, Job, Recovery, ResetDomain, Runtime, Scheduler, Status
from fencepost.actors.job import FinishedFence
from fencepost.actors.procedure import Steps, Until
from fencepost.actors.static_message import StaticMessage
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.sync import WaitQueue
from tests.actors.kit import NATIVE_WAYS, Way, adds_up
from tests.searching import assert_clean

US: float = 1e-6
SCHEDULERS, ENTITIES = 3, 4
SHORT_US, LONG_US = 30, 400
TIMEOUT_US = 100


class Op(NamedTuple):
    """One thing that the client does: what, to the how-manyth, and two numbers that say more."""

    what: str
    whom: int
    more: int
    dependency: int = 0


class Driver(MockBackend):
    """Keeps an eye on what its scheduler asks of it, and answers time-outs in one of four ways.

    Each way is one that its contract allows; a job that does not hang at first does so the second time.
    """

    def __init__(self, way: int) -> None:
        super().__init__()
        self.way = way
        self.busy = ""
        self.ran: set[int] = set()
        self.freed: set[int] = set()
        self.looked_at: set[int] = set()
        self.suspend = StaticMessage("SUSPEND")

    def run_job(self, job: Job) -> Fence:
        assert not self.busy, f"{job!r} is run {self.busy}"
        assert id(job) not in self.ran, f"{job!r} is run again"
        self.ran.add(id(job))
        return super().run_job(job)

    def free_job(self, job: Job) -> None:
        assert job.finished.signaled, f"{job!r} is freed before its end"
        assert id(job) not in self.freed, f"{job!r} is freed again"
        assert id(job) not in self.ran or not self.busy, f"{job!r} is freed {self.busy}"
        self.freed.add(id(job))
        super().free_job(job)

    def cancel_job(self, job: Job) -> None:
        assert not self.busy, f"{job!r} is taken back {self.busy}"
        super().cancel_job(job)

    def process_message(self, message: object) -> Steps[None] | None:
        assert not self.busy, f"{message} is processed {self.busy}"
        return self.wait("in the middle of a message") if message is self.suspend else None

    def wait(self, busy: str) -> Steps[None]:
        self.busy = busy
        try:
            yield Until(lambda: False, WaitQueue(), SHORT_US * US)
        finally:
            self.busy = ""

    def timedout_job(  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride]
        self, job: Job, recovery: Recovery
    ) -> Status | Steps[Status]:
        assert not self.busy, f"{job!r} is reported {self.busy}"
        assert not job.finished.signaled
        if id(job) not in self.looked_at and self.way:
            self.looked_at.add(id(job))
            return Status.NO_HANG
        return self.recover(job, recovery)

    def recover(self, job: Job, recovery: Recovery) -> Steps[Status]:
        stopped: list[Scheduler] = [job.scheduler]
        if self.way == 2:
            yield from recovery.stop(recovery.schedulers)
            stopped = list(recovery.schedulers)
        drivers = [each.backend for each in stopped if isinstance(each.backend, Driver)]
        for driver in drivers:
            assert not driver.busy
            driver.busy = "during a recovery"
        try:
            yield Until(lambda: False, WaitQueue(), SHORT_US * US)
        finally:
            for driver in drivers:
                driver.busy = ""
        if self.way == 3:
            return Status.ENODEV
        for each in recovery.pending().values():
            for pending in each:
                backend = pending.scheduler.backend
                assert isinstance(backend, MockBackend)
                backend.abort(pending, -errno.ETIME if pending is job else -errno.ECANCELED)
        return Status.RESET


class Program:
    """A runtime's things, and what was submitted."""

    def __init__(self, rt: Runtime, ways: Sequence[int]) -> None:
        self.rt = rt
        self.domain: ResetDomain = rt.reset_domain()
        self.drivers = [Driver(way) for way in ways]
        self.schedulers = [
            rt.scheduler(driver, domain=self.domain, timeout_s=TIMEOUT_US * US, credit_limit=2)
            for driver in self.drivers
        ]
        self.entities: list[Entity] = [
            rt.entity([self.schedulers[number % SCHEDULERS]], f"e{number}") for number in range(ENTITIES)
        ]
        self.jobs: list[Job] = []
        self.last: dict[Entity, Job] = {}
        self.wrong: list[str] = []
        self.leaving = False

    def do(self, op: Op) -> None:
        scheduler = self.schedulers[op.whom % SCHEDULERS]
        driver = self.drivers[op.whom % SCHEDULERS]
        entity = self.entities[op.whom % ENTITIES]
        time_s = op.more * SHORT_US * US
        deeds: dict[str, Callable[[], object]] = {
            "submit": lambda: self.submit(entity, op),
            "advance": lambda: driver.advance(op.more + 1),
            "kill": entity.kill,
            "end": lambda: entity.fini(SHORT_US * US),
            "finish": lambda: scheduler.fini(SHORT_US * US),
            "unplug": self.domain.unplug,
            "fault": scheduler.fault,
            "time": lambda: scheduler.set_timeout(time_s or None),
            "hurry": lambda: scheduler.set_timeout(0),
            "suspend": scheduler.suspend_timeout,
            "resume": lambda: scheduler.resume_timeout(time_s),
            "send": lambda: scheduler.send(driver.suspend if op.more % 2 else "note", first=op.more > 1),
            "sleep": lambda: self.rt.world.sleep(time_s + SHORT_US * US),
        }
        deeds[op.what]()

    def submit(self, entity: Entity, op: Op) -> None:
        duration_us = (None, 0, SHORT_US, LONG_US)[op.more % 4]
        behind = [self.jobs[-op.dependency]] if 0 < op.dependency <= len(self.jobs) else []
        fences = [job.finished for job in behind]
        try:
            job = entity.submit(duration_us, deps=fences)
        except OSError as refusal:
            assert entity.killed or entity.banned or not entity.scheduler.ready, refusal  # noqa: PT017
            return
        self.jobs.append(job)
        if entity in self.last:
            fences.append(self.last[entity].finished)
        self.last[entity] = job
        finished = job.finished
        finished.add_callback(lambda _: self.look(finished, fences))

    def look(self, finished: FinishedFence, fences: Sequence[FinishedFence]) -> None:
        """Hold an end against the rule that it comes after what the job depended on, even if that did not run."""
        pending = [fence for fence in fences if not fence.signaled]
        # What is taken off the hardware by a reset, or at a teardown, goes newest first.
        if pending and finished.parent is None and not self.leaving:
            self.wrong.append(f"{finished!r} ended before {pending}")


def run(rt: Runtime, ways: Sequence[int], ops: Sequence[Op]) -> Program:
    """Do all that, and leave."""
    program = Program(rt, ways)
    try:
        for op in ops:
            program.do(op)
    finally:
        program.leaving = True
    assert not program.wrong
    return program


def check(program: Program) -> None:
    """Look back on a runtime that was left."""
    assert all(job.scheduled.signaled and job.finished.signaled for job in program.jobs)
    assert adds_up(program.rt)
    assert not program.wrong
    for driver in program.drivers:
        assert driver.ran <= driver.freed | {id(job) for job in program.jobs if job.finished.error == -errno.ENODEV}


OFTEN = ["submit"] * 6 + ["send"] * 2 + ["sleep"] * 3
SELDOM = ["advance", "kill", "end", "finish", "unplug", "fault", "time", "hurry", "suspend", "resume"]
WHATS = OFTEN + SELDOM
NUMBER = st.integers(0, 3)
OPS = st.lists(st.builds(Op, st.sampled_from(WHATS), NUMBER, NUMBER, NUMBER), max_size=40)
WAYS = st.lists(NUMBER, min_size=SCHEDULERS, max_size=SCHEDULERS)


@pytest.mark.parametrize("dispatch", ["thread", "workqueue"])
@settings(max_examples=150)
@given(ways=WAYS, ops=OPS)
def test_every_armed_fence_signals_in_bounded_time(
    dispatch: Literal["thread", "workqueue"], ways: list[int], ops: list[Op]
) -> None:
    with Runtime("virtual", dispatch) as rt:
        program = run(rt, ways, ops)
        left_ns = rt.world.now_ns()
    check(program)
    # A recovery and a message of each scheduler may have to end; nothing else takes time.
    assert rt.world.now_ns() - left_ns < 1_000_000


def random_program(seed: int, length: int) -> tuple[list[int], list[Op]]:
    chance = random.Random(seed)
    ways = [chance.randrange(4) for _ in range(SCHEDULERS)]
    return ways, [Op(chance.choice(WHATS), *(chance.randrange(4) for _ in range(3))) for _ in range(length)]


@pytest.mark.parametrize("seed", range(6))
def test_every_armed_fence_signals_whatever_the_order(seed: int) -> None:
    ways, ops = random_program(seed, 14)
    assert_clean(lambda rt: run(rt, ways, ops) and None, schedules=60, timers="free", seed=seed)


@pytest.mark.parametrize("way", NATIVE_WAYS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_every_armed_fence_signals_on_real_threads(way: Way, seed: int) -> None:
    ways, ops = random_program(seed, 80)
    with way.runtime() as rt:
        program = run(rt, ways, ops)
    check(program)
