from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fencepost.lab.runner.throttles import BatchCount
from fencepost.lab.wsim import Batch, Delay, Duration, Engine, EngineClass, Step

BATCH = Batch(1, Engine(EngineClass.RCS), Duration(1, 1))


def steps(letters: str) -> list[Step]:
    return [BATCH if letter == "b" else Delay(1) for letter in letters]


@pytest.mark.parametrize(
    ("letters", "index", "steps_back", "back"),
    [
        ("bb", 1, 1, 1),
        ("bbb", 2, 2, 2),
        ("b.b", 2, 1, 1),  # a delay there: the batch before it
        ("b.b", 0, 1, 1),  # the last batch of the cycle before
        ("b.b", 0, 2, 2),  # a delay there again
        ("b", 0, 1, 1),
        ("b", 0, 7, 7),
    ],
)
def test_a_batch_is_found_so_many_batches_back(letters: str, index: int, steps_back: int, back: int) -> None:
    assert BatchCount(steps(letters)).back(index, steps_back) == back


@given(st.text("b.", min_size=1, max_size=6).filter(lambda letters: "b" in letters), st.integers(1, 20))
def test_it_is_found_as_by_walking_back(letters: str, steps_back: int) -> None:
    endless = letters * 30
    last = len(letters) * 29 + letters.index("b")
    target = endless.rindex("b", 0, last - steps_back + 1)
    walked = endless[target:last].count("b")
    assert BatchCount(steps(letters)).back(letters.index("b"), steps_back) == walked
