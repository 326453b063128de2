from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fencepost.events.lanes import lanes

intervals = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 5)).map(lambda pair: (pair[0], pair[0] + pair[1], object()))
)


@given(intervals)
def test_each_interval_gets_one_lane_and_none_overlap(given_intervals: list[tuple[int, int, object]]) -> None:
    dealt = lanes(given_intervals)
    assert sorted(id(what) for lane in dealt for *_, what in lane) == sorted(id(what) for *_, what in given_intervals)
    assert all(one[1] <= other[0] for lane in dealt for one, other in pairwise(lane))


@given(intervals)
def test_there_are_as_many_lanes_as_intervals_at_the_busiest_moment(
    given_intervals: list[tuple[int, int, object]],
) -> None:
    lasting = [interval for interval in given_intervals if interval[0] < interval[1]]
    busiest = max((sum(start <= now < end for start, end, _ in lasting) for now, *_ in lasting), default=0)
    assert len(lanes(lasting)) == busiest
