from __future__ import annotations

import pytest

from fencepost.lab.spelling import count, figure, milliseconds, percent


@pytest.mark.parametrize(
    ("value", "spelt"),
    [(0, "0"), (0.0514, "0.051"), (1, "1.00"), (9.876, "9.88"), (16.667, "16.7"), (123.4, "123"), (12345.6, "12 346")],
)
def test_a_figure_has_about_three_digits(value: float, spelt: str) -> None:
    assert figure(value) == spelt


def test_thousands_stand_apart() -> None:
    assert [count(0), count(999), count(1234567)] == ["0", "999", "1 234 567"]


def test_units() -> None:
    assert [milliseconds(16667), percent(0.1234)] == ["16.7", "12.3"]
