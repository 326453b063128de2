from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from fencepost.policies.cgroups.cap import BURST_NS, Cap


def test_a_burst_is_there_at_once_and_no_more_however_long_one_waits() -> None:
    cap = Cap(Fraction(1, 4), 0)
    cap.fill(10**12)
    cap.pay(BURST_NS // 4 - 1)
    assert not cap.empty
    cap.pay(1)
    assert cap.empty


def test_it_is_paid_for_with_time() -> None:
    cap = Cap(Fraction(2, 3), 1000)
    cap.pay(BURST_NS * 2 // 3 + 10)
    assert cap.refilled_ns == 1015  # nine and a third too much: after 14 it has exactly nothing
    cap.fill(1014)
    assert cap.empty
    cap.fill(1015)
    assert not cap.empty


def test_what_was_paid_too_much_comes_back() -> None:
    cap = Cap(Fraction(1, 2), 0)
    cap.pay(BURST_NS)
    cap.pay(-BURST_NS)
    assert not cap.empty


@given(
    share=st.fractions(Fraction(1, 1000), 1, max_denominator=1000),
    steps=st.lists(st.tuples(st.integers(0, BURST_NS), st.integers(0, BURST_NS)), max_size=30),
)
def test_it_is_as_a_bucket_of_fractions(share: Fraction, steps: list[tuple[int, int]]) -> None:
    cap, level, now_ns = Cap(share, 0), BURST_NS * share, 0
    for wait_ns, paid_ns in steps:
        now_ns += wait_ns
        cap.fill(now_ns)
        cap.fill(now_ns - 1)
        level = min(BURST_NS * share, level + wait_ns * share) - paid_ns
        cap.pay(paid_ns)
        assert cap.empty == (level <= 0)
        if cap.empty:
            after_ns = cap.refilled_ns - now_ns
            assert level + after_ns * share > 0 >= level + (after_ns - 1) * share
