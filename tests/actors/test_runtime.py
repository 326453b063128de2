# ruff: noqa: PT012 - what a runtime raises when its block is left is what is tested
from __future__ import annotations

import errno
import threading  # noqa: TID251 - two runtimes side by side, each in a thread of the embedding program
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from fencepost import sync
from fencepost.actors import Actor, Entity, Job, Runtime, Scheduler
from fencepost.errors import ActorFailed, BadInput, Deadlock, WrongState, WrongWorld
from fencepost.events import EventRing, as_dict
from fencepost.events.kinds import (
    BATCH,
    ENTITY_KILLED,
    JOB_ADD_DEP,
    JOB_DONE,
    JOB_QUEUE,
    JOB_RUN,
    JOB_UNSCHEDULABLE,
    PRIORITY_SET,
)
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.policies import Priority
from fencepost.sync import Task, World
from tests.actors.kit import (
    EVERYWHERE,
    LIMIT_S,
    NATIVELY,
    VIRTUALLY,
    ScriptedBackend,
    Way,
    adds_up,
    finished,
    refuse,
    settle,
)

# Options and misuse.


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Runtime("real"), "world: found 'real', expected one of native, virtual"),  # type: ignore[arg-type]
        (lambda: Runtime(dispatch="pool"), "dispatch: found 'pool', expected one of thread, workqueue"),  # type: ignore[arg-type]
        (lambda: Runtime(workers=0), "workers: found 0, expected at least 1"),
    ],
    ids=["world", "dispatch", "workers"],
)
def test_an_unknown_option_is_refused_at_once(make: Callable[[], Runtime], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        make()


@pytest.mark.parametrize(
    ("policy", "credit_limit", "message"),
    [
        ("lottery", 1, "policy: found 'lottery', expected one of rr, fifo"),
        ("fair", 0, "credit_limit: found 0, expected at least 1"),
    ],
    ids=["policy", "credit limit"],
)
def test_a_scheduler_that_cannot_be_is_refused_at_once(policy: str, credit_limit: int, message: str) -> None:
    with Runtime("virtual") as rt, pytest.raises(BadInput, match=message):
        rt.scheduler(MockBackend(), policy=policy, credit_limit=credit_limit)


USES: list[Callable[[Runtime, Scheduler], object]] = [
    lambda rt, _: rt.scheduler(MockBackend()),
    lambda rt, scheduler: rt.entity([scheduler]),
    lambda _, scheduler: scheduler.entity(),
    lambda rt, _: rt.spawn(lambda: None),
    lambda rt, _: rt.start(Actor, name="late"),
]


@EVERYWHERE
def test_a_runtime_is_used_inside_its_with_block_only(way: Way) -> None:
    rt = way.runtime()
    with pytest.raises(WrongState, match="was not entered: use it in a with block"):
        rt.scheduler(MockBackend())
    with pytest.raises(WrongState, match="was not entered"):
        rt.spawn(lambda: None)
    with rt:
        scheduler = rt.scheduler(MockBackend())
        with pytest.raises(WrongState, match="can be entered once"):
            rt.__enter__()
    for use in USES:
        with pytest.raises(WrongState, match="was left: nothing can be made in it any more"):
            use(rt, scheduler)
    with pytest.raises(WrongState, match="can be entered once"):
        rt.__enter__()


def test_a_backend_serves_one_scheduler() -> None:
    with Runtime("virtual") as rt:
        backend = MockBackend()
        rt.scheduler(backend, "rcs0")
        with pytest.raises(WrongState, match=r"rcs0: .* serves one scheduler"):
            rt.scheduler(backend)


@pytest.mark.parametrize("inner", ["native", "virtual"])
def test_a_runtime_is_used_in_its_own_world(inner: str) -> None:
    """A mailbox that was made in the wrong world would be waited at by the wrong kind of task."""
    outer = Runtime("virtual" if inner == "native" else "native")
    with outer:
        scheduler = outer.scheduler(MockBackend())
        with Runtime("virtual" if inner == "virtual" else "native"):
            for use in USES:
                with pytest.raises(WrongWorld, match="used in another world"):
                    use(outer, scheduler)
        assert finished([scheduler.entity().submit(1)])


@EVERYWHERE
def test_names_that_nobody_gave_are_made_up(way: Way) -> None:
    with way.runtime() as rt:
        first, second = rt.scheduler(MockBackend()), rt.scheduler(MockBackend())
        assert [repr(first), repr(second)] == ["<Scheduler sched0>", "<Scheduler sched1>"]
        assert [first.entity().name, first.entity("mine").name, second.entity().name] == [
            "sched0.e1",
            "mine",
            "sched1.e3",
        ]


# Ends.


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


# Several at once.


def run_some(way: Way) -> Runtime:
    with way.runtime() as rt:
        scheduler = rt.scheduler(MockBackend(), credit_limit=2)
        entities = [scheduler.entity() for _ in range(4)]
        assert finished([entities[number % 4].submit(1) for number in range(40)])
    return rt


@NATIVELY
def test_runtimes_side_by_side_do_not_meet(way: Way) -> None:
    ended: list[Runtime] = []
    threads = [threading.Thread(target=lambda: ended.append(run_some(way))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [rt.statistics().jobs_completed for rt in ended] == [40] * 3
    assert all(map(adds_up, ended))


@EVERYWHERE
def test_a_virtual_runtime_works_inside_another_one(way: Way) -> None:
    with way.runtime() as outer:
        entity = outer.scheduler(MockBackend()).entity()
        before = entity.submit(10)
        inner = run_some(Way("virtual", "thread"))
        after = entity.submit(10)
        assert finished([before, after])
    assert adds_up(inner)
    assert adds_up(outer)


# What is told.


@EVERYWHERE
def test_events_tell_the_life_of_a_job_in_order(way: Way) -> None:
    gate = Fence(7, 3)
    with way.runtime() as rt:
        scheduler = rt.scheduler(MockBackend(), "rcs0", credit_limit=4)
        entity = scheduler.entity("game", client="steam")
        job = entity.submit(20, deps=[gate], credits=3)
        settle(entity, scheduler)
        gate.signal()
        assert job.finished.wait(LIMIT_S)
        entity.set_priority(Priority.LOW)
        entity.kill()
        settle(scheduler)
    assert rt.events is not None
    events = [as_dict(event) for event in rt.events]
    times = [event.pop("time_ns") for event in events]
    whose = {"context": job.finished.context, "seqno": 1}
    place = {"ring": "rcs0", "entity": "game", "client": "steam"}
    start_ns, end_ns = events[4].pop("start_ns"), events[4].pop("end_ns")
    assert events == [
        {"kind": JOB_QUEUE, **place, **whose, "queued_jobs": 0, "credits_in_use": 0},
        {"kind": JOB_ADD_DEP, **whose, "on_context": 7, "on_seqno": 3},
        {"kind": JOB_UNSCHEDULABLE, **whose, "on_context": 7, "on_seqno": 3},
        {"kind": JOB_RUN, **place, **whose, "queued_jobs": 0, "credits_in_use": 3},
        {"kind": BATCH, "engine": "rcs0", "client": "steam", **whose},
        {"kind": JOB_DONE, "ring": "rcs0", **whose, "error": 0},
        {"kind": PRIORITY_SET, "entity": "game", "priority": "LOW"},
    ]
    assert end_ns - start_ns == 20_000
    if way.world == "virtual":
        assert times == [0, 0, 0, 0, 20_000, 20_000, 20_000]


@EVERYWHERE
def test_a_killed_job_is_done_with_an_error_and_never_run(way: Way) -> None:
    with way.runtime() as rt:
        entity = rt.scheduler(MockBackend()).entity()
        gate = Fence()
        jobs = [entity.submit(0, deps=[gate]) for _ in range(2)]
        entity.kill()
        gate.signal()
        assert finished(jobs)
    assert rt.events is not None
    assert [as_dict(event)["jobs"] for event in rt.events.of(ENTITY_KILLED)] == [2]
    assert [as_dict(event)["error"] for event in rt.events.of(JOB_DONE)] == [-errno.ESRCH] * 2
    assert rt.events.of(JOB_RUN) == []


@EVERYWHERE
def test_nothing_is_recorded_when_events_are_off(way: Way) -> None:
    with way.runtime(events=False) as rt:
        entity = rt.scheduler(MockBackend()).entity()
        assert finished([entity.submit(0, deps=[entity.submit(0).finished])])
        entity.set_priority(Priority.LOW)
        entity.kill()
    assert rt.events is None
    assert adds_up(rt)


@pytest.mark.parametrize(("events", "kept"), [(3, 3), (None, 28), (True, 28)], ids=["a few", "all", "by default"])
def test_so_many_events_are_kept(events: bool | int | None, kept: int) -> None:  # noqa: FBT001
    with Runtime("virtual", events=events) as rt:
        entity = rt.scheduler(MockBackend()).entity()
        assert finished([entity.submit(0) for _ in range(7)])
        entity.kill()
        assert rt.events is not None
        assert len(rt.events) == kept


@EVERYWHERE
def test_statistics_add_up_when_all_kinds_of_ends_are_mixed(way: Way) -> None:
    with way.runtime() as rt:
        scheduler = rt.scheduler(ScriptedBackend(), credit_limit=3)
        entity, gone, killed = scheduler.entity(), scheduler.entity(), scheduler.entity()
        assert finished([entity.submit(0) for _ in range(5)])
        assert finished([gone.submit(0), gone.submit(work=refuse(OSError(errno.EIO, "no")))])
        gone.fini(LIMIT_S)
        unpushed = killed.job()
        unpushed.arm()
        on_hardware = [entity.submit() for _ in range(2)]
        for job in on_hardware:
            assert job.scheduled.wait(LIMIT_S)
        counts = rt.statistics()
        assert (counts.jobs_submitted, counts.fences_armed, counts.fences_signaled) == (10, 20, 16)
    counts = rt.statistics()
    assert (counts.jobs_completed, counts.jobs_errored, counts.jobs_cancelled) == (6, 1, 3)
    assert counts.tasks_left == 0
    assert counts.tasks_started > 0
    assert adds_up(rt)
