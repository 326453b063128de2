"""Pools as jobs see them, under the real actors."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Mapping

import pytest

from fencepost.actors import Entity, Job, Runtime
from fencepost.actors.resources import Resources, Turn
from fencepost.errors import BadInput, Deadlock, WrongState
from fencepost.fences import Fence
from fencepost.policies.resources import GRABS, Pool
from fencepost.sync import current
from fencepost.zoo.event_ids import Needy, needs_of
from tests.actors.kit import EVERYWHERE, LIMIT_S, NATIVELY, Way, adds_up, finished, settle


def rings(runtime: Runtime, resources: Resources, count: int, *, credit_limit: int = 1) -> list[Entity]:
    """Make entities with a ring each, all of which share these resources."""
    return [
        runtime.scheduler(Needy(resources), name=f"ring {number}", credit_limit=credit_limit).entity(f"e{number}")
        for number in range(count)
    ]


def advance(entity: Entity) -> None:
    """Complete the job on the ring of an entity."""
    backend = entity.scheduler.backend
    assert isinstance(backend, Needy)
    assert backend.advance() == 1


def held(resources: Resources, pool: Pool) -> dict[str, int]:
    """Return how many the jobs of each entity have."""
    total: Counter[str] = Counter()
    for entry in resources.account().entries:
        total[entry.who.entity.name] += entry.held.get(pool, 0)
    return dict(+total)


def assert_all_back(resources: Resources, *pools: Pool) -> None:
    assert resources.account().entries == ()
    assert [pool.free for pool in pools] == [pool.total for pool in pools]
    assert not current().claims


@EVERYWHERE
@pytest.mark.parametrize("grab", ["fifo", "atomic"])
def test_of_two_jobs_that_need_three_of_four_the_second_waits_for_the_first(way: Way, grab: str) -> None:
    with way.runtime() as rt:
        ids, resources = Pool("event ids", 4), Resources(grab)
        first, second = rings(rt, resources, 2)
        ahead = first.submit(work={ids: 3})
        assert ahead.scheduled.wait(LIMIT_S)
        behind = second.submit(work={ids: 3})
        settle(second, second.scheduler)
        assert held(resources, ids) == {"e0": 3}
        assert not behind.scheduled.signaled
        advance(first)
        assert behind.scheduled.wait(LIMIT_S)
        assert ahead.finished.signaled
        assert held(resources, ids) == {"e1": 3}
        advance(second)
        assert finished([ahead, behind])
        assert_all_back(resources, ids)


@EVERYWHERE
def test_what_a_job_held_is_free_for_whoever_wakes_up_by_it(way: Way) -> None:
    with way.runtime() as rt:
        ids, resources = Pool("event ids", 4), Resources()
        (entity,) = rings(rt, resources, 1)
        seen: list[int] = []
        for _ in range(20):
            job = entity.submit(work={ids: 3})
            job.finished.add_callback(lambda _fence: seen.append(ids.free))
            assert job.scheduled.wait(LIMIT_S)
            assert ids.free == 1
            advance(entity)
            assert job.finished.wait(LIMIT_S)
            assert ids.free == 4
        assert seen == [4] * 20


@EVERYWHERE
def test_a_queue_has_its_last_ids_again(way: Way) -> None:
    with way.runtime() as rt:
        ids, resources = Pool("event ids", 8), Resources()
        first, second = rings(rt, resources, 2)
        had: list[dict[str, tuple[int, ...]]] = []
        for _ in range(3):
            jobs = [entity.submit(work={ids: 2}) for entity in (first, second)]
            assert all(job.scheduled.wait(LIMIT_S) for job in jobs)
            had.append({job.entity.name: got(resources, job)[ids] for job in jobs})
            for entity in (first, second):
                advance(entity)
            assert finished(jobs)
        assert had[0] == had[1] == had[2]


def got(resources: Resources, job: Job) -> Mapping[Pool, tuple[int, ...]]:
    """Ask once more for what a job has."""
    answer = resources.get(job, needs_of(job))
    assert not isinstance(answer, Fence)
    return answer


@EVERYWHERE
def test_a_killed_job_gives_up_what_it_has_and_its_place(way: Way) -> None:
    with way.runtime() as rt:
        ids, resources = Pool("event ids", 3), Resources()
        runs, waits, behind = rings(rt, resources, 3)
        running, prepared = runs.submit(work={ids: 1}), runs.submit(work={ids: 1})
        assert running.scheduled.wait(LIMIT_S)
        settle(runs, runs.scheduler)
        assert held(resources, ids) == {"e0": 2}
        large = waits.submit(work={ids: 3})
        settle(waits, waits.scheduler)
        small = behind.submit(work={ids: 1})
        settle(behind, behind.scheduler)
        assert not small.scheduled.signaled
        waits.kill()
        assert small.scheduled.wait(LIMIT_S)
        assert large.finished.wait(LIMIT_S)
        assert ids.free == 0
        runs.kill()
        assert ids.free == 1, "the one that was prepared and did not run"
        assert not prepared.finished.signaled, "it ends behind the one that runs"
        for entity in (runs, behind):
            advance(entity)
        assert finished([running, prepared, large, small])
        assert [job.finished.error for job in (running, prepared, large, small)] == [0, -errno.ESRCH, -errno.ESRCH, 0]
        assert_all_back(resources, ids)
    assert adds_up(rt)


@EVERYWHERE
def test_leaving_takes_everything_back(way: Way) -> None:
    with way.runtime() as rt:
        ids, resources = Pool("event ids", 3), Resources()
        entities = rings(rt, resources, 3)
        jobs = [entity.submit(work={ids: 2}) for entity in entities for _ in range(2)]
        settle(*entities)
        assert ids.free == 1
    assert all(job.finished.signaled for job in jobs)
    assert resources.account().entries == ()
    assert ids.free == 3
    assert adds_up(rt)


@EVERYWHERE
def test_a_job_that_was_refused_by_the_hardware_gives_back(way: Way) -> None:
    class Broken(Needy):
        def run_job(self, job: Job) -> Fence:
            raise OSError(errno.EIO, f"{job} is refused")

    with way.runtime() as rt:
        ids, resources = Pool("event ids", 1), Resources()
        entity = rt.scheduler(Broken(resources)).entity()
        jobs = [entity.submit(work={ids: 1}) for _ in range(3)]
        assert finished(jobs)
        assert [job.finished.error for job in jobs] == [-errno.EIO] * 3
        assert_all_back(resources, ids)


@EVERYWHERE
def test_a_job_that_needs_more_than_there_is_is_refused_at_submission(way: Way) -> None:
    with way.runtime() as rt:
        ids, resources = Pool("event ids", 4), Resources()
        (entity,) = rings(rt, resources, 1)
        with pytest.raises(OSError, match=r"<Job e0:new> needs 5 event ids, expected 1 to 4") as refusal:
            entity.submit(0, work={ids: 5})
        assert refusal.value.errno == errno.EINVAL
        assert finished([entity.submit(0, work={ids: 4})])
        assert_all_back(resources, ids)
    assert rt.statistics().jobs_submitted == 1


def test_a_job_that_takes_from_two_resources_is_refused() -> None:
    with Runtime(world="virtual") as rt:
        ids, resources, others = Pool("event ids", 4), Resources(), Resources()
        (entity,) = rings(rt, resources, 1)
        job = entity.job()
        resources.get(job, {ids: 1})
        with pytest.raises(WrongState, match="<Job e0:new> takes from other resources already"):
            others.get(job, {ids: 1})
        assert others.account().entries == ()
        assert resources.release(job)
        assert not resources.release(job)
        assert_all_back(resources, ids)


def test_an_unknown_grab_is_refused() -> None:
    with pytest.raises(BadInput, match="grab: found 'greedy', expected one of hold, drop, atomic, fifo"):
        Resources("greedy")


def test_a_client_can_wait_for_its_turn_too() -> None:
    with Runtime(world="virtual") as rt:
        ids, resources = Pool("event ids", 1), Resources()
        (entity,) = rings(rt, resources, 1)
        first, second = entity.job(), entity.job()
        assert not isinstance(resources.get(first, {ids: 1}), Fence)
        turn = resources.get(second, {ids: 1})
        assert isinstance(turn, Turn)
        assert resources.get(second, {ids: 1}) is turn
        assert not turn.wait(0.001)
        resources.release(first)
        assert turn.signaled
        assert resources.get(second, {ids: 1}) == {ids: (0,)}
        resources.release(second)


def test_a_turn_that_is_given_up_signals() -> None:
    with Runtime(world="virtual") as rt:
        ids, resources = Pool("event ids", 1), Resources()
        (entity,) = rings(rt, resources, 1)
        first, second = entity.job(), entity.job()
        resources.get(first, {ids: 1})
        turn = resources.get(second, {ids: 1})
        assert isinstance(turn, Turn)
        assert resources.release(second)
        assert turn.signaled
        assert not current().claims
        resources.release(first)


@pytest.mark.parametrize(("grab", "waited_us", "case"), [("fifo", 1500, "a line"), ("atomic", 7500, "no line")])
def test_a_job_that_needs_all_ids_starves_beside_small_ones_unless_there_is_a_line(
    grab: str, waited_us: float, case: str
) -> None:
    """Two streams of 2 ms jobs of one id, 1 ms apart; the large one comes after 1.5 ms and finds them on all sides."""
    with Runtime(world="virtual") as rt:
        ids, resources = Pool("event ids", 3), Resources(grab)
        streams = rings(rt, resources, 2)
        (large,) = rings(rt, resources, 1)

        def stream(number: int) -> None:
            current().sleep(number * 0.001)
            for _ in range(4):
                streams[number].submit(2000, work={ids: 1}).finished.wait()

        for number in range(2):
            rt.spawn(lambda number=number: stream(number))  # type: ignore[misc]
        current().sleep(0.0015)
        before_ns = current().now_ns()
        job = large.submit(2000, work={ids: 3})
        job.scheduled.wait()
        assert (current().now_ns() - before_ns) / 1000 == waited_us, case
        job.finished.wait()


def test_a_line_costs_time_in_which_ids_lie_idle() -> None:
    """What the large job waits for lies idle meanwhile: 3 ids of 5 ms, of which 2 ms for one and 1 ms for the other."""
    busy_us = dict.fromkeys(("fifo", "atomic"), 0.0)
    for grab in busy_us:
        with Runtime(world="virtual") as rt:
            ids, resources = Pool("event ids", 3), Resources(grab)
            entities = rings(rt, resources, 4)
            first = [entities[0].submit(1000, work={ids: 1}), entities[1].submit(3000, work={ids: 1})]
            first[1].scheduled.wait()
            large = entities[2].submit(1000, work={ids: 3})
            settle(entities[2], entities[2].scheduler)
            small = [entities[3].submit(1000, work={ids: 1}) for _ in range(3)]
            for job in (*first, large, *small):
                job.finished.wait()
            busy_us[grab] = current().now_ns() / 1000
    # In a line the small ones come after the large one; without, beside what it waits for.
    assert busy_us == {"fifo": 7000, "atomic": 4000}


@EVERYWHERE
@pytest.mark.parametrize("grab", ["fifo", "atomic"])
def test_all_jobs_of_many_entities_come_to_their_end(way: Way, grab: str) -> None:
    with way.runtime() as rt:
        ids, slots, resources = Pool("event ids", 5), Pool("slots", 3), Resources(grab)
        entities = rings(rt, resources, 6, credit_limit=2)
        jobs = [
            entity.submit(0, work={ids: 1 + (turn + number) % 3} | ({slots: 2} if number % 2 else {}))
            for turn in range(20)
            for number, entity in enumerate(entities)
        ]
        assert finished(jobs)
        assert {job.finished.error for job in jobs} == {0}
        assert_all_back(resources, ids, slots)
    assert adds_up(rt)


@NATIVELY
def test_kills_and_completions_at_the_same_time_lose_nothing(way: Way) -> None:
    with way.runtime() as rt:
        ids, resources = Pool("event ids", 4), Resources()
        entities = rings(rt, resources, 8, credit_limit=2)
        jobs = [entity.submit(0, work={ids: 3}) for _ in range(10) for entity in entities]
        for entity in entities[::2]:
            rt.spawn(entity.kill)
        assert finished(jobs)
        assert {job.finished.error for job in jobs} <= {0, -errno.ESRCH}
        assert_all_back(resources, ids)
    assert adds_up(rt)


@pytest.mark.parametrize("name", GRABS)
def test_a_deadlock_of_the_world_names_who_waits_and_who_holds(name: str) -> None:
    with Runtime(world="virtual") as rt:
        ids, resources = Pool("event ids", 4), Resources(name)
        runs, waits = rings(rt, resources, 2)
        runs.submit(work={ids: 4}).scheduled.wait()
        job = waits.submit(work={ids: 3})
        with pytest.raises(Deadlock) as deadlock:
            job.finished.wait()
    assert "<Job e1:1> waits for 3 event ids, 0 of 4 free, held by <Job e0:1> (4)" in str(deadlock.value)
