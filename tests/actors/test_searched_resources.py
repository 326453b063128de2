"""Resources under search: jobs of several entities that want more than there is, many schedules."""

from __future__ import annotations

import errno
from functools import partial

import pytest

from fencepost.actors import Entity, Job, Runtime
from fencepost.actors.resources import Resources
from fencepost.checks import explore
from fencepost.fences import Fence
from fencepost.policies.resources import Pool
from fencepost.zoo.event_ids import Needy, needs_of
from tests.searching import assert_clean, joined


class Strict(Needy):
    """Looks at each answer, and at what runs: nothing is had twice, and who waits does so for one that runs."""

    def __init__(self, resources: Resources, running: dict[Job, int], total: int) -> None:
        super().__init__(resources)
        self._running = running
        self._total = total

    def prepare_job(self, job: Job) -> Fence | None:
        turn = super().prepare_job(job)
        if turn is not None and not turn.signaled:
            others = [entry for entry in self._resources.account().entries if entry.who is not job]
            assert turn.signaled or any(entry.complete for entry in others)
        return turn

    def run_job(self, job: Job) -> Fence:
        self._running[job] = sum(needs_of(job).values())
        assert sum(self._running.values()) <= self._total
        fence = super().run_job(job)
        assert fence.add_callback(lambda _fence: self._running.pop(job))
        return fence


def entities(rt: Runtime, resources: Resources, total: int, count: int) -> list[Entity]:
    running: dict[Job, int] = {}
    rings = [rt.scheduler(Strict(resources, running, total), name=f"ring {number}") for number in range(count)]
    return [ring.entity(f"entity {number}") for number, ring in enumerate(rings)]


@pytest.mark.parametrize("grab", ["fifo", "atomic"])
def test_whoever_wants_something_gets_it_and_no_more_is_out_than_there_is(grab: str) -> None:
    def model(rt: Runtime) -> None:
        ids, resources = Pool("event ids", 4), Resources(grab)
        jobs = [
            entity.submit(1, work={ids: need})
            for entity, need in zip(entities(rt, resources, 4, 3), (3, 3, 2), strict=True)
        ]
        for job in jobs:
            job.finished.wait()
        assert ids.free == 4
        assert resources.account().entries == ()

    assert_clean(model, schedules=150)


def test_a_kill_at_any_moment_leaves_the_others_what_they_need() -> None:
    def model(rt: Runtime) -> None:
        ids, resources = Pool("event ids", 2), Resources()
        first, second, third = entities(rt, resources, 2, 3)
        jobs = [entity.submit(1, work={ids: 2}) for entity in (first, second, third)]
        joined(rt.spawn(first.kill), rt.spawn(second.kill))
        for job in jobs:
            job.finished.wait()
        assert [job.finished.error in (0, -errno.ESRCH) for job in jobs] == [True] * 3
        assert jobs[2].finished.error == 0
        assert ids.free == 2
        assert resources.account().entries == ()

    assert_clean(model, schedules=150)


def test_leaving_at_any_moment_takes_everything_back() -> None:
    kept: list[tuple[Pool, Resources]] = []

    def model(rt: Runtime) -> None:
        if kept:
            ids, resources = kept.pop()
            assert (ids.free, resources.account().entries) == (3, ())
        ids, resources = Pool("event ids", 3), Resources()
        for entity in entities(rt, resources, 3, 2):
            entity.submit(1, work={ids: 2})
            entity.submit(1, work={ids: 2})
        kept.append((ids, resources))

    assert not explore(model, schedules=100, seed=1).found


@pytest.mark.parametrize("strategy", ["dfs1", pytest.param("dfs2", marks=pytest.mark.slow)])
def test_in_every_order_two_clients_get_all_and_give_it_back(strategy: str) -> None:
    """Proved, for up to so many interruptions: there is no order in which a turn is lost."""

    def model(rt: Runtime) -> None:
        ids, resources = Pool("event ids", 2), Resources()
        entity = rt.scheduler(Needy(resources)).entity()

        def client(job: Job) -> None:
            while isinstance(got := resources.get(job, {ids: 2}), Fence):
                got.wait()
            assert resources.release(job)

        joined(*(rt.spawn(partial(client, entity.job())) for _ in range(2)))
        assert ids.free == 2

    report = explore(model, schedules=20_000, strategy=strategy)
    assert not report.found, str(report)
    assert report.complete
