"""From how many jobs on one can get stuck, by going through every order; and the same for more ids than that allows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from fencepost.checks.resource_deadlock import resource_deadlock
from fencepost.policies.resources import (
    GRABS,
    Grab,
    Hold,
    Pool,
    Step,
    can_run_out,
    fewest_that_run_out,
)
from tests.policies.resources.exhaust import Key, Orders, circles, explore_orders

MOST_IDS = 6
MOST_NEEDED = 3


def cases(jobs: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Give each number of ids, with each way in which so many jobs can need some of them."""
    for total in range(1, MOST_IDS + 1):
        most = min(total, MOST_NEEDED)
        for needs in itertools.combinations_with_replacement(range(1, most + 1), jobs):
            yield total, needs


def ends(orders: Orders, jobs: int) -> list[str]:
    """Say how it can end: well, or with nobody able to do anything; or not at all."""
    said = {"well" if state.done == jobs else "stuck" for state in orders.values() if not state.moves}
    if next(circles(orders), None) is not None:
        said.add("round and round")
    return sorted(said)


def leads_to_the_end(orders: Orders, jobs: int) -> set[Key]:
    """Return the states from which all jobs can still come to their end."""
    before: dict[Key, list[Key]] = {key: [] for key in orders}
    for key, state in orders.items():
        for after, _ in state.moves.values():
            before[after].append(key)
    saved = {key for key, state in orders.items() if state.done == jobs}
    to_do = list(saved)
    while to_do:
        new = [each for each in before[to_do.pop()] if each not in saved]
        saved.update(new)
        to_do += new
    return saved


def expected(grab: str, *, runs_out: bool) -> list[str]:
    trouble = {"hold": "stuck", "drop": "round and round"}.get(grab)
    return sorted({"well", trouble}) if runs_out and trouble else ["well"]


@pytest.mark.parametrize(
    "jobs", [1, 2, pytest.param(3, marks=pytest.mark.slow), pytest.param(4, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("grab", GRABS)
def test_who_takes_one_at_a_time_gets_stuck_just_where_the_ids_can_run_out_and_is_told_so(grab: str, jobs: int) -> None:
    for total, needs in cases(jobs):
        orders = explore_orders(GRABS[grab], total, needs)
        assert ends(orders, jobs) == expected(grab, runs_out=can_run_out(total, needs)), (total, needs)
        saved = leads_to_the_end(orders, jobs)
        for key, state in orders.items():
            told = resource_deadlock(state.account) is not None
            assert not (told and key in saved), ("a false alarm", total, needs, key)
            assert told or state.moves or state.done == jobs, ("it is missed", total, needs, key)


@pytest.mark.parametrize(
    ("total", "need", "fewest"), [(4, 3, 2), (5, 3, 3), (2, 2, 2), (128, 2, 128), (128, 3, 64), (128, 1, None)]
)
def test_the_table_of_thresholds(total: int, need: int, fewest: int | None) -> None:
    assert fewest_that_run_out(total, need) == fewest
    if fewest is not None:
        assert can_run_out(total, [need] * fewest)
        assert not can_run_out(total, [need] * (fewest - 1))


def held_short(total: int, need: int, jobs: int) -> tuple[Grab[int], Pool, list[Step]]:
    """Have each job take as many as it can without being complete, and then try for one more."""
    grab, pool = Hold[int](), Pool("ids", total)
    requests = [grab.want(job, {pool: need}) for job in range(jobs)]
    for _ in range(need - 1):
        for request in requests:
            grab.step(request)
    return grab, pool, [grab.step(request) for request in requests]


@pytest.mark.parametrize(("need", "fewest"), [(2, 128), (3, 64)])
def test_of_128_ids_the_fewest_jobs_that_can_get_stuck_do(need: int, fewest: int) -> None:
    grab, pool, steps = held_short(128, need, fewest)
    assert set(steps) == {Step.SHORT}
    assert pool.free == 0
    assert sum(grab.held(pool).values()) == 128
    stall = resource_deadlock(grab.account())
    assert stall is not None
    assert len(stall.waits) == fewest


@pytest.mark.parametrize(("need", "fewest"), [(2, 128), (3, 64)])
def test_of_128_ids_one_job_fewer_always_finds_another(need: int, fewest: int) -> None:
    # With all but one each they hold as many as jobs can without one being complete; so in no order do they run out.
    grab, pool, steps = held_short(128, need, fewest - 1)
    assert steps[0] is Step.COMPLETE
    assert sum(grab.held(pool).values()) == 128 - pool.free
    assert resource_deadlock(grab.account()) is None
