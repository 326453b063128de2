from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fencepost.policies.balance import least_loaded


@pytest.mark.parametrize(
    ("schedulers", "expected"),
    [
        pytest.param([], None, id="no scheduler"),
        pytest.param([(0, False), (0, False)], None, id="none ready"),
        pytest.param([(3, True), (1, True), (2, True)], 1, id="the lowest score"),
        pytest.param([(3, True), (1, False), (2, True)], 2, id="the lowest score of those that are ready"),
        pytest.param([(2, True), (1, True), (1, True)], 1, id="the earlier of equals"),
    ],
)
def test_choice(schedulers: list[tuple[int, bool]], expected: int | None) -> None:
    assert least_loaded(schedulers) == expected


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans())))
def test_no_ready_scheduler_is_better_and_no_earlier_one_is_as_good(schedulers: list[tuple[int, bool]]) -> None:
    chosen = least_loaded(schedulers)
    if chosen is None:
        assert not any(ready for _, ready in schedulers)
        return
    score, ready = schedulers[chosen]
    assert ready
    assert all(score < other for other, ready in schedulers[:chosen] if ready)
    assert all(score <= other for other, ready in schedulers[chosen:] if ready)
