"""What the bench of groups measures, where that does not hang on the speed of the machine."""

from __future__ import annotations

import pytest

from bench.cgroups import Picks


@pytest.mark.parametrize(("groups", "depth"), [(10, 1), (3, 4)])
def test_picks_and_writes_take_time(groups: int, depth: int) -> None:
    picks = Picks(groups, depth)
    picks.pick(50)
    assert picks.write_us() > 0
