from __future__ import annotations

from fencepost.events import EventRing
from fencepost.events.kinds import JOB_ADD_DEP, JOB_DONE, PERIOD_MISSED
from fencepost.lab.result import TimeSpread
from fencepost.lab.runner.facts import renumbered, spread


def test_times_spread_by_nearest_rank() -> None:
    assert spread([float(number) for number in range(200, 0, -1)]) == TimeSpread(100.5, 1.0, 200.0, 100.0, 198.0)


def test_one_time_is_all_there_is() -> None:
    assert spread([7.0]) == TimeSpread(7.0, 7.0, 7.0, 7.0, 7.0)


def test_fence_contexts_are_counted_from_1_in_events() -> None:
    ring = EventRing(None)
    ring.record((10, JOB_ADD_DEP, 702, 3, 801, 4))
    ring.record((11, JOB_DONE, "rcs0", 703, 1, 0))
    ring.record((12, PERIOD_MISSED, "a", 702))
    assert renumbered(ring, [701, 702]) == (
        (10, JOB_ADD_DEP, 2, 3, 3, 4),
        (11, JOB_DONE, "rcs0", 4, 1, 0),
        (12, PERIOD_MISSED, "a", 702),
    )


def test_events_that_were_not_kept_are_none() -> None:
    assert renumbered(None, []) == ()
