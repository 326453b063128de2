from __future__ import annotations

from collections.abc import Iterator

import pytest

from fencepost import sync
from fencepost.checks.observers import Observers
from fencepost.sync.observed import ObservedWorld


@pytest.fixture(params=["native", "virtual", "observed"])
def any_world(request: pytest.FixtureRequest) -> Iterator[sync.World]:
    """Each world in turn, entered; everything started in it must have ended by the end of the test.

    The observed one is a native world that is watched: it must do the same, and nothing is to be found in it.
    """
    observers = Observers()
    world = ObservedWorld(observers) if request.param == "observed" else sync.world(request.param)
    world.enter()
    yield world
    assert world.close() == []
    assert observers.findings == ()


@pytest.fixture
def native() -> Iterator[sync.World]:
    world = sync.world("native")
    world.enter()
    yield world
    assert world.close() == []


@pytest.fixture
def virtual() -> Iterator[sync.World]:
    world = sync.world("virtual")
    world.enter()
    yield world
    world.close()
