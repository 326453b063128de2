"""Control groups under search: clients come, move and go while files are written and jobs run."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Final

import pytest

from fencepost.actors import Entity, Job, Runtime, Scheduler
from fencepost.actors.cgroups.account import Account
from fencepost.actors.cgroups.card import Card
from fencepost.actors.cgroups.cgroup import Cgroup
from fencepost.actors.cgroups.client import Client
from fencepost.actors.cgroups.drivers import Driver
from fencepost.actors.cgroups.group_scheduler import GroupSchedulerActor
from fencepost.actors.cgroups.hierarchy import Cgroups
from fencepost.actors.cgroups.process import Process
from fencepost.actors.entity_queue import EntityQueue
from fencepost.hw import MockBackend
from fencepost.policies.cgroups.hweight import HierarchicalWeight
from tests import searching
from tests.actors.cgroups.kit import stat
from tests.actors.kit import ask_name

FIELDS: Final[Mapping[type, str]] = {
    Account: "_used_ns _parent",
    Process: "group _exiting _clients",
    Client: "closed process group _entities",
    Cgroup: "enabled removed drm children processes",
    Cgroups: "_cards _processes _last_pid _last_client",
    Runtime: "_cgroups",
}
"""What is kept under the locks of the hierarchy, or read without them as the comments there tell."""
assert_clean = partial(searching.assert_clean, fields=FIELDS)


def there(rt: Runtime, controller: str) -> tuple[Scheduler, Card, Cgroup, Cgroup]:
    """Make what a model plays with: a runtime that was made without a controller gets one."""
    rt.controller = controller
    scheduler = rt.scheduler(MockBackend(), name="rcs0")
    root = rt.cgroups.root
    return scheduler, rt.cgroups.card("card0", [scheduler]), root.mkdir("A"), root.mkdir("B")


CONTROLLERS = pytest.mark.parametrize("controller", ["none", "hweight"])


@CONTROLLERS
def test_migration_while_jobs_run_neither_loses_nor_doubles_usage(controller: str) -> None:
    def model(rt: Runtime) -> None:
        scheduler, card, first, second = there(rt, controller)
        client = card.open("client")
        first.attach(client)
        entity = client.entity([scheduler])
        jobs = [entity.submit(10), entity.submit(20)]
        mover = rt.spawn(lambda: second.attach(client))
        for job in jobs:
            job.finished.wait()
        mover.join()
        assert stat(first) + stat(second) == stat(rt.cgroups.root) == 30
        assert client.used_ns() == {"rcs": 30_000}

    assert_clean(model)


def test_after_a_migration_the_entity_is_where_its_client_is() -> None:
    """Wherever it is meanwhile: with jobs, without, or on its way to another scheduler."""

    def model(rt: Runtime) -> None:
        scheduler, _, first, second = there(rt, "hweight")
        other = rt.scheduler(MockBackend(), name="rcs1")
        card = rt.cgroups.card("card1", [scheduler, other])
        client = card.open("client")
        first.attach(client)
        entity = client.entity([scheduler])
        former = entity.submit()
        mover = rt.spawn(lambda: second.attach(client))
        end(entity)
        former.finished.wait()
        entity.modify_schedulers([other])
        entity.submit()
        queued = entity.submit()
        mover.join()
        settle(rt.cgroups, entity, scheduler, other)
        assert entity.scheduler is other
        assert queued.queue in groups_of(other)
        assert queued.queue.group is client.group
        end(entity)
        end(entity)

    assert_clean(model)


def end(entity: Entity) -> None:
    """Have the hardware end the job of an entity that it has, or gets."""
    backend = entity.scheduler.backend
    assert isinstance(backend, MockBackend)
    while not backend.advance():
        entity.flush()


def groups_of(scheduler: Scheduler) -> HierarchicalWeight[EntityQueue]:
    assert isinstance(scheduler.actor, GroupSchedulerActor)
    return scheduler.actor._groups  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def settle(*users: Cgroups | Entity | Scheduler) -> None:
    """Wait until these have told each next one all that they know, and it has heard that."""
    for user in users:
        ask_name(user.actor)


@CONTROLLERS
def test_a_client_that_moves_while_its_group_is_removed(controller: str) -> None:
    def model(rt: Runtime) -> None:
        scheduler, card, first, second = there(rt, controller)
        client = card.open("client")
        first.attach(client)
        job = client.entity([scheduler]).submit(10)

        def remove() -> None:
            with suppress(OSError):
                first.rmdir()

        remover = rt.spawn(remove)
        second.attach(client)
        job.finished.wait()
        remover.join()
        assert client.process.group is second
        assert stat(rt.cgroups.root) == 10

    assert_clean(model)


def test_who_attaches_to_a_group_that_is_removed_is_in_or_refused() -> None:
    def model(rt: Runtime) -> None:
        _, card, first, _ = there(rt, "none")
        client = card.open("client")
        answers: list[int | None] = []

        def attempt(call: Callable[[], object]) -> None:
            try:
                call()
                answers.append(0)
            except OSError as refused:
                answers.append(refused.errno)

        remover = rt.spawn(lambda: attempt(first.rmdir))
        attempt(lambda: first.attach(client))
        remover.join()
        assert sorted(answers, key=str) in ([0, errno.EBUSY], [0, errno.ENODEV])
        assert first.removed is (client.process.group is rt.cgroups.root)

    assert_clean(model)


def test_of_two_who_remove_a_group_one_does() -> None:
    def model(rt: Runtime) -> None:
        _, _, first, _ = there(rt, "none")
        refused: list[int | None] = []

        def remove() -> None:
            try:
                first.rmdir()
            except OSError as error:
                refused.append(error.errno)

        other = rt.spawn(remove)
        remove()
        other.join()
        assert refused == [errno.ENODEV]

    assert_clean(model)


def test_a_group_that_is_made_while_its_parent_is_removed_is_there_or_refused() -> None:
    def model(rt: Runtime) -> None:
        _, _, first, _ = there(rt, "none")
        made: list[Cgroup] = []

        def make() -> None:
            with suppress(OSError):
                made.append(first.mkdir("C"))

        maker = rt.spawn(make)
        with suppress(OSError):
            first.rmdir()
        maker.join()
        assert first.removed is not bool(made)

    assert_clean(model)


def test_a_client_that_is_closed_while_it_moves() -> None:
    def model(rt: Runtime) -> None:
        scheduler, card, first, second = there(rt, "hweight")
        client = card.open("client")
        first.attach(client)
        client.entity([scheduler]).submit(10)
        closer = rt.spawn(client.close)
        with suppress(OSError):
            second.attach(client)
        closer.join()
        assert client.process.group is None
        assert stat(rt.cgroups.root) == stat(first) + stat(second)
        first.rmdir()
        second.rmdir()

    assert_clean(model)


def test_an_entity_that_is_made_while_its_client_moves_is_where_the_client_is() -> None:
    def model(rt: Runtime) -> None:
        scheduler, card, first, second = there(rt, "hweight")
        client = card.open("client")
        first.attach(client)
        jobs: list[Job] = []

        def make() -> None:
            entity = client.entity([scheduler])
            jobs.extend(entity.submit() for _ in range(2))

        maker = rt.spawn(make)
        second.attach(client)
        maker.join()
        jobs[0].scheduled.wait()
        settle(rt.cgroups, jobs[0].entity, scheduler)
        assert jobs[0].queue in groups_of(scheduler)
        assert jobs[0].queue.group is client.group
        for job in jobs:
            end(job.entity)

    assert_clean(model)


@pytest.mark.parametrize("text", ["400", "card0 400"])
def test_a_weight_that_is_written_while_jobs_run_counts_from_then_on(text: str) -> None:
    """Of eight jobs that are taken after the write, the one who weighs four times as much gets six or more."""

    def model(rt: Runtime) -> None:
        scheduler, card, first, second = there(rt, "hweight")
        entities: list[Entity] = []
        for group in (first, second):
            client = card.open(group.name)
            group.attach(client)
            entities.append(client.entity([scheduler]))
        jobs = [entity.submit(10) for entity in entities]
        writer = rt.spawn(lambda: first.write("drm.weight", text))
        for job in jobs:
            job.finished.wait()
        writer.join()
        rt.world.sleep(0.001)
        order: list[str] = []
        last = [entity.submit(10) for _ in range(10) for entity in entities]
        for job in last:
            job.finished.wait()
        last.sort(key=lambda job: job.finished.timestamp_ns)
        order = [job.entity.client for job in last[:10]]
        assert order.count("A") >= 7, order

    assert_clean(model, schedules=100)


@pytest.mark.parametrize("controller", ["rfc-priority", "rfc-priority-faithful"])
def test_the_last_that_a_driver_hears_is_the_priority_of_the_group_where_its_client_is(controller: str) -> None:
    """The controller looks it up without the lock; whoever changes it meanwhile tells of it afterwards."""

    class Told(Driver):
        priority = 0

        def update_priority(self, priority: int) -> None:
            self.priority = priority

    def model(rt: Runtime) -> None:
        _, _, first, second = there(rt, controller)
        client = rt.cgroups.card("told", driver=Told).open("client")
        first.attach(client)
        writer = rt.spawn(lambda: second.write("drm.priority", "-5"))
        second.attach(client)
        writer.join()
        settle(rt.cgroups)
        assert isinstance(client.operations, Told)
        assert client.operations.priority == -5

    assert_clean(model)
