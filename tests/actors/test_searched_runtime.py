"""What a runtime keeps for several clients, and its end, under search."""

from __future__ import annotations

from collections.abc import Callable

from fencepost.actors import Actor, Entity, Runtime
from fencepost.actors.entity_queue import EntityQueue
from fencepost.errors import WrongState
from fencepost.hw import MockBackend
from fencepost.policies import Priority
from fencepost.sync import Gate
from tests.searching import assert_clean, joined


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
                rt.start(Actor, name="late")
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
