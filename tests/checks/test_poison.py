"""Freed means poisoned: whoever touches what was freed is told by whom and where it was freed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from fencepost.actors import Runtime
from fencepost.actors.job import Job
from fencepost.checks import Kind, explore
from fencepost.checks.poison import Poison, UseOfFreed
from fencepost.errors import UseAfterFree
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.sync import Gate, NativeWorld, World
from fencepost.sync.virtual import VirtualWorld
from tests.checks.watching import in_turn, watched_world


class Buffer:
    """Something with a dictionary."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.size = 0

    def grow(self) -> None:
        self.size += 1

    def __repr__(self) -> str:
        return f"<buffer {self.name}>"


class Slotted:
    """Something without one."""

    __slots__ = ("handle", "size")

    def __init__(self) -> None:
        self.handle = 3
        self.size = 4


@pytest.fixture
def found() -> list[UseOfFreed]:
    return []


@pytest.fixture
def poison(found: list[UseOfFreed]) -> Poison:
    return Poison(found.append)


def free(poison: Poison, thing: object) -> None:
    poison(thing)


def test_a_use_names_both_places(poison: Poison, found: list[UseOfFreed]) -> None:
    buffer = Buffer("b")
    free(poison, buffer)
    with pytest.raises(UseAfterFree) as caught:
        assert buffer.size
    said = re.fullmatch(
        r"use after free of <buffer b>: size read by MainThread at checks/test_poison\.py:\d+ in (\w+) from .*;"
        r" freed by MainThread at checks/test_poison\.py:\d+ in free from checks/test_poison\.py:\d+ in (\w+) from .*",
        str(caught.value),
    )
    assert said is not None, str(caught.value)
    assert set(said.groups()) == {"test_a_use_names_both_places"}
    assert [str(use) for use in found] == [str(caught.value)]
    assert found[0].place == caught.value.place


def test_reading_writing_deleting_and_calling_are_uses(poison: Poison, found: list[UseOfFreed]) -> None:
    buffer = Buffer("b")
    poison(buffer)
    with pytest.raises(UseAfterFree):
        buffer.size = 2
    with pytest.raises(UseAfterFree):
        del buffer.size
    with pytest.raises(UseAfterFree):
        buffer.grow()
    with pytest.raises(UseAfterFree):
        Buffer.grow(buffer)
    assert [use.used.what for use in found] == ["size written", "size deleted", "grow read", "size read"]


def test_what_is_kept_can_be_used_and_nothing_else(poison: Poison) -> None:
    thing = Slotted()
    poison(thing, frozenset({"handle"}))
    thing.handle += 1
    assert thing.handle == 4
    with pytest.raises(UseAfterFree, match="size read"):
        assert thing.size


def test_to_be_asked_for_its_class_its_name_and_its_identity_is_no_use(poison: Poison) -> None:
    buffer = Buffer("b")
    known = {buffer: 1}
    poison(buffer)
    assert isinstance(buffer, Buffer)
    assert repr(buffer) == "<buffer b>"
    assert known[buffer] == 1


def test_what_is_freed_twice_is_found(poison: Poison) -> None:
    buffer = Buffer("b")
    free(poison, buffer)
    with pytest.raises(UseAfterFree, match=r"use after free of <buffer b>: freed again by .*; freed by .* in free"):
        poison(buffer)
    with pytest.raises(UseAfterFree, match="freed again"):
        Poison()(buffer)


def test_who_looks_from_outside_of_the_world_finds_everything(poison: Poison) -> None:
    buffer = Buffer("b")
    with Runtime(world=NativeWorld()):
        poison(buffer)
        with pytest.raises(UseAfterFree):
            buffer.grow()
    buffer.grow()
    poison(buffer)
    buffer.size += 1
    assert buffer.size == 2
    del buffer.size


def test_another_instance_is_alive(poison: Poison) -> None:
    buffer, other = Buffer("b"), Buffer("c")
    poison(buffer)
    other.grow()
    assert other.size == 1


def test_the_place_of_a_use_is_the_same_for_every_instance(poison: Poison, found: list[UseOfFreed]) -> None:
    for name in "ab":
        buffer = Buffer(name)
        poison(buffer)
        with pytest.raises(UseAfterFree):
            buffer.grow()
    assert found[0].place == found[1].place


# In a world.


def read_when_done(runtime: Runtime) -> None:
    job = runtime.scheduler(MockBackend()).entity().submit(duration_us=1)
    job.finished.wait()
    assert job.finished.signaled
    assert job.scheduled.signaled
    assert job.credits == 1


def test_a_search_finds_the_use_of_a_freed_job() -> None:
    report = explore(read_when_done)
    assert report.kind is Kind.USE_AFTER_FREE
    assert re.match(
        r"use after free of <Job sched0\.e1:1>: credits read by main at checks/test_poison\.py:\d+ in read_when_done;"
        r" freed by sched0 at actors/scheduler_actor\.py:\d+ in SchedulerActor\.",
        report.message,
    )
    again = explore(read_when_done, replay=report.replay_token)
    assert (again.kind, again.message) == (report.kind, report.message)
    assert explore(read_when_done, observe=True).kind is Kind.USE_AFTER_FREE


def test_a_search_finds_the_use_that_nobody_hears_of() -> None:
    def model(runtime: Runtime) -> None:
        fence = Fence()
        job = runtime.scheduler(MockBackend()).entity().submit(duration_us=1)
        job.finished.wait()
        fence.add_callback(lambda _fence: in_turn(lambda: job.work)())
        try:
            fence.signal()
        except UseAfterFree:
            return

    report = explore(model, observe=True)
    assert report.kind is Kind.USE_AFTER_FREE
    assert "work read by main" in report.message


def test_a_search_finds_the_use_of_a_destroyed_queue() -> None:
    def model(runtime: Runtime) -> None:
        entity = runtime.scheduler(MockBackend()).entity()
        entity.submit(duration_us=1)
        assert entity.destroy()
        assert entity.destroy()
        assert not entity.priority

    report = explore(model)
    assert report.kind is Kind.USE_AFTER_FREE
    assert "use after free of <EntityQueue sched0.e1>: priority read by main" in report.message


def test_a_watched_native_world_reports_it_too() -> None:
    with watched_world() as watched, Runtime(world=watched.world) as runtime:
        scheduler = runtime.scheduler(MockBackend())
        job = scheduler.entity().submit(duration_us=1)
        job.finished.wait()
        # Answered when the scheduler has freed the job.
        scheduler.fini()
        with pytest.raises(UseAfterFree):
            assert job.duration_us
    (use,) = watched.observers.findings
    assert isinstance(use, UseOfFreed)
    assert str(use).startswith("use after free of <Job sched0.e1:1>: duration_us read by MainThread at")
    assert "freed by sched0 at" in str(use)


@pytest.mark.parametrize("world_class", [NativeWorld, VirtualWorld])
def test_unchecked_worlds_poison_nothing(world_class: Callable[[], World]) -> None:
    world = world_class()
    assert world.poison is None
    with Runtime(world=world) as runtime:
        scheduler = runtime.scheduler(MockBackend())
        job = scheduler.entity().submit(duration_us=1)
        job.finished.wait()
        scheduler.fini()
        assert type(job) is Job
        assert job.credits == 1


def test_a_killed_job_is_freed_too() -> None:
    def model(runtime: Runtime) -> None:
        scheduler = runtime.scheduler(MockBackend())
        entity, blocked, told = scheduler.entity(), Fence(), Gate()
        job = entity.submit(duration_us=1, deps=[blocked])
        entity.kill()
        job.finished.add_callback(lambda _fence: told.open())
        blocked.signal()
        told.wait()
        scheduler.fini()
        assert job.credits == 1

    assert explore(model).kind is Kind.USE_AFTER_FREE
