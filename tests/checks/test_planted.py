"""The seven bugs are found by every seed, come again, and are gone when they are mended."""

from __future__ import annotations

import pytest

from fencepost.checks import explore
from tests.checks.planted import PLANTED, Planted

BUGS = [pytest.param(bug, id=name) for name, bug in PLANTED.items()]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("bug", BUGS)
def test_mix_finds_it_within_500_schedules(bug: Planted, seed: int) -> None:
    report = explore(bug.broken, schedules=500, seed=seed, timers=bug.timers)
    assert report.kind == bug.kind, report


@pytest.mark.parametrize("bug", BUGS)
def test_a_replay_finds_it_again_each_time(bug: Planted) -> None:
    report = explore(bug.broken, schedules=500, timers=bug.timers)
    for _ in range(20):
        again = explore(bug.broken, replay=report.replay_token)
        assert (again.kind, again.message) == (report.kind, report.message)


@pytest.mark.parametrize("bug", BUGS)
@pytest.mark.parametrize("schedules", [2000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_the_mended_twin_is_clean(bug: Planted, schedules: int) -> None:
    report = explore(bug.fixed, schedules=schedules, timers=bug.timers)
    assert not report.found, report
