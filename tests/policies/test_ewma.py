from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fencepost.policies.ewma import Ewma


def average(samples: list[int]) -> int:
    ewma = Ewma()
    for sample in samples:
        ewma.add(sample)
    return ewma.value


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param([], 0, id="nothing yet"),
        pytest.param([100], 100, id="the first as it is"),
        pytest.param([100, 200], 125, id="a quarter of the second"),
        pytest.param([100, 0], 75, id="a sample of zero counts"),
        pytest.param([100, 200, 100], 118, id="rounded down from 118.75"),
        pytest.param([1, 2], 1, id="a fraction is not shown"),
        pytest.param([1, 2, 3, 4], 2, id="a fraction is not lost: 2.6"),
        pytest.param([0, 100], 100, id="zero is no beginning"),
    ],
)
def test_average_of(samples: list[int], expected: int) -> None:
    assert average(samples) == expected


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=200))
def test_it_stays_within_its_precision_of_the_exact_average(samples: list[int]) -> None:
    exact = Fraction(samples[0])
    for sample in samples[1:]:
        exact = (3 * exact + sample) / 4
    # Each step loses less than 1/64 and keeps three quarters of what was lost before; the value drops the fraction.
    assert exact - Fraction(4, 64) - 1 < average(samples) <= exact
