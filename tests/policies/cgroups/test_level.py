"""The bookkeeping of one level, where shares would take minutes to show a fault."""

from __future__ import annotations

import pytest

from fencepost.policies.cgroups.hweight import HierarchicalWeight
from fencepost.policies.cgroups.level import DEBT_NS, Level, Share
from tests.policies.cgroups.device import MS, Client, tree


@pytest.fixture
def level() -> Level[Share]:
    return Level[Share]()


def ready(level: Level[Share], weight: int) -> Share:
    share = Share(weight)
    level.set_ready(share, ready=True)
    return share


def run(level: Level[Share], share: Share, job_ns: int) -> None:
    level.take(share, 0, ready=True)
    level.account(share, job_ns, ready=True)


def test_those_count_who_are_ready_or_running(level: Level[Share]) -> None:
    first, second = ready(level, 100), ready(level, 30)
    assert level.weight == 130
    level.take(second, MS, ready=False)
    assert (level.weight, level.first()) == (130, first)
    level.set_weight(second, 50)
    level.set_weight(first, 200)
    assert level.weight == 250
    level.account(second, 0, ready=False)
    level.set_weight(second, 70)
    assert level.weight == 200
    level.take(second, MS, ready=False)
    assert level.weight == 270
    level.set_ready(first, ready=False)
    level.account(second, 0, ready=False)
    assert (level.weight, level.first()) == (0, None)


def test_the_one_is_first_whom_one_more_job_brings_least_far(level: Level[Share]) -> None:
    long, short = ready(level, 100), ready(level, 100)
    assert level.first() is long
    long.mean_job_us.add(2000)
    short.mean_job_us.add(500)
    run(level, long, 2 * MS)
    run(level, short, 2 * MS)
    assert level.first() is short


def test_what_the_last_one_used_is_not_owed_when_all_were_idle(level: Level[Share]) -> None:
    alone, other = ready(level, 1), Share(100)
    level.take(alone, 0, ready=False)
    level.account(alone, 1000 * MS, ready=False)
    level.set_ready(other, ready=True)
    assert other.vtime == alone.vtime


def test_another_weight_keeps_what_is_owed(level: Level[Share]) -> None:
    share, other = ready(level, 100), ready(level, 100)
    run(level, share, 8 * MS)
    ahead = share.vtime - level.vtime
    level.set_weight(share, 400)
    assert share.vtime - level.vtime == ahead // 4
    for _ in range(2):
        assert level.first() is other
        run(level, other, MS)
    assert level.first() is share


def test_debt_is_bounded_once_nothing_runs(level: Level[Share]) -> None:
    light, heavy = ready(level, 1), ready(level, 99)
    for _ in range(2):
        level.take(light, 20 * DEBT_NS, ready=True)
    assert level.vtime == run_of(level, DEBT_NS)
    level.account(light, 0, ready=True)
    level.account(light, -20 * DEBT_NS, ready=True)
    assert light.vtime == 2 * level.vtime
    assert level.first() is heavy


def run_of(level: Level[Share], time_ns: int) -> int:
    """Say how far a time of the engine brings all who are there."""
    return (time_ns << 16) // level.weight


def test_what_was_taken_counts_before_it_comes_back() -> None:
    queue, groups = HierarchicalWeight[Client](), tree({"A": 300, "B": 100})
    clients = [Client(name, groups[name]) for name in "AB"]
    for client in clients:
        queue.join(client, 0, 1)
        queue.pop(client, 0, 1)
        queue.charge(client, MS)
    taken: list[str] = []
    for _ in range(16):
        due = queue.select(1)
        assert due is not None
        queue.pop(due, 0, 1)
        taken.append(due.name)
    assert 11 <= taken.count("A") <= 13
