"""Ten thousand random histories of each object, and an order for each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fencepost.actors import Runtime
from fencepost.checks import explore
from tests.checks import test_fence_history, test_syncobj_history, test_timeline_history
from tests.checks.histories import Program, programs

SCHEDULES = 25
PROGRAMS = 10_000 // SCHEDULES


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("use", "operations"),
    [
        (test_fence_history.use, test_fence_history.OPERATIONS),
        (test_timeline_history.use, test_timeline_history.OPERATIONS),
        (test_syncobj_history.use, test_syncobj_history.OPERATIONS),
    ],
    ids=["fence", "timeline", "syncobj"],
)
def test_it_is_linearisable_ten_thousand_times(
    use: Callable[[Program[Any], Runtime], None], operations: st.SearchStrategy[Callable[[Any], object]]
) -> None:
    tried = 0

    @given(program=programs(operations), seed=st.integers(0, 1000))
    @settings(max_examples=PROGRAMS, deadline=None)
    def search(program: Program[Any], seed: int) -> None:
        nonlocal tried
        report = explore(partial(use, program), schedules=SCHEDULES, seed=seed)
        tried += report.schedules
        assert not report.found, str(report)

    search()
    assert tried == SCHEDULES * PROGRAMS
