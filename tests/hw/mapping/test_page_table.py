from __future__ import annotations

import errno

import pytest

from fencepost import sync
from fencepost.errors import WrongState
from fencepost.fences import Fence
from fencepost.hw.execution import Execution, RingBuffer
from fencepost.hw.mapping import PageTable, Touch, Update
from tests.fences.refusal import refused

BUFFER = 7


def pushed(table: PageTable, *, maps: bool) -> Fence:
    """Have an update on its way; return its fence."""
    fence = Fence()
    execution = Execution(ring=RingBuffer(0), client="", finished=fence, fence=fence, left_ns=None, granularity_ns=0)
    table.push(BUFFER, Update(fence, maps, execution))
    return fence


def mapped(table: PageTable) -> None:
    pushed(table, maps=True).signal()
    table.flush()


@pytest.fixture
def table(any_world: sync.World) -> PageTable:  # noqa: ARG001 - where it is made
    return PageTable("process on gpu0")


def test_an_update_shows_when_its_fence_has_signalled(table: PageTable) -> None:
    fence = pushed(table, maps=True)
    assert (table.wanted(BUFFER), table.present(BUFFER), table.in_use(BUFFER)) == (True, False, True)
    update = table.last_update(BUFFER)
    assert update is not None
    assert update.fence is fence
    assert table.awaited(BUFFER, maps=True) is update
    with refused(errno.EINVAL, "not unmapped"):
        table.awaited(BUFFER, maps=False)
    fence.signal()
    assert (table.wanted(BUFFER), table.present(BUFFER), table.in_use(BUFFER)) == (True, True, True)
    assert table.last_update(BUFFER) is None


def test_an_update_that_fails_changes_nothing(table: PageTable) -> None:
    pushed(table, maps=True).signal(-errno.EIO)
    assert (table.wanted(BUFFER), table.present(BUFFER), table.lost(BUFFER)) == (False, False, True)
    with refused(errno.EIO, "buffer 7 is not mapped on process on gpu0"):
        table.awaited(BUFFER, maps=True)
    assert table.awaited(BUFFER, maps=False) is None
    mapped(table)
    pushed(table, maps=False).signal(-errno.EIO)
    assert (table.wanted(BUFFER), table.present(BUFFER), table.lost(BUFFER)) == (True, True, False)
    with refused(errno.EIO, "not unmapped"):
        table.awaited(BUFFER, maps=False)
    assert table.awaited(BUFFER, maps=True) is None
    pushed(table, maps=False).signal()
    assert (table.wanted(BUFFER), table.present(BUFFER)) == (False, False)
    with refused(errno.EINVAL, "not mapped"):
        table.awaited(BUFFER, maps=True)


def test_updates_take_effect_in_their_order(table: PageTable) -> None:
    fences = [pushed(table, maps=maps) for maps in (True, False, True)]
    for fence, present in zip(fences, (True, False, True), strict=True):
        assert table.wanted(BUFFER)
        fence.signal()
        assert table.present(BUFFER) == present


def test_it_is_usable_when_the_gpu_has_forgotten_what_it_knew_before(table: PageTable) -> None:
    fence = pushed(table, maps=True)
    table.flush()
    fence.signal()
    assert not table.usable(BUFFER)
    table.flush()
    assert table.usable(BUFFER)
    for maps in (False, True):
        pushed(table, maps=maps).signal()
        assert not table.usable(BUFFER)


def test_the_gpu_believes_what_it_has_looked_up(table: PageTable) -> None:
    assert table.touch(BUFFER) is Touch.FAULT
    pushed(table, maps=True).signal()
    assert table.touch(BUFFER) is Touch.FAULT
    table.flush()
    assert table.touch(BUFFER) is Touch.DONE
    pushed(table, maps=False).signal()
    assert table.touch(BUFFER) is Touch.STALE
    table.flush()
    assert table.touch(BUFFER) is Touch.FAULT


def test_who_has_not_looked_before_finds_it_without_a_flush(table: PageTable) -> None:
    pushed(table, maps=True).signal()
    assert table.touch(BUFFER) is Touch.DONE
    assert not table.usable(BUFFER)


def test_nothing_is_forgotten_that_the_gpu_can_get_to(table: PageTable) -> None:
    table.forget(BUFFER)
    fence = pushed(table, maps=True)
    with pytest.raises(WrongState, match="process on gpu0"):
        table.forget(BUFFER)
    fence.signal()
    with pytest.raises(WrongState):
        table.forget(BUFFER)
    assert table.touch(BUFFER) is Touch.DONE
    pushed(table, maps=False).signal()
    with pytest.raises(WrongState):
        table.forget(BUFFER)
    table.flush()
    table.forget(BUFFER)
    assert not table.in_use(BUFFER)


def test_an_entry_can_be_dropped_whatever_is_on_its_way(table: PageTable) -> None:
    mapped(table)
    assert table.touch(BUFFER) is Touch.DONE
    pushed(table, maps=False)
    table.drop(BUFFER)
    assert not table.in_use(BUFFER)
    assert table.touch(BUFFER) is Touch.FAULT
    assert repr(table) == "<page table of process on gpu0>"
