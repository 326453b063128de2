"""What holds for every test: no thread is left behind, and a failure can be had again; and the worlds to test in."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import structlog
from hypothesis import settings

from fencepost import sync
from fencepost.checks.observers import Observers
from fencepost.sync.observed import ObservedWorld
from fencepost.sync.virtual import VirtualWorld
from tests.observing import lock_order, nothing_is_found, pytest_addoption

__all__ = ["lock_order", "nothing_is_found", "pytest_addoption"]

# A slow example on a loaded machine is no bug, and a red run of .ci/run stays red when it is run again.
settings.register_profile("fencepost", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("fencepost")


@pytest.fixture
def leaked_threads() -> Callable[[float], list[threading.Thread]]:
    """Give a function that names the threads started since and not ended within so many seconds."""
    before = set(threading.enumerate())

    def leaked(patience_s: float) -> list[threading.Thread]:
        deadline = time.monotonic() + patience_s
        started = [thread for thread in threading.enumerate() if thread not in before]
        for thread in started:
            thread.join(max(0.0, deadline - time.monotonic()))
        return [thread for thread in started if thread.is_alive()]

    return leaked


@pytest.fixture(autouse=True)
def structlog_as_it_was() -> Iterator[None]:
    """Undo what the command line does to the logs of the process."""
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def no_thread_is_left(leaked_threads: Callable[[float], list[threading.Thread]]) -> Iterator[None]:
    """Fail a test whose threads outlive it and its other fixtures."""
    yield
    if left := leaked_threads(2.0):
        pytest.fail(f"left running: {', '.join(map(repr, left))}")


@pytest.fixture(params=["native", "virtual", "observed"])
def any_world(request: pytest.FixtureRequest) -> Iterator[sync.World]:
    """Each world in turn, entered; everything started in it must have ended by the end of the test.

    The observed one is a native world that is watched: it must do the same, and nothing is to be found in it.
    """
    observers = Observers()
    worlds: dict[str, Callable[[], sync.World]] = {
        "native": sync.NativeWorld,
        "virtual": VirtualWorld,
        "observed": lambda: ObservedWorld(observers),
    }
    world = worlds[request.param]()
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
def virtual() -> Iterator[VirtualWorld]:
    """The virtual world, entered; a test that leaves tasks behind closes it by itself."""
    world = VirtualWorld()
    world.enter()
    yield world
    world.close()
