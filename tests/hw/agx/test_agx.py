"""What runs when, with nothing going wrong: exact, in virtual time."""

from __future__ import annotations

import errno
import gc
import re
import weakref

import pytest

from fencepost import Priority, Runtime
from fencepost.actors import Entity, Scheduler
from fencepost.checks.invariants import check_events, check_quiescent
from fencepost.errors import BadInput, WrongState
from fencepost.hw.agx import Agx, Commands, LostNotices
from fencepost.hw.agx.user_queue import UserQueue
from tests.hw.agx.kit import assert_consistent, assert_idle, ends, executed, work_queues


def submit(scheduler: Scheduler, *durations_us: float, client: str = "") -> list[tuple[int, float]]:
    entity = scheduler.entity(client=client)
    return ends([entity.submit(each) for each in durations_us])


def test_commands_of_one_kind_run_one_after_the_other(rt: Runtime) -> None:
    agx = Agx()
    one, other = (agx.scheduler(rt, "compute").entity(client=name) for name in "ab")
    jobs = [one.submit(10), one.submit(10), other.submit(5)]
    assert ends(jobs) == [(0, 10), (0, 25), (0, 15)]
    assert executed(rt) == [("compute", "a", 0, 10), ("compute", "b", 10, 15), ("compute", "a", 15, 25)]


def test_fragments_come_after_the_vertices_of_their_job_and_beside_those_of_the_next(rt: Runtime) -> None:
    entity = Agx().scheduler(rt, "render").entity(client="a")
    work = Commands(vertex_us=(2,), fragment_us=(6,))
    assert ends([entity.submit(work=work), entity.submit(work=work)]) == [(0, 8), (0, 14)]
    assert executed(rt) == [
        ("vertex", "a", 0, 2),
        ("vertex", "a", 2, 4),
        ("fragment", "a", 2, 8),
        ("fragment", "a", 8, 14),
    ]


def test_a_job_without_commands_of_its_own_has_one_of_each_kind(rt: Runtime) -> None:
    agx = Agx()
    scheduler = agx.scheduler(rt, "all")
    assert submit(scheduler, 30) == [(0, 20)]
    assert executed(rt) == [("vertex", "", 0, 10), ("compute", "", 0, 10), ("fragment", "", 10, 20)]
    assert_idle(agx, [scheduler])


def test_a_job_is_complete_when_its_last_command_is(rt: Runtime) -> None:
    agx = Agx()
    entity = agx.scheduler(rt, "all").entity()
    first = entity.submit(work=Commands(compute_us=(3, 4, 5), vertex_us=(1,)))
    second = entity.submit(work=Commands(vertex_us=(1,)))
    assert ends([first, second]) == [(0, 12), (0, 2)]


def test_the_more_important_user_queue_is_served_first(rt: Runtime) -> None:
    agx = Agx()
    low, high = (agx.scheduler(rt, priority=each).entity() for each in (Priority.LOW, Priority.HIGH))
    jobs = [low.submit(10), low.submit(10), high.submit(5), high.submit(5)]
    assert ends(jobs) == [(0, 10), (0, 30), (0, 15), (0, 20)]


def test_its_fences_are_one_timeline(rt: Runtime) -> None:
    scheduler = Agx().scheduler(rt)
    entity = scheduler.entity()
    jobs = [entity.submit(1) for _ in range(3)]
    ends(jobs)
    assert isinstance(scheduler.backend, UserQueue)
    parents = [job.finished.parent for job in jobs]
    context = scheduler.backend.context
    assert [parent and (parent.context, parent.seqno) for parent in parents] == [(context, n) for n in (1, 2, 3)]


def test_a_queue_owns_a_slot_only_while_it_has_something_to_do(rt: Runtime) -> None:
    agx = Agx()
    schedulers = [agx.scheduler(rt, "compute"), agx.scheduler(rt, "render")]
    entities = [scheduler.entity() for scheduler in schedulers]
    jobs = [entity.submit(10) for entity in entities]
    for job in jobs:
        job.scheduled.wait()
    assert agx.driver.slots.free == 125
    assert_consistent(agx, schedulers)
    ends(jobs)
    assert_idle(agx, schedulers)


def test_who_finds_no_event_slot_waits_and_is_not_overtaken(rt: Runtime) -> None:
    """A job that needs two slots of two waits until both are free, also while single ones come and go."""
    agx = Agx(event_slots=2)
    schedulers = [agx.scheduler(rt, kinds) for kinds in ("compute", "compute", "render", "compute")]
    first, second, both, late = (scheduler.entity() for scheduler in schedulers)
    jobs = [first.submit(10), second.submit(20)]
    jobs[1].scheduled.wait()
    jobs.append(both.submit(10))
    jobs[2].scheduled.wait()
    jobs += [late.submit(1), first.submit(1)]
    rt.world.sleep_until(15_000)
    # I16: nothing of a job that has no slots is there for the firmware to see.
    assert [queue.cpu_wptr.value for queue in work_queues(schedulers)] == [1, 1, 0, 0, 0]
    assert ends(jobs) == [(0, 10), (0, 30), (0, 40), (0, 36), (0, 37)]
    assert_idle(agx, schedulers)


def test_a_full_work_queue_holds_its_own_jobs_only(rt: Runtime) -> None:
    agx = Agx(max_in_flight=3)
    schedulers = [agx.scheduler(rt, "compute", credit_limit=10), agx.scheduler(rt, "render")]
    many, other = (scheduler.entity() for scheduler in schedulers)
    jobs = [many.submit(10) for _ in range(5)]
    jobs[-1].scheduled.wait()
    jobs.append(other.submit(10))
    jobs[-1].scheduled.wait()
    assert [len(queue.in_flight) for queue in work_queues(schedulers)] == [2, 1, 1]
    assert_consistent(agx, schedulers)
    assert ends(jobs) == [(0, 10), (0, 20), (0, 30), (0, 40), (0, 50), (0, 10)]


def test_a_job_that_waits_for_room_does_not_hold_others_up(rt: Runtime) -> None:
    """The job waits for its compute queue; that its vertex queue has no event slot yet is of no importance."""
    agx = Agx(max_in_flight=2)
    schedulers = [agx.scheduler(rt, "all", credit_limit=10), agx.scheduler(rt, "render")]
    busy, other = (scheduler.entity() for scheduler in schedulers)
    jobs = [busy.submit(work=Commands(compute_us=(50,))), busy.submit(work=Commands(compute_us=(5,), vertex_us=(5,)))]
    jobs[-1].scheduled.wait()
    jobs.append(other.submit(10))
    assert ends(jobs) == [(0, 50), (0, 55), (0, 10)]


def test_a_job_that_could_never_run_is_refused(rt: Runtime) -> None:
    agx = Agx(event_slots=1)
    compute, render = agx.scheduler(rt, "compute").entity(), agx.scheduler(rt, "render").entity()
    jobs = [
        compute.submit(work=Commands(compute_us=(0.0,) * 127)),
        compute.submit(work=Commands(fragment_us=(1,))),
        render.submit(2),
        compute.submit(work=Commands(compute_us=(0.0,) * 126)),
    ]
    assert [error for error, _ in ends(jobs)] == [-errno.EINVAL, -errno.EINVAL, -errno.EINVAL, 0]


def test_at_most_one_less_than_the_limit_is_in_flight(rt: Runtime) -> None:
    agx = Agx()
    scheduler = agx.scheduler(rt)
    entity = scheduler.entity()
    jobs = [entity.submit(1) for _ in range(130)]
    jobs[125].scheduled.wait()
    assert not jobs[126].scheduled.signaled
    assert [len(queue.in_flight) for queue in work_queues([scheduler])] == [126]
    assert ends(jobs)[-1] == (0, 130)


def test_memory_is_freed_behind_the_fence_and_not_by_who_signals_it(rt: Runtime) -> None:
    agx = Agx()
    scheduler = agx.scheduler(rt)
    entity = scheduler.entity()
    seen: list[tuple[bool, bool]] = []
    job = entity.submit(10)
    job.scheduled.wait()
    submission = agx.driver.find(job)
    assert submission is not None
    (command,) = submission.commands
    assert not command.done
    assert job.finished.parent is not None
    job.finished.parent.add_callback(lambda _: seen.append((command.done, command.freed)))
    ends([job])
    rt.world.sleep(1)
    assert seen == [(True, False)]
    assert command.freed


def test_it_keeps_nothing_of_jobs_that_are_over(rt: Runtime) -> None:
    scheduler = Agx().scheduler(rt)

    def live() -> weakref.ref[Entity]:
        entity = scheduler.entity()
        entity.submit(1).finished.wait()
        entity.fini()
        return weakref.ref(entity)

    entity = live()
    scheduler.entity().submit(1).finished.wait()
    rt.world.sleep(1)
    gc.collect()
    assert entity() is None


def test_its_statistics_are_as_of_now(rt: Runtime) -> None:
    agx = Agx("gpu")
    assert agx.statistics().engines == {}
    entity = agx.scheduler(rt).entity(client="a")
    entity.submit(4)
    entity.submit()
    rt.world.sleep_until(10_000)
    statistics = agx.statistics()
    assert statistics.clients == {("a", "gpu.compute"): 10_000}
    assert [(name, each.busy_ns, each.jobs) for name, each in statistics.engines.items()] == [
        ("gpu.vertex", 0, 0),
        ("gpu.fragment", 0, 0),
        ("gpu.compute", 10_000, 1),
    ]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ({"event_slots": 0}, "event_slots: found 0, expected 1 or more"),
        ({"ring_size": 2}, "ring_size: found 2, expected 3 or more"),
        ({"max_in_flight": 1}, "max_in_flight: found 1, expected 2 or more"),
        ({"halt_limit": 0}, "halt_limit: found 0, expected 1 or more"),
        ({"timeout_s": -1.0}, "timeout_s: found -1.0 s"),
        ({"patience_s": float("nan")}, "patience_s: found nan s"),
        ({"recovery": "mercy"}, "recovery: found 'mercy', expected one of engine_reset, kill_vm, full_reset"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(arguments: dict[str, object], found: str) -> None:
    with pytest.raises(BadInput, match=re.escape(found)):
        Agx(**arguments)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_what_it_cannot_take_is_refused(rt: Runtime) -> None:
    with pytest.raises(BadInput, match="kinds: found 'blit', expected one of compute, render, all"):
        Agx().scheduler(rt, "blit")
    with pytest.raises(ValueError, match="a job without commands"):
        Commands()
    with pytest.raises(ValueError, match="a command of -1 us"):
        Commands(vertex_us=(1, -1))


def test_it_is_in_one_runtime() -> None:
    agx = Agx()
    with Runtime(world="virtual") as rt:
        agx.scheduler(rt)
    with Runtime(world="virtual") as rt, pytest.raises(WrongState, match="agx is in another runtime"):
        agx.scheduler(rt)


def test_a_user_queue_serves_one_scheduler(rt: Runtime) -> None:
    scheduler = Agx().scheduler(rt, name="first")
    with pytest.raises(WrongState, match="first: a user queue serves one scheduler"):
        rt.scheduler(scheduler.backend, "second")


def test_what_is_left_at_the_end_is_cancelled() -> None:
    agx = Agx()
    with Runtime(world="virtual") as rt:
        scheduler, other = agx.scheduler(rt, "render"), agx.scheduler(rt, "compute")
        hung, behind = (scheduler.entity().submit() for _ in range(2))
        done = other.entity().submit(5)
        behind.scheduled.wait()
        done.finished.wait()
    assert [job.finished.error for job in (hung, behind, done)] == [-errno.ECANCELED, -errno.ECANCELED, 0]
    assert rt.events is not None
    assert check_events(rt.events) == []
    assert check_quiescent(rt) == []


def test_a_scheduler_that_ends_takes_its_jobs_off_the_engines(rt: Runtime) -> None:
    agx = Agx()
    ending, other = agx.scheduler(rt), agx.scheduler(rt)
    hung, behind = (ending.entity().submit() for _ in range(2))
    job = other.entity().submit(10)
    behind.scheduled.wait()
    job.scheduled.wait()
    rt.world.sleep_until(7_000)
    for entity in (hung.entity, behind.entity):
        entity.kill()
    assert ending.fini()
    assert ends([hung, behind, job]) == [(-errno.ECANCELED, 7), (-errno.ECANCELED, 7), (0, 17)]
    rt.world.sleep(1)
    assert_idle(agx, [ending, other])


def test_what_was_complete_when_its_scheduler_ended_is_a_success(rt: Runtime) -> None:
    agx = Agx()
    scheduler = agx.scheduler(rt)
    job = scheduler.entity().submit(10)
    job.scheduled.wait()
    agx.inject(LostNotices())
    rt.world.sleep_until(20_000)
    job.entity.kill()
    scheduler.fini()
    assert ends([job]) == [(0, 10)]


def test_who_waited_behind_a_job_that_is_cancelled_goes_on(rt: Runtime) -> None:
    """The second needs more event slots than are free, the third would need no more than one."""
    agx = Agx(event_slots=2)
    schedulers = [agx.scheduler(rt, kinds) for kinds in ("compute", "render", "render")]
    entities = [scheduler.entity() for scheduler in schedulers]
    hung, held = entities[0].submit(), entities[1].submit(10)
    held.scheduled.wait()
    behind = entities[2].submit(work=Commands(fragment_us=(10,)))
    behind.scheduled.wait()
    rt.world.sleep_until(5_000)
    assert not behind.finished.signaled
    held.entity.kill()
    schedulers[1].fini()
    assert ends([held, behind]) == [(-errno.ECANCELED, 5), (0, 15)]
    assert not hung.finished.signaled


def test_its_actors_are_named_after_it(rt: Runtime) -> None:
    agx = Agx("apple")
    agx.scheduler(rt)
    assert agx.domain.name == "apple recovery"
    assert repr(agx) == "<Agx apple>"
