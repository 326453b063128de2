"""Who touches a field without its lock is told."""

from __future__ import annotations

import pytest

from fencepost.sync import current
from tests.guarding import guarded, guarding_ended


class Account:
    """Has a lock, and a balance that it protects."""

    def __init__(self) -> None:
        self._lock = current().lock()
        self.balance = 0
        self.name = ""

    def pay(self, amount: int) -> None:
        with self._lock:
            self.balance += amount


def test_with_the_lock_all_is_well() -> None:
    account = guarded(Account, "balance")
    account.pay(5)
    account.name = "nobody's"
    guarding_ended(account)
    assert account.balance == 5


def test_without_the_lock_reading_and_writing_fail() -> None:
    account = guarded(Account, "balance")
    with pytest.raises(AssertionError, match="balance without the lock"):
        assert account.balance == 0
    with pytest.raises(AssertionError, match="balance without the lock"):
        account.balance = 1
