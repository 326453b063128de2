from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fencepost.checks.clock_policy import parse_clock_policy
from fencepost.checks.schedule import Schedule
from fencepost.errors import BadInput


@given(
    timers=st.sampled_from(["never", "free", "slack100"]),
    deviations=st.dictionaries(st.integers(0, 1000), st.integers(-1, 50)),
)
def test_a_token_is_read_as_it_was_written(timers: str, deviations: dict[int, int]) -> None:
    schedule = Schedule(timers, deviations)
    assert Schedule.parse(schedule.token) == schedule


@pytest.mark.parametrize("token", ["", "often.1-2", "never.", "never.1", "never.1-x", "never.c-1", "never 1-2"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(BadInput, match=r"^--replay: found"):
        Schedule.parse(token)


def test_the_policies_say_how_early_a_deadline_may_come() -> None:
    assert [parse_clock_policy(text) for text in ("never", "slack0", "slack5", "free")] == [0, 0, 5000, None]
