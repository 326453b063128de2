# ruff: noqa: PT012 - what a runtime raises when its block is left is what is tested
"""What is left when the block of a runtime is left: nothing, and of what had to be left behind a report."""

from __future__ import annotations

import errno

import pytest
from structlog.testing import capture_logs

from fencepost import sync
from fencepost.actors import Entity, Job
from fencepost.errors import ActorFailed, Deadlock, WrongState
from fencepost.events import EventRing
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.sync import Task, World
from tests.actors.kit import (
    EVERYWHERE,
    LIMIT_S,
    NATIVELY,
    VIRTUALLY,
    ScriptedBackend,
    Way,
    adds_up,
    settle,
)


@EVERYWHERE
def test_leaving_waits_for_the_clients_and_theirs(way: Way) -> None:
    seen: list[Job] = []
    with way.runtime() as rt:
        entity = rt.scheduler(MockBackend()).entity()

        def child() -> None:
            seen.append(entity.submit(50))
            assert seen[-1].finished.wait(LIMIT_S)

        rt.spawn(lambda: rt.spawn(lambda: rt.spawn(child)))
    assert [job.finished.error for job in seen] == [0]
    assert not rt.leftovers


@EVERYWHERE
def test_what_a_client_returns_is_in_its_task(way: Way) -> None:
    with way.runtime() as rt:
        task = rt.spawn(lambda: 42, name="answer")
        assert task.join(LIMIT_S)
        assert (task.name, task.result, task.error) == ("answer", 42, None)


@EVERYWHERE
def test_an_exception_in_the_body_ends_everything_and_goes_on(way: Way) -> None:
    gate = Fence()
    jobs: list[Job] = []
    with pytest.raises(ZeroDivisionError), way.runtime() as rt:
        backend = ScriptedBackend()
        scheduler = rt.scheduler(backend)
        entity = scheduler.entity()
        jobs += [entity.submit(), entity.submit(0, deps=[gate]), entity.job()]
        jobs[2].arm()
        settle(entity, scheduler)
        rt.spawn(jobs[1].finished.wait, name="waits for a job that is killed")
        rt.world.timers.call_at(rt.world.now_ns() + 1_000_000, gate.signal)
        raise ZeroDivisionError
    assert [job.finished.error for job in jobs] == [-errno.ECANCELED, -errno.ESRCH, -errno.ECANCELED]
    assert (rt.leftovers.tasks, rt.leftovers.unpushed_jobs, rt.leftovers.abandoned_jobs) == ((), 1, 0)
    assert adds_up(rt)


@EVERYWHERE
def test_a_client_that_fails_is_reported_by_leaving(way: Way) -> None:
    def fail() -> None:
        raise ValueError("a bad client")

    with pytest.raises(ActorFailed, match="1 failed, the first with ValueError") as caught, way.runtime() as rt:
        entity = rt.scheduler(MockBackend()).entity()
        rt.spawn(fail)
        job = entity.submit(0)
        assert job.finished.wait(LIMIT_S)
    assert isinstance(caught.value.__cause__, ValueError)
    assert adds_up(rt)
    assert not rt.leftovers


@EVERYWHERE
def test_a_client_that_goes_on_while_the_runtime_is_left_leaves_no_fence_unsignalled(way: Way) -> None:
    """It makes entities and submits to them until it is refused; nothing of it may escape the teardown."""
    jobs: list[Job] = []
    refused: list[BaseException] = []
    started = Fence()
    clients: list[Task] = []

    with pytest.raises(ZeroDivisionError), way.runtime() as rt:
        scheduler = rt.scheduler(MockBackend(), credit_limit=4)

        def client() -> None:
            try:
                while True:
                    entity = scheduler.entity()
                    jobs.extend(entity.submit(1) for _ in range(3))
                    started.signal()
                    jobs[-1].finished.wait()
            except (WrongState, OSError) as error:
                refused.append(error)

        clients += [rt.spawn(client) for _ in range(2)]
        assert started.wait(LIMIT_S)
        raise ZeroDivisionError
    assert all(client.done for client in clients)
    assert len(refused) == 2
    assert all(job.finished.signaled for job in jobs)
    assert adds_up(rt)


@VIRTUALLY
def test_what_is_not_ready_when_leaving_begins_comes_too_late(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client was let in before, and is still making a scheduler that leaving would not see."""
    monkeypatch.setattr("fencepost.actors.runtime.ABANDON_AFTER_S", 1.0)

    class Slow(ScriptedBackend):
        def attach(self, world: World, ring: str, events: EventRing | None) -> None:
            world.sleep(0.5)
            super().attach(world, ring, events)

    clients: list[Task] = []
    with pytest.raises(ZeroDivisionError), way.runtime() as rt:
        rt.scheduler(MockBackend()).entity().submit(0, deps=[Fence()])
        clients.append(rt.spawn(lambda: rt.scheduler(Slow(), "slow")))
        rt.world.sleep(0.25)
        raise ZeroDivisionError
    with pytest.raises(WrongState, match="slow comes too late: the runtime is being left"):
        raise clients[0].error or AssertionError
    assert not rt.leftovers.tasks


@VIRTUALLY
def test_a_client_that_waits_for_ever_is_a_deadlock_that_says_who_waits_for_what(way: Way) -> None:
    with pytest.raises(Deadlock, match=r"stuck waits for <Fence lost:0 pending>"), way.runtime() as rt:
        fence = Fence(name="lost")
        rt.spawn(fence.wait, name="stuck")
    assert rt.leftovers.tasks == ("stuck",)
    assert isinstance(sync.current(), sync.World)
    assert sync.current().name == "native"


@NATIVELY
def test_a_client_that_does_not_end_is_left_behind_and_reported(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fencepost.sync.native.JOIN_LIMIT_S", 0.01)
    forever = Fence()
    with capture_logs() as logs, pytest.raises(ZeroDivisionError), way.runtime() as rt:
        rt.spawn(forever.wait, name="stuck")
        raise ZeroDivisionError
    assert rt.leftovers.tasks == ("stuck",)
    assert rt.statistics().tasks_left == 1
    assert [(log["event"], log["leftovers"]) for log in logs] == [("left behind", rt.leftovers)]
    forever.signal()


@EVERYWHERE
def test_an_unpushed_job_is_cancelled_and_reported(way: Way) -> None:
    with capture_logs() as logs, way.runtime() as rt:
        job = rt.scheduler(MockBackend()).entity().job()
        job.arm()
    assert job.finished.error == -errno.ECANCELED
    assert rt.leftovers.unpushed_jobs == 1
    assert len(logs) == 1
    assert adds_up(rt)


@EVERYWHERE
def test_the_thread_has_its_world_back_after_a_teardown_that_failed(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    def burn(_entity: Entity) -> None:
        raise KeyboardInterrupt

    before = sync.current()
    with pytest.raises(KeyboardInterrupt), way.runtime() as rt:
        rt.scheduler(MockBackend()).entity()
        monkeypatch.setattr(Entity, "kill", burn)
    assert sync.current() is before
    assert not rt.leftovers.tasks
