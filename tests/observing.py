"""Watches the native worlds of all tests, unless pytest is told `--no-observe`. See `fencepost.checks.observers`.

A test fails when the observers find something in a world that was made by `Runtime(world="native")` or by
`fencepost.sync.world("native")`. Who makes a `NativeWorld` itself tests that, and is not watched. What is known of the
order of locks is shared by all tests: two paths that deadlock together need not be taken by the same one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import pytest

from fencepost import sync
from fencepost.actors import runtime
from fencepost.checks.lock_order import LockOrder, LockOrderCycle
from fencepost.checks.observers import Observers
from fencepost.sync import Task, World
from fencepost.sync.observed import ObservedWorld

__all__ = ["lock_order", "nothing_is_found", "pytest_addoption"]

STALL_LIMIT_S: Final = 20.0

EXEMPT: Final = {
    "tests/bench/test_queues.py": "it asks how much a queue keeps, and whoever watches keeps as much",
    "tests/sync/": "they are about the worlds themselves, and `any_world` gives them an observed one besides",
}
"""Beginnings of the names of tests that are not watched, and why."""

plain_world: Final = sync.world


class Watchers:
    """Makes worlds that are watched, and keeps who watches them."""

    def __init__(self, lock_order: LockOrder) -> None:
        self._lock_order = lock_order
        self._cycles_before = len(lock_order.found)
        self._observers: dict[Observers, None] = {}

    def world(self, name: str) -> World:
        """Make a world as `fencepost.sync.world` does, watched if it is native."""
        if name != "native":
            return plain_world(name)
        observers = Observers(lock_order=self._lock_order, stall_limit_s=STALL_LIMIT_S)
        self._observers[observers] = None
        return WatchedWorld(observers, self)

    def closed(self, observers: Observers) -> None:
        """Forget who has found nothing: a test that goes on for an hour makes many worlds."""
        if not self.own(observers):
            self._observers.pop(observers, None)

    def own(self, observers: Observers) -> list[str]:
        """Say what was found, but for the order of locks, of which all worlds know together."""
        return [str(found) for found in observers.findings if not isinstance(found, LockOrderCycle)]

    def findings(self) -> list[str]:
        """Say what was found since it was made."""
        own = [said for observers in self._observers for said in self.own(observers)]
        return own + [str(cycle) for cycle in self._lock_order.found[self._cycles_before :]]


class WatchedWorld(ObservedWorld):
    """A world that says when it was closed."""

    def __init__(self, observers: Observers, watchers: Watchers) -> None:
        super().__init__(observers)
        self._done = partial(watchers.closed, observers)

    def close(self) -> list[Task]:
        try:
            return super().close()
        finally:
            self._done()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-observe", action="store_true", help="do not watch native worlds for races, lock order, stalls"
    )


@pytest.fixture(scope="session")
def lock_order() -> LockOrder:
    """Give what the whole run knows of the order of locks."""
    return LockOrder()


@pytest.fixture(autouse=True)
def nothing_is_found(request: pytest.FixtureRequest, lock_order: LockOrder) -> Iterator[None]:
    """Fail a test in whose worlds the observers find something."""
    if request.config.getoption("--no-observe") or request.node.nodeid.startswith(tuple(EXEMPT)):
        yield
        return
    watchers = Watchers(lock_order)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sync, "world", watchers.world)
        patch.setattr(runtime, "new_world", watchers.world)
        yield
    if found := watchers.findings():
        pytest.fail("\n".join(found), pytrace=False)
