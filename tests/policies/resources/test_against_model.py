"""Random programs of jobs that want things of two pools: what must hold at any moment."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from fencepost.policies.resources import GRABS, Fifo, Grab, Pool, Step, new_grab

TOTALS = (3, 2)
JOBS = 6

needs_of_all = st.lists(st.tuples(st.integers(0, TOTALS[0]), st.integers(0, TOTALS[1])), min_size=JOBS, max_size=JOBS)
program = st.lists(st.tuples(st.integers(0, JOBS - 1), st.booleans()), max_size=60)


class World:
    """Jobs that take steps, and come again when they are done."""

    def __init__(self, grab: Grab[int], counts: list[tuple[int, int]]) -> None:
        self.grab = grab
        self.pools = tuple(Pool(name, total) for name, total in zip(("A", "B"), TOTALS, strict=True))
        self.needs = [{pool: n for pool, n in zip(self.pools, each, strict=True) if n} for each in counts]
        self.told: set[int] = set()
        self.waits: list[int] = []

    def step(self, job: int) -> Step:
        self.told.discard(job)
        step = self.grab.step(self.grab.want(job, self.needs[job]))
        if step is Step.SHORT and job not in self.waits:
            self.waits.append(job)
        elif step is not Step.SHORT and job in self.waits:
            self.waits.remove(job)
        self._hear()
        return step

    def release(self, job: int) -> None:
        self.grab.release(job)
        self.told.discard(job)
        if job in self.waits:
            self.waits.remove(job)
        self._hear()

    def _hear(self) -> None:
        for job in self.grab.told:
            self.waits.remove(job)
            self.told.add(job)
        self.grab.told = []

    def check(self) -> None:
        account = self.grab.account()
        held: Counter[Pool] = Counter()
        for entry in account.entries:
            held.update(entry.held)
            assert all(entry.held.get(pool, 0) <= need for pool, need in entry.needs.items())
            assert entry.waits == (entry.who in self.waits)
        for pool in self.pools:
            assert held[pool] + pool.free == pool.total
        ids = [index for request in self._requests() for index in request]
        assert len(ids) == len(set(ids)), "an id has one owner"

    def _requests(self) -> list[list[tuple[str, int]]]:
        wants = (self.grab.want(entry.who, entry.needs) for entry in self.grab.account().entries)
        return [[(pool.name, index) for pool, ids in each.held.items() for index in ids] for each in wants]


@given(st.sampled_from(sorted(GRABS)), needs_of_all, program)
def test_nothing_is_lost_and_nothing_is_had_twice(
    name: str, counts: list[tuple[int, int]], steps: list[tuple[int, bool]]
) -> None:
    world = World(new_grab(name), counts)
    for job, leaves in steps:
        if leaves:
            world.release(job)
        else:
            world.step(job)
        world.check()
    for job in range(JOBS):
        world.release(job)
    assert all(pool.free == pool.total for pool in world.pools)


@given(needs_of_all, program)
def test_in_a_line_who_has_some_has_all_and_who_is_first_and_fits_does_not_wait(
    counts: list[tuple[int, int]], steps: list[tuple[int, bool]]
) -> None:
    world = World(Fifo(), counts)
    for job, leaves in steps:
        if leaves:
            world.release(job)
        else:
            world.step(job)
        for entry in world.grab.account().entries:
            assert entry.complete or not entry.held
        ahead: set[Pool] = set()
        for job_waiting in world.waits:
            needs = world.needs[job_waiting]
            first = ahead.isdisjoint(needs)
            assert not (first and all(pool.free >= count for pool, count in needs.items()))
            ahead |= needs.keys()
        holders = any(entry.held for entry in world.grab.account().entries)
        assert holders or not world.waits, "who waits does so for one that runs"


@given(needs_of_all)
def test_in_a_line_all_come_to_their_end_in_the_order_they_asked(counts: list[tuple[int, int]]) -> None:
    world = World(Fifo(), counts)
    running = [job for job in range(JOBS) if world.step(job) is Step.COMPLETE]
    started = list(running)
    while running:
        world.release(running.pop(0))
        told = sorted(world.told)
        for job in told:
            assert world.step(job) is Step.COMPLETE
        running += told
        started += told
    assert sorted(started) == list(range(JOBS))
    for job in range(JOBS):
        for other in range(job):
            if not world.needs[job].keys().isdisjoint(world.needs[other]):
                assert started.index(other) < started.index(job)
