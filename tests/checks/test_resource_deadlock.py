"""Jobs that hold what they wait for are named, in every world; and nobody else is."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence

import pytest

from fencepost.actors import Entity, Job, Runtime
from fencepost.actors.resources import Resources
from fencepost.checks.resource_deadlock import ResourceDeadlocks, resource_deadlock
from fencepost.checks.waits import Stall
from fencepost.hw import MockBackend
from fencepost.policies.resources import Fifo, Hold, Pool
from fencepost.zoo.event_ids import Needy
from tests.actors.kit import EVERYWHERE, LIMIT_S, Way, finished, settle


class Stage:
    """Jobs that hold the only things there are, and others that are handed them one by one as those end."""

    def __init__(self, runtime: Runtime, grab: str) -> None:
        self.watch = ResourceDeadlocks(self._note)
        self.resources = Resources(grab, watches=[self.watch])
        self.noted: list[Stall] = []
        self._runtime = runtime
        self._entities: list[Entity] = []

    def submit(self, needs: Mapping[Pool, int]) -> Job:
        """Submit a job on a ring of its own, and return when it runs or waits."""
        ring = self._runtime.scheduler(Needy(self.resources))
        entity = ring.entity(f"J{len(self._entities)}")
        self._entities.append(entity)
        job = entity.submit(work=needs)
        self.settle()
        return job

    def complete(self, jobs: Sequence[Job]) -> None:
        """Complete jobs that run, one after the other."""
        for job in jobs:
            backend = job.scheduler.backend
            assert isinstance(backend, MockBackend)
            assert job.scheduled.wait(LIMIT_S)
            assert backend.advance() == 1
            assert job.finished.wait(LIMIT_S)
            self.settle()

    def settle(self) -> None:
        settle(*self._entities, *(entity.scheduler for entity in self._entities))

    def kill(self, job: Job) -> None:
        job.entity.kill()

    def _note(self, stall: Stall) -> None:
        self.noted.append(stall)


@EVERYWHERE
def test_two_jobs_with_two_ids_of_four_that_need_three_are_named(way: Way) -> None:
    """J4: id 0; J5: id 1; J4: id 2; J5: id 3; J4 wants a third, J5 wants a third."""
    with way.runtime() as rt:
        stage, ids = Stage(rt, "hold"), Pool("event ids", 4)
        holders = [stage.submit({ids: 1}) for _ in range(4)]
        first, second = (stage.submit({ids: 3}) for _ in range(2))
        stage.complete(holders[:3])
        assert stage.watch.found == []
        stage.complete(holders[3:])
        (stall,) = stage.watch.found
        assert stage.noted == [stall]
        assert str(stall) == (
            "none of these jobs can start: together they hold 4 of 4 event ids, and each is short\n"
            "  <Job J4:1> waits for 1 event ids, 0 of 4 free, held by <Job J4:1> (2), <Job J5:1> (2), which is up to"
            " <Job J5:1>, holding 2 event ids\n"
            "  <Job J5:1> waits for 1 event ids, 0 of 4 free, held by <Job J4:1> (2), <Job J5:1> (2), which is up to"
            " <Job J4:1>, holding 2 event ids"
        )
        assert not first.scheduled.signaled
        assert not second.scheduled.signaled
        # One more behind them is no news; and killing one of them helps the other.
        third = stage.submit({ids: 1})
        assert stage.noted == [stall]
        stage.kill(first)
        assert second.scheduled.wait(LIMIT_S)
        stage.complete([second, third])
        assert finished([first, second])
        assert [job.finished.error for job in (first, second)] == [-errno.ESRCH, 0]


@EVERYWHERE
@pytest.mark.parametrize(("grab", "total"), [("hold", 5), ("fifo", 4), ("atomic", 4)])
def test_with_one_id_more_or_all_at_once_there_is_no_alarm(way: Way, grab: str, total: int) -> None:
    with way.runtime() as rt:
        stage, ids = Stage(rt, grab), Pool("event ids", total)
        holders = [stage.submit({ids: 1}) for _ in range(total)]
        two = [stage.submit({ids: 3}) for _ in range(2)]
        stage.complete(holders)
        order = sorted(two, key=lambda job: not job.scheduled.signaled)
        assert [job.scheduled.signaled for job in order] == [True, False]
        stage.complete(order)
        assert finished(two)
        assert stage.watch.found == []


@EVERYWHERE
def test_two_jobs_that_took_two_pools_in_opposite_order_are_named(way: Way) -> None:
    with way.runtime() as rt:
        stage, render, compute = Stage(rt, "hold"), Pool("render ids", 1), Pool("compute ids", 1)
        holders = [stage.submit({render: 1}), stage.submit({compute: 1})]
        first, second = stage.submit({render: 1, compute: 1}), stage.submit({compute: 1, render: 1})
        stage.complete(holders)
        (stall,) = stage.watch.found
        assert str(stall) == (
            "none of these jobs can start: together they hold 1 of 1 render ids, 1 of 1 compute ids, and each is short"
            "\n  <Job J2:1> waits for 1 compute ids, 0 of 1 free, held by <Job J3:1> (1), which is up to <Job J3:1>,"
            " holding 1 render ids\n"
            "  <Job J3:1> waits for 1 render ids, 0 of 1 free, held by <Job J2:1> (1), which is up to <Job J2:1>,"
            " holding 1 compute ids"
        )
        stage.kill(second)
        assert first.scheduled.wait(LIMIT_S)


@EVERYWHERE
@pytest.mark.parametrize("grab", ["hold", "fifo"])
def test_two_pools_in_one_order_or_all_at_once_are_no_trap(way: Way, grab: str) -> None:
    with way.runtime() as rt:
        stage, render, compute = Stage(rt, grab), Pool("render ids", 1), Pool("compute ids", 1)
        holders = [stage.submit({render: 1}), stage.submit({compute: 1})]
        in_order = {render: 1, compute: 1}
        other = in_order if grab == "hold" else {compute: 1, render: 1}
        two = [stage.submit(in_order), stage.submit(other)]
        stage.complete(holders)
        stage.complete(two)
        assert finished(two)
        assert stage.watch.found == []


def test_who_only_waits_behind_those_who_are_stuck_is_named_with_them() -> None:
    grab, ids = Hold[str](), Pool("ids", 2)
    for who in ("a", "b", "a", "b"):
        grab.step(grab.want(who, {ids: 2}))
    assert len(grab.account().entries) == 2
    grab.step(grab.want("c", {ids: 1}))
    stall = resource_deadlock(grab.account())
    assert stall is not None
    assert [wait.task for wait in stall.waits] == ["a", "b", "c"]
    assert str(stall.waits[2]) == "c waits for 1 ids, 0 of 2 free, held by a (1), b (1)"


def test_who_can_be_served_by_one_that_runs_is_not_stuck() -> None:
    grab, ids = Hold[str](), Pool("ids", 3)
    grab.step(grab.want("runs", {ids: 1}))
    for who in ("a", "b", "a", "b"):
        grab.step(grab.want(who, {ids: 2}))
    assert resource_deadlock(grab.account()) is None
    grab.release("runs")
    assert resource_deadlock(grab.account()) is None, "one of them was told and will take it"


def test_who_waits_in_a_line_is_not_stuck() -> None:
    grab, ids = Fifo[int](), Pool("ids", 3)
    for job in range(10):
        grab.step(grab.want(job, {ids: 2}))
        assert resource_deadlock(grab.account()) is None
