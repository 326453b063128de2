"""Fields change hands under a lock, whoever searches or observes at the same time.

By stress this shows only where threads run at the same time, so these look at the lock at the moment it matters.
"""

from __future__ import annotations

from typing import Any

import pytest

from fencepost.sync import tracking, watched


def test_watched_fields_come_and_go_under_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[bool] = []

    class Noting(watched.Watch):
        """Keeps whether its lock was held when the users were counted."""

        @property
        def users(self) -> int:
            held.append(self.lock.locked())
            return self.count

        @users.setter
        def users(self, count: int) -> None:
            self.count = count

    monkeypatch.setattr(watched, "_watch", Noting())
    with watched.watching({}):
        counts = len(held)
    assert counts
    assert len(held) > counts
    assert all(held)


def test_tracked_fields_get_their_hooks_under_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[bool] = []

    class Noting(list[Any]):
        """Keeps whether the lock was held when something was taken from it."""

        def pop(self, *index: Any) -> Any:  # noqa: ANN401 - as list
            held.append(tracking._installing.locked())  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
            return super().pop(*index)

    monkeypatch.setattr(tracking, "_declared", Noting())

    @tracking.tracked("first", "second")
    class Declared:
        """Has two fields."""

    assert Declared.__doc__
    tracking.install_fields()
    assert held == [True, True]
