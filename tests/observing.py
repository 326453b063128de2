"""Watches every native world of every test. Switched on by `--observe`, see `fencepost.checks.observers`.

A test whose worlds are made by `Runtime(world="native")` or `fencepost.sync.world("native")` fails when the observers
find something in one of them. Tests that make a `NativeWorld` themselves are not watched. What is known of the order
of locks is shared by all tests: two paths that deadlock together need not be taken by the same one.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fencepost import sync
from fencepost.actors import Entity, Scheduler, runtime
from fencepost.actors.entity_actor import EntityActor
from fencepost.actors.scheduler_actor import SchedulerActor
from fencepost.checks.lock_order import LockOrder
from fencepost.checks.observers import Observers
from fencepost.fences import Timeline
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.engine import Engine
from fencepost.sync import World
from fencepost.sync.observed import ObservedWorld
from fencepost.sync.tracking import tracked

STALL_LIMIT_S = 20.0

TRACKED: dict[type, tuple[str, ...]] = {
    Entity: ("_pushed", "_scheduler", "_attached", "_last_armed", "_last_pushed", "_recalled", "_unpushed"),
    EntityActor: ("_jobs", "_awaited", "_kill", "_killed", "_previous"),
    SchedulerActor: ("_pending", "_busy_until_ns", "_stopped"),
    Scheduler: ("lost_jobs",),
    ClockedEngine: ("_signalling", "_timer", "_executions"),
    Engine: ("now_ns", "running", "completed", "stretches", "ended"),
    Timeline: ("_points", "_queue"),
}
"""What of the product is tracked. Not what is read at any time on purpose: counts for statistics, priorities."""

plain_world = sync.world


class Watchers:
    """Makes worlds that are watched, and keeps who watches them."""

    def __init__(self, lock_order: LockOrder) -> None:
        self._lock_order = lock_order
        self._cycles_before = len(lock_order.found)
        self._observers: list[Observers] = []

    def world(self, name: str) -> World:
        """Make a world as `fencepost.sync.world` does, watched if it is native."""
        if name != "native":
            return plain_world(name)
        observers = Observers(lock_order=self._lock_order, stall_limit_s=STALL_LIMIT_S)
        self._observers.append(observers)
        return ObservedWorld(observers)

    def findings(self) -> list[str]:
        """Say what was found since it was made."""
        own = [str(found) for each in self._observers for found in (*each.races.found, *each.stalls)]
        return own + [str(cycle) for cycle in self._lock_order.found[self._cycles_before :]]


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--observe"):
        for owner, names in TRACKED.items():
            tracked(*names)(owner)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--observe", action="store_true", help="watch every native world for races, lock order and stalls")


@pytest.fixture(scope="session")
def lock_order() -> LockOrder:
    """Give what the whole run knows of the order of locks."""
    return LockOrder()


@pytest.fixture(autouse=True)
def nothing_is_found(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, lock_order: LockOrder
) -> Iterator[None]:
    """Fail a test in whose worlds the observers find something, when that was asked for."""
    if not request.config.getoption("--observe"):
        yield
        return
    watchers = Watchers(lock_order)
    monkeypatch.setattr(sync, "world", watchers.world)
    monkeypatch.setattr(runtime, "new_world", watchers.world)
    yield
    if found := watchers.findings():
        pytest.fail("\n".join(found), pytrace=False)
