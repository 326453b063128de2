"""What the bench of resources measures, where that does not hang on the speed of the machine."""

from __future__ import annotations

import pytest

from bench.resources import LIMIT, RUNNING, WAITING, grab_us, scheduled


@pytest.mark.parametrize("waiting", [10, 300])
def test_a_job_asks_at_most_twice_however_many_wait(waiting: int) -> None:
    jobs = 500
    _, asked = scheduled(waiting, jobs)
    # Those that were under way at the beginning or the end are counted in part.
    assert 1 <= asked <= 2 + 2 * RUNNING / jobs


@pytest.mark.slow
def test_a_grab_costs_no_more_beside_many_that_wait() -> None:
    few, many = (min(grab_us(waiting, 3000) for _ in range(5)) for waiting in (WAITING[0], WAITING[-1]))
    assert many <= LIMIT * few
