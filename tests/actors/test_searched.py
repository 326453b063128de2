"""Actors, and what their clients share, under search: a few tasks, many schedules."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import pykka
import pytest

from fencepost.actors import Actor, Entity, Job, Runtime
from fencepost.actors.dispatch import Dispatch, WorkQueueDispatch
from fencepost.actors.entity_queue import EntityQueue
from fencepost.actors.messages import Kill, Recalled
from fencepost.errors import WrongState
from fencepost.events import Event
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.policies import Priority
from fencepost.sync import Gate, Task
from tests.actors.kit import ScriptedBackend
from tests.searching import assert_clean

WORKERS = pytest.mark.parametrize("workers", [0, 1, 2], ids=["thread", "workqueue1", "workqueue2"])


def carried_by(rt: Runtime, workers: int) -> None:
    """Have what is made in a runtime from now on carried by so many workers, if there are any."""
    if workers:
        rt.dispatch = WorkQueueDispatch(rt.world, workers)


def joined(*tasks: Task) -> None:
    for task in tasks:
        task.join()


# Mail.


@dataclass(frozen=True, slots=True)
class Note:
    number: int


class Ledger(Actor):
    """Keeps what it took and what came too late; knows when that is all."""

    def __init__(self, dispatch: Dispatch, name: str, total: int) -> None:
        super().__init__(dispatch, name)
        self.taken: list[int] = []
        self.late: list[int] = []
        self.total = total
        self.complete = Gate("the last note")
        self.inside = 0

    def on_note(self, message: Note) -> int:
        self.inside += 1
        # A look at a gate, so that others may come by meanwhile.
        assert not self.complete.is_open
        assert self.inside == 1, "carried by two workers"
        self.inside -= 1
        self.taken.append(message.number)
        self.count()
        return message.number

    def on_dead_letter(self, message: object) -> None:
        assert isinstance(message, Note)
        self.late.append(message.number)
        self.count()

    def count(self) -> None:
        if len(self.taken) + len(self.late) == self.total:
            self.complete.open()

    messages: ClassVar = {Note: on_note}


@WORKERS
def test_every_letter_is_taken_or_a_dead_one(workers: int) -> None:
    def model(rt: Runtime) -> None:
        carried_by(rt, workers)
        ledger = rt.start(Ledger, 4, name="ledger")

        def post(first: int) -> None:
            ledger.post(Note(first))
            ledger.post(Note(first + 1))

        rt.spawn(lambda: post(0))
        rt.spawn(lambda: ledger.actor_ref.stop(block=False))
        post(2)
        ledger.complete.wait()
        assert sorted(ledger.taken + ledger.late) == [0, 1, 2, 3]
        for first in (0, 2):
            mine = [number for number in ledger.taken if number & 2 == first]
            assert mine == [first, first + 1][: len(mine)]

    assert_clean(model, schedules=300)


@WORKERS
def test_every_letter_to_an_actor_that_lives_is_taken(workers: int) -> None:
    def model(rt: Runtime) -> None:
        carried_by(rt, workers)
        ledger = rt.start(Ledger, 3, name="ledger")
        for number in range(2):
            rt.spawn(lambda number=number: ledger.post(Note(number)))  # type: ignore[misc]
        assert ledger.actor_ref.ask(Note(2)) == 2
        ledger.complete.wait()
        assert sorted(ledger.taken) == [0, 1, 2]

    assert_clean(model, schedules=300)


@WORKERS
def test_whoever_asks_is_answered_or_told_of_the_end(workers: int) -> None:
    def model(rt: Runtime) -> None:
        carried_by(rt, workers)
        ledger = rt.start(Ledger, 9, name="ledger")

        def ask(number: int) -> int | None:
            try:
                return int(ledger.actor_ref.ask(Note(number), block=True))
            except pykka.ActorDeadError:
                return None

        askers = [rt.spawn(lambda number=number: ask(number)) for number in range(2)]  # type: ignore[misc]
        stopper = rt.spawn(lambda: ledger.actor_ref.stop(block=False))
        joined(*askers, stopper)
        assert all(task.result in (None, number) for number, task in enumerate(askers))

    assert_clean(model, schedules=300)


# Entities and schedulers.


@WORKERS
def test_nothing_runs_once_a_kill_has_returned(workers: int) -> None:
    def model(rt: Runtime) -> None:
        carried_by(rt, workers)
        backend, jobs = ScriptedBackend(), list[Job]()
        scheduler = rt.scheduler(backend, credit_limit=1)
        entity, blocked = scheduler.entity(), Fence()

        def submit() -> None:
            for deps in ([], [blocked]):
                try:
                    jobs.append(entity.submit(1, deps=deps))
                except OSError:
                    assert entity.killed

        def kill() -> None:
            entity.kill()
            ran = len(backend.ran)
            flushed = entity.flush(10)
            assert flushed
            assert len(backend.ran) == ran

        tasks = [rt.spawn(submit), rt.spawn(kill), rt.spawn(kill), rt.spawn(blocked.signal)]
        joined(*tasks)
        for job in jobs:
            job.finished.wait()
            assert job.scheduled.signaled
            assert job.finished.error in (0, -errno.ESRCH)
        assert entity.fini()
        assert scheduler.score == 0

    assert_clean(model, schedules=150)


def test_jobs_of_several_clients_run_in_order() -> None:
    def model(rt: Runtime) -> None:
        backend = ScriptedBackend()
        scheduler = rt.scheduler(backend, credit_limit=2)
        entity = scheduler.entity()

        def submit() -> None:
            entity.submit(0).finished.wait()

        joined(*(rt.spawn(submit) for _ in range(3)), rt.spawn(entity.flush))
        assert [job.finished.seqno for job in backend.ran] == [1, 2, 3]
        assert scheduler.score == 1
        assert scheduler.actor.credits_in_use == 0

    assert_clean(model, schedules=150)


def test_arming_and_pushing_by_several_clients_keeps_the_order() -> None:
    def model(rt: Runtime) -> None:
        scheduler = rt.scheduler(MockBackend(), credit_limit=2)
        entity = scheduler.entity()

        def submit() -> None:
            job = entity.job(duration_us=0)
            job.arm()
            try:
                job.push()
            except WrongState:
                # Somebody has armed one before this and will push it.
                while True:
                    try:
                        job.push()
                    except WrongState:
                        rt.world.sleep(0.001)
                    else:
                        break
            job.finished.wait()

        joined(*(rt.spawn(submit) for _ in range(2)))
        assert entity.armed == 2
        assert entity.end_unpushed() == 0

    assert_clean(model, schedules=150)


def test_an_armed_job_is_pushed_or_ended_with_its_entity() -> None:
    def model(rt: Runtime) -> None:
        scheduler = rt.scheduler(MockBackend())
        entity = scheduler.entity()
        job = entity.job(duration_us=0)
        job.arm()

        def push() -> None:
            try:
                job.push()
            except WrongState:
                assert entity.killed

        joined(rt.spawn(push), rt.spawn(entity.fini))
        job.finished.wait()
        assert job.scheduled.signaled

    assert_clean(model, schedules=200)


def test_a_job_is_pushed_or_torn_down_and_never_both() -> None:
    def model(rt: Runtime) -> None:
        entity = rt.scheduler(MockBackend()).entity()
        job = entity.job(duration_us=0)
        job.arm()
        entity.kill()

        def push() -> bool:
            try:
                job.push()
            except WrongState:
                return False
            return True

        pushing, tearing = rt.spawn(push), rt.spawn(entity.end_unpushed)
        joined(pushing, tearing)
        assert pushing.result + tearing.result == 1
        job.finished.wait()

    assert_clean(model)


def test_an_entity_that_moves_loses_nothing() -> None:
    def model(rt: Runtime) -> None:
        backends = [ScriptedBackend(), ScriptedBackend()]
        first, second = (rt.scheduler(backend) for backend in backends)
        entity = rt.entity([first])

        def submit() -> None:
            for _ in range(2):
                assert entity.submit(0).finished.wait()

        def move() -> None:
            entity.modify_schedulers([second])
            entity.modify_schedulers([first, second])
            entity.modify_schedulers([second])

        joined(rt.spawn(submit), rt.spawn(move), rt.spawn(submit))
        last = entity.submit(0)
        assert last.scheduler is second
        assert last.finished.wait()
        assert sorted(job.finished.seqno for backend in backends for job in backend.ran) == [1, 2, 3, 4, 5]
        assert entity.fini()
        assert (first.score, second.score) == (0, 0)

    assert_clean(model, schedules=80)


def test_of_two_changes_of_its_schedulers_one_holds() -> None:
    def model(rt: Runtime) -> None:
        first, second, third = (rt.scheduler(MockBackend()) for _ in range(3))
        entity = rt.entity([first])
        changes = ([second, third], [first])
        joined(*(rt.spawn(partial(entity.modify_schedulers, schedulers)) for schedulers in changes))
        job = entity.submit(0)
        job.finished.wait()
        if job.scheduler is first:
            first.ready = False
            try:
                job = entity.submit(0)
            except OSError:
                return
            raise AssertionError(f"{job!r} went to {job.scheduler!r}, and the one before to {first!r}")

    assert_clean(model)


def test_a_scheduler_that_is_finished_while_jobs_end_leaves_none_behind() -> None:
    def model(rt: Runtime) -> None:
        backend = MockBackend()
        scheduler = rt.scheduler(backend, credit_limit=3)
        entity = scheduler.entity()
        jobs = [entity.submit(duration) for duration in (None, 0, None)]
        joined(rt.spawn(backend.advance), rt.spawn(scheduler.fini), rt.spawn(entity.kill))
        for job in jobs:
            job.finished.wait()
            assert job.finished.error in (0, -errno.ECANCELED, -errno.ESRCH)

    assert_clean(model, schedules=150)


def test_whoever_sees_a_job_finished_finds_it_accounted_for() -> None:
    def model(rt: Runtime) -> None:
        scheduler = rt.scheduler(MockBackend())
        job = scheduler.entity().job(duration_us=0)
        queue = job.queue
        job.arm()
        job.push()
        assert job.scheduled.wait()
        assert job.finished.parent is not None
        job.finished.wait()
        assert (scheduler.actor.credits_in_use, scheduler.actor.running, scheduler.score) == (0, 0, 1)
        assert scheduler.actor.completed == 1
        assert queue.done == 1

    assert_clean(model, schedules=150)


def test_whoever_sees_a_killed_job_finished_finds_it_counted() -> None:
    def model(rt: Runtime) -> None:
        scheduler, blocked = rt.scheduler(MockBackend()), Fence()
        entity = scheduler.entity()
        job = entity.submit(0, deps=[blocked])
        killer = rt.spawn(entity.kill)
        rt.spawn(blocked.signal)
        job.finished.wait()
        counts = rt.statistics()
        assert counts.jobs_cancelled + counts.jobs_completed == 1
        killer.join()

    assert_clean(model, schedules=150)


def test_the_last_priority_that_was_told_is_the_one_it_has() -> None:
    def model(rt: Runtime) -> None:
        entity, pause, told = rt.scheduler(MockBackend()).entity(), Gate(), list[object]()

        def record(event: Event) -> None:
            assert not pause.is_open
            told.append(event[-1])

        entity._record = record  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
        joined(*(rt.spawn(partial(entity.set_priority, priority)) for priority in (Priority.HIGH, Priority.LOW)))
        assert told[-1] == entity.priority.name

    assert_clean(model)


class Hurried(Fence):
    """Keeps the deadlines it is told."""

    __slots__ = ("told",)

    def __init__(self) -> None:
        super().__init__()
        self.told: list[int] = []

    def set_deadline(self, when_ns: int) -> None:
        self.told.append(when_ns)


def test_the_hardware_fence_is_told_the_earliest_deadline() -> None:
    def model(rt: Runtime) -> None:
        scheduler = rt.scheduler(MockBackend())
        job = scheduler.entity().job()
        job.arm()
        parent = Hurried()
        fence = job.finished
        joined(
            rt.spawn(lambda: fence.set_deadline(10)),
            rt.spawn(lambda: fence.set_deadline(5)),
            rt.spawn(lambda: fence.set_parent(parent)),
        )
        assert 5 in parent.told
        parent.told.clear()
        fence.set_deadline(7)
        assert parent.told == []
        job.push()
        job.finished.set_deadline(1)
        rt.world.settle()

    assert_clean(model, schedules=200)


# The runtime.


def test_a_runtime_counts_what_several_clients_make() -> None:
    def model(rt: Runtime) -> None:
        scheduler, entities = rt.scheduler(MockBackend()), list[Entity]()
        counts: list[int] = []

        def make() -> None:
            entity = scheduler.entity()
            entities.append(entity)
            assert entity.submit(0).finished.wait()
            entity.fini()

        def look() -> None:
            counts.extend(rt.statistics().jobs_submitted for _ in range(3))

        joined(rt.spawn(make), rt.spawn(make), rt.spawn(look))
        assert counts == sorted(counts)
        assert len({entity.name for entity in entities}) == 2
        assert rt.statistics().jobs_submitted == 2

    assert_clean(model, schedules=100)


def test_an_entity_that_two_finish_is_counted_once() -> None:
    def model(rt: Runtime) -> None:
        entity = rt.scheduler(MockBackend()).entity()
        assert entity.submit(0).finished.wait()
        joined(rt.spawn(entity.fini), rt.spawn(entity.fini))
        assert rt.statistics().jobs_submitted == 1

    assert_clean(model)


def test_lost_jobs_are_all_counted() -> None:
    def model(rt: Runtime) -> None:
        scheduler = rt.scheduler(MockBackend())
        queue = EntityQueue("game", Priority.NORMAL, 1)
        joined(*(rt.spawn(lambda: scheduler.count_lost(queue)) for _ in range(2)))
        assert (scheduler.lost_jobs, queue.lost) == (2, 2)
        scheduler.lost_jobs = 0

    assert_clean(model)


def test_clients_that_clients_spawn_are_waited_for() -> None:
    def model(rt: Runtime) -> None:
        def spawn(function: Callable[[], object]) -> Callable[[], object]:
            return lambda: rt.spawn(function)

        end = Gate()
        rt.spawn(spawn(end.wait))
        rt.spawn(spawn(end.open))

    assert_clean(model)


def search_the_end_too(rt: Runtime) -> None:
    """Have the search go on while a runtime is left, up to where its world is closed."""
    settle, calls = rt.world.settle, [lambda: None]

    def settle_later() -> None:
        (calls.pop() if calls else settle)()

    rt.world.settle = settle_later  # type: ignore[method-assign]


def test_what_is_made_while_a_runtime_is_left_is_refused_or_ended() -> None:
    def model(rt: Runtime) -> None:
        search_the_end_too(rt)
        scheduler = rt.scheduler(MockBackend())

        def make() -> None:
            try:
                scheduler.entity()
                rt.start(Ledger, 0, name="ledger")
            except WrongState:
                pass

        rt.world.spawn(make, name="latecomer")

    assert_clean(model, schedules=300)


def test_jobs_that_come_while_a_runtime_is_left_are_refused_or_ended() -> None:
    def model(rt: Runtime) -> None:
        search_the_end_too(rt)
        entity = rt.scheduler(MockBackend()).entity()

        def submit() -> None:
            try:
                job = entity.submit(0)
            except OSError:
                return
            job.finished.wait()

        rt.world.spawn(submit, name="latecomer")

    assert_clean(model, schedules=300)


# Too late.


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
