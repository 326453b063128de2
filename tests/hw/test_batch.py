from __future__ import annotations

import pytest

from fencepost.hw.batch import Batch, granularity_ns


@pytest.mark.parametrize(
    ("work", "expected_ns"),
    [
        pytest.param(Batch(preempt_us=50), 50_000, id="what it says"),
        pytest.param(Batch(preempt_us=0), 0, id="never"),
        pytest.param(Batch(), 7000, id="says nothing"),
        pytest.param(None, 7000, id="no work"),
        pytest.param("anything else", 7000, id="not ours"),
    ],
)
def test_a_batch_that_says_nothing_takes_the_default(work: object, expected_ns: int) -> None:
    assert granularity_ns(work, 7) == expected_ns


def test_a_negative_granularity_is_refused() -> None:
    with pytest.raises(ValueError, match="every -1 us, expected 0 or more"):
        Batch(preempt_us=-1)
