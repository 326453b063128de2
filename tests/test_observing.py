from __future__ import annotations

from pathlib import Path

import pytest

from fencepost import sync
from fencepost.actors import Runtime
from fencepost.checks.lock_order import LockOrder
from fencepost.sync.observed import ObservedWorld
from tests.checks.watching import Account, secret_mail
from tests.observing import EXEMPT, Watchers

ROOT = Path(__file__).parents[1]


@pytest.fixture
def observed(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--no-observe"):
        pytest.skip("pytest was told not to observe")


@pytest.mark.usefixtures("observed")
def test_native_worlds_of_a_test_are_observed_however_they_are_made() -> None:
    assert sync.world("native").observed is not None
    assert isinstance(Runtime().world, ObservedWorld)
    assert sync.world("virtual").observed is None


def test_what_is_found_in_any_world_of_a_test_is_told() -> None:
    watchers = Watchers(LockOrder())
    for balance in range(3):
        world = watchers.world("native")
        world.enter()
        account, written = Account(), secret_mail()
        if balance:
            task = world.spawn(lambda account=account, written=written: write(account, written), name="writer")  # type: ignore[misc]
            written.get()
            account.balance = balance
            assert task.join(10)
        assert world.close() == []
    assert [said.split(":")[0] for said in watchers.findings()] == ["race on Account.balance"] * 2


def write(account: Account, written: sync.Mailbox[str]) -> None:
    account.balance = -1
    written.put("written")


def test_exempt_tests_exist() -> None:
    assert [name for name in EXEMPT if not (ROOT / name.partition("::")[0]).exists()] == []
