from __future__ import annotations

from fencepost.policies.priority import Priority


def test_the_lower_number_is_the_more_important_one() -> None:
    assert sorted(Priority) == [Priority.KERNEL, Priority.HIGH, Priority.NORMAL, Priority.LOW]
    assert list(map(int, Priority)) == [0, 1, 2, 3]
