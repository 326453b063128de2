"""Eventfds that hear of points."""

from __future__ import annotations

import errno
import gc
import os
import selectors
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fencepost import sync
from fencepost.fences import Fence, Syncobj, SyncobjTable, WaitFlags, register_eventfd
from fencepost.fences.syncobj_arguments import MAX_POINT
from tests.fences.refusal import refused

FULL = (1 << 64) - 2


class EventFd:
    """An eventfd as a file."""

    def __init__(self) -> None:
        self.number = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def fileno(self) -> int:
        return self.number

    def count(self) -> int:
        """Return how often it was notified since the last time."""
        try:
            return os.eventfd_read(self.number)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        os.close(self.number)


@pytest.fixture(autouse=True)
def in_every_world(any_world: sync.World) -> None:
    """All of this is the same everywhere."""


def open_descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


@pytest.fixture(autouse=True)
def no_descriptor_is_left(in_every_world: None) -> Iterator[None]:  # noqa: ARG001 - inside of it
    before = open_descriptors()
    yield
    if open_descriptors() != before:
        # Some of somebody else may go with this.
        gc.collect()
    assert open_descriptors() <= before


@pytest.fixture
def eventfd(no_descriptor_is_left: None) -> Iterator[EventFd]:  # noqa: ARG001 - inside of it
    file = EventFd()
    yield file
    file.close()


def test_it_hears_of_the_signal_once(eventfd: EventFd) -> None:
    syncobj, fence = Syncobj(), Fence()
    syncobj.replace(fence)
    register_eventfd(syncobj, eventfd)
    assert eventfd.count() == 0
    fence.signal(-errno.EIO)
    syncobj.signal()
    assert eventfd.count() == 1


def test_it_hears_at_once_of_what_is_complete(eventfd: EventFd) -> None:
    syncobj = Syncobj()
    syncobj.signal()
    register_eventfd(syncobj, eventfd)
    register_eventfd(syncobj, eventfd.fileno())
    assert eventfd.count() == 2


def test_it_hears_of_a_point_so_long_complete_that_no_fence_is_left(eventfd: EventFd) -> None:
    syncobj, last = Syncobj(), Fence()
    syncobj.signal_point(1)
    syncobj.signal_point(2)
    syncobj.add_point(last, 3)
    assert syncobj.query() == 2
    register_eventfd(syncobj, eventfd, 1)
    assert eventfd.count() == 1


def test_it_may_be_there_before_the_point(eventfd: EventFd) -> None:
    syncobj, fences = Syncobj(), [Fence(), Fence()]
    register_eventfd(syncobj, eventfd, 2)
    syncobj.add_point(fences[0], 1)
    fences[0].signal()
    assert eventfd.count() == 0
    syncobj.add_point(fences[1], 4)
    assert eventfd.count() == 0
    syncobj.reset()
    fences[1].signal()
    assert eventfd.count() == 1


def test_it_may_hear_of_the_submission(eventfd: EventFd) -> None:
    syncobj = Syncobj()
    register_eventfd(syncobj, eventfd, 1, available=True)
    assert eventfd.count() == 0
    syncobj.add_point(Fence(), 1)
    assert eventfd.count() == 1
    register_eventfd(syncobj, eventfd, 1, available=True)
    assert eventfd.count() == 1


def test_of_a_syncobj_that_goes_it_hears_nothing(eventfd: EventFd) -> None:
    syncobj = Syncobj()
    register_eventfd(syncobj, eventfd)
    del syncobj
    gc.collect()
    assert eventfd.count() == 0


def test_what_its_owner_closes_is_notified_all_the_same() -> None:
    syncobj, fence, file = Syncobj(), Fence(), EventFd()
    syncobj.replace(fence)
    register_eventfd(syncobj, file)
    other = os.dup(file.fileno())
    file.close()
    fence.signal()
    assert os.eventfd_read(other) == 1
    os.close(other)


def test_one_that_is_full_does_not_block_the_signaller() -> None:
    syncobj, number = Syncobj(), os.eventfd(0, os.EFD_CLOEXEC)
    os.eventfd_write(number, FULL)
    syncobj.signal()
    register_eventfd(syncobj, number)
    assert os.eventfd_read(number) == FULL
    os.close(number)


def test_whatever_polls_descriptors_wakes_up(native: sync.World, eventfd: EventFd) -> None:
    syncobj, fence = Syncobj(), Fence()
    syncobj.add_point(fence, 7)
    register_eventfd(syncobj, eventfd, 7)
    task = native.spawn(fence.signal, name="device")
    with selectors.DefaultSelector() as selector:
        selector.register(eventfd, selectors.EVENT_READ)
        assert selector.select(20)
    assert task.join(20)


def test_other_files_are_refused() -> None:
    syncobj = Syncobj()
    read, write = os.pipe()
    with tempfile.TemporaryFile() as plain:
        for file in (plain, read, write):
            with refused(errno.EINVAL, "expected an eventfd"):
                register_eventfd(syncobj, file)
    for number in (read, write):
        os.close(number)
    for file in (plain, read, -1, -7):
        with refused(errno.EBADF, "no open file"):
            register_eventfd(syncobj, file)
    syncobj.signal()


@pytest.mark.parametrize("point", [-1, MAX_POINT + 1])
def test_a_point_has_64_bits(eventfd: EventFd, point: int) -> None:
    with refused(errno.EINVAL, f"point {point}"):
        register_eventfd(Syncobj(), eventfd, point)


def test_a_client_names_the_syncobj_by_its_handle(eventfd: EventFd) -> None:
    table = SyncobjTable("game")
    handle = table.create()
    with refused(errno.EINVAL, "game.eventfd", "flags 0x5"):
        table.eventfd(handle, eventfd, flags=WaitFlags.AVAILABLE | WaitFlags.ALL)
    with refused(errno.EINVAL, "pad 0x1"):
        table.eventfd(handle, eventfd, pad=1)
    with refused(errno.ENOENT, "handles 9"):
        table.eventfd(9, -1)
    with refused(errno.EBADF, f"handles {handle}"):
        table.eventfd(handle, -1)
    with tempfile.TemporaryFile() as plain, refused(errno.EINVAL, f"handles {handle}"):
        table.eventfd(handle, plain)
    table.eventfd(handle, eventfd, point=1)
    table.eventfd(handle, eventfd, point=1, flags=WaitFlags.AVAILABLE)
    table.timeline_signal([handle], [1])
    assert eventfd.count() == 2
    table.eventfd(handle, eventfd, point=2)
    table.destroy(handle)
    gc.collect()
    assert eventfd.count() == 0
