from __future__ import annotations

from collections.abc import Iterator

import pytest

from fencepost import sync


@pytest.fixture(params=["native", "virtual"])
def any_world(request: pytest.FixtureRequest) -> Iterator[sync.World]:
    """Each world in turn, entered; everything started in it must have ended by the end of the test."""
    world = sync.world(request.param)
    world.enter()
    yield world
    assert world.close() == []


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
