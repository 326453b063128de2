from __future__ import annotations

import errno
import threading  # noqa: TID251 - two runtimes side by side, each in a thread of the embedding program
from collections.abc import Callable

import pytest

from fencepost.actors import Actor, Runtime, Scheduler
from fencepost.errors import BadInput, WrongState, WrongWorld
from fencepost.events import as_dict
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
from tests.actors.kit import (
    EVERYWHERE,
    LIMIT_S,
    NATIVELY,
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
