from __future__ import annotations

import pytest

from fencepost.errors import UseAfterFree
from fencepost.zoo.sw_sync import SyncTimeline
from tests.checks.watching import watched_world


def test_a_step_signals_what_waits() -> None:
    timeline = SyncTimeline()
    ran: list[str] = []
    timeline.point().callback = lambda: ran.append("a")
    timeline.advance()
    timeline.advance()
    assert ran == ["a"]
    assert timeline.points == []


def test_a_point_that_goes_leaves_the_list() -> None:
    with watched_world():
        timeline = SyncTimeline()
        point = timeline.point()
        point.put()
        assert timeline.points == []
        with pytest.raises(UseAfterFree, match="use after free of point"):
            point.touch()


def test_a_point_lives_through_the_step_that_signals_it() -> None:
    timeline = SyncTimeline()
    point = timeline.point()
    point.callback = point.put
    timeline.advance()
    assert timeline.points == []
