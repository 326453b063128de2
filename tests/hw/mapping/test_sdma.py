from __future__ import annotations

import errno
from itertools import pairwise

from fencepost import sync
from fencepost.events import kinds
from fencepost.events.ring import new_ring
from fencepost.hw.mapping import Sdma
from fencepost.sync.virtual import VirtualWorld
from tests.fences.refusal import refused
from tests.hw.mapping.machine import at, now_ms


def test_updates_are_done_one_after_the_other(any_world: sync.World) -> None:
    sdma = Sdma("gpu0")
    updates = [sdma.submit("client", 1000, maps=maps) for maps in (True, False, True)]
    assert [update.maps for update in updates] == [True, False, True]
    assert updates[-1].fence.wait()
    times_ns = [update.fence.timestamp_ns for update in updates]
    assert all(later - earlier >= 1000 for earlier, later in pairwise(times_ns))
    assert all(update.fence.error == 0 for update in updates)
    assert any_world.now_ns() >= times_ns[-1]


def test_there_is_room_for_so_many(virtual: VirtualWorld) -> None:
    sdma = Sdma("gpu0", slots=2)
    first, _second = (sdma.submit("client", 1000, maps=True) for _ in range(2))
    with refused(errno.ENOMEM, "gpu0", "2 slots"):
        sdma.submit("client", 1000, maps=True)
    reserved = sdma.submit("client", 1000, maps=False, reserve=True)
    assert first.fence.wait()
    assert virtual.now_ns() == 1000
    with refused(errno.ENOMEM):
        sdma.submit("client", 1000, maps=True)
    assert reserved.fence.wait()
    sdma.submit("client", 1000, maps=True)


def test_one_that_hangs_does_nothing_until_it_is_reset(virtual: VirtualWorld) -> None:  # noqa: ARG001
    sdma = Sdma("gpu0")
    before = sdma.submit("client", 1_000_000, maps=True)
    sdma.hang()
    hung, behind = (sdma.submit("client", 1_000_000, maps=True) for _ in range(2))
    at(50, sdma.reset)
    assert hung.fence.wait()
    assert now_ms() == 50
    assert [update.fence.error for update in (before, hung, behind)] == [0, -errno.EIO, -errno.ECANCELED]
    after = sdma.submit("client", 1_000_000, maps=True)
    assert after.fence.wait()
    assert (after.fence.error, now_ms()) == (0, 51)


def test_the_reset_of_an_idle_one_loses_nothing(any_world: sync.World) -> None:  # noqa: ARG001
    sdma = Sdma("gpu0")
    done = sdma.submit("client", 0, maps=True)
    assert done.fence.wait()
    sdma.reset()
    assert done.fence.error == 0
    assert sdma.submit("client", 0, maps=True).fence.wait()


def test_an_update_can_be_taken_back(virtual: VirtualWorld) -> None:  # noqa: ARG001
    sdma = Sdma("gpu0")
    running, waiting, last = (sdma.submit("client", 1_000_000, maps=True) for _ in range(3))
    sdma.cancel(waiting)
    sdma.cancel(running)
    assert (running.fence.error, waiting.fence.error) == (-errno.ECANCELED, -errno.ECANCELED)
    assert last.fence.wait()
    assert (last.fence.error, now_ms()) == (0, 1)
    sdma.cancel(last)
    assert last.fence.error == 0


def test_what_it_does_is_recorded(virtual: VirtualWorld) -> None:  # noqa: ARG001
    ring = new_ring(16)
    assert ring is not None
    sdma = Sdma("gpu0", events=ring)
    assert sdma.submit("client", 1000, maps=True).fence.wait()
    ((_, _, engine, client, *_),) = ring.of(kinds.BATCH)
    assert (engine, client) == ("gpu0", "client")
    assert repr(sdma) == "<gpu0>"
