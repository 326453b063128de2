"""Handles and files of syncobjs: IGT's syncobj_basic, and what else may be exported and imported."""

from __future__ import annotations

import errno
import os
from functools import partial

import pytest

from fencepost import sync
from fencepost.fences import CreateFlags, ExportFlags, ImportFlags, SyncFile, SyncobjFile, SyncobjTable
from tests.fences.clients import BAD_FLAGS, BAD_HANDLE, LAST, POINT_EXPORT, POINT_IMPORT, POLL, Call, attach, state
from tests.fences.refusal import refused


@pytest.fixture(autouse=True)
def in_every_world(any_world: sync.World) -> None:
    """All of this is the same everywhere."""


@pytest.fixture
def table(in_every_world: None) -> SyncobjTable:  # noqa: ARG001 - inside of it
    return SyncobjTable("game")


def test_handles_count_from_1_and_are_not_used_again(table: SyncobjTable) -> None:
    assert [table.create() for _ in range(3)] == [1, 2, 3]
    table.destroy(3)
    assert table.create() == 4


def test_bad_destroy(table: SyncobjTable) -> None:
    with refused(errno.EINVAL, "game.destroy", str(BAD_HANDLE)):
        table.destroy(BAD_HANDLE)
    handle = table.create()
    table.destroy(handle)
    with refused(errno.EINVAL):
        table.destroy(handle)


def test_bad_create_flags(table: SyncobjTable) -> None:
    with refused(errno.EINVAL, "game.create", "flags 0xdeadbeef"):
        table.create(BAD_FLAGS)
    assert table.create() == 1


def test_bad_handle_to_fd(table: SyncobjTable) -> None:
    with refused(errno.EINVAL, "game.handle_to_fd", str(BAD_HANDLE)):
        table.handle_to_fd(BAD_HANDLE)


@pytest.mark.parametrize("fd", [-1, 0, None, object()])
def test_bad_fd_to_handle(table: SyncobjTable, fd: object) -> None:
    for flags in (0, ImportFlags.SYNC_FILE):
        with refused(errno.EINVAL, "game.fd_to_handle", "expected an open"):
            table.fd_to_handle(fd, flags, handle=table.create())


def test_bad_flags_handle_to_fd(table: SyncobjTable) -> None:
    with refused(errno.EINVAL, "flags 0xdeadbeef"):
        table.handle_to_fd(table.create(), BAD_FLAGS)


def test_bad_flags_fd_to_handle(table: SyncobjTable) -> None:
    with table.handle_to_fd(table.create()) as file, refused(errno.EINVAL, "flags 0xdeadbeef"):
        table.fd_to_handle(file, BAD_FLAGS)


def test_bad_pad_handle_to_fd(table: SyncobjTable) -> None:
    with refused(errno.EINVAL, "pad 0x1"):
        table.handle_to_fd(table.create(), pad=1)


def test_bad_pad_fd_to_handle(table: SyncobjTable) -> None:
    with table.handle_to_fd(table.create()) as file, refused(errno.EINVAL, "pad 0x1"):
        table.fd_to_handle(file, pad=1)


def test_illegal_fd_to_handle(table: SyncobjTable) -> None:
    handle = table.create(CreateFlags.SIGNALED)
    with open(os.devnull) as other, refused(errno.EINVAL, os.devnull):  # noqa: PTH123
        table.fd_to_handle(other)
    with table.handle_to_fd(handle, ExportFlags.SYNC_FILE) as fence, refused(errno.EINVAL, "of a syncobj"):
        table.fd_to_handle(fence)
    with table.handle_to_fd(handle) as file, refused(errno.EINVAL, "sync file"):
        table.fd_to_handle(file, ImportFlags.SYNC_FILE, handle=handle)
    for flags in (0, ImportFlags.SYNC_FILE):
        with refused(errno.EINVAL, "open"):
            table.fd_to_handle(fence if flags else file, flags, handle=handle)


def test_bad_destroy_pad(table: SyncobjTable) -> None:
    handle = table.create()
    with refused(errno.EINVAL, "pad 0x1"):
        table.destroy(handle, pad=1)
    table.destroy(handle)


def test_create_signaled(table: SyncobjTable) -> None:
    assert table.wait([table.create(CreateFlags.SIGNALED)], POLL) == 0


def test_valid_cycle(table: SyncobjTable) -> None:
    handle = table.create()
    with table.handle_to_fd(handle) as file:
        other = table.fd_to_handle(file)
        assert table.fd_to_handle(file) not in (handle, other)
    assert other != handle
    table.signal([handle])
    assert table.wait([other], POLL) == 0


# Export and import.


def test_a_file_keeps_the_syncobj_and_brings_it_to_another_client(table: SyncobjTable) -> None:
    compositor = SyncobjTable("compositor")
    handle = table.create()
    file = table.handle_to_fd(handle)
    assert isinstance(file, SyncobjFile)
    assert not os.get_inheritable(file.fileno())
    assert "syncobj 1 of game" in repr(file)
    table.destroy(handle)
    imported = compositor.fd_to_handle(file)
    file.close()
    assert repr(file).endswith("closed>")
    fence = attach(compositor, imported)
    fence.signal()
    assert compositor.wait([imported], POLL) == 0


def test_a_sync_file_has_the_fence_of_that_moment(table: SyncobjTable) -> None:
    handle, other = table.create(), table.create()
    fence = attach(table, handle)
    file = table.handle_to_fd(handle, ExportFlags.SYNC_FILE)
    assert isinstance(file, SyncFile)
    table.reset([handle])
    table.signal([handle])
    assert file.fence is fence
    table.fd_to_handle(file, ImportFlags.SYNC_FILE, handle=other)
    file.close()
    fence.signal()
    assert table.wait([other], POLL) == 0


def test_a_point_is_exported_and_imported_at_another(table: SyncobjTable) -> None:
    handle, other = table.create(), table.create()
    fences = [attach(table, handle, point) for point in (1, 2)]
    with table.handle_to_fd(handle, POINT_EXPORT, point=2) as file:
        assert isinstance(file, SyncFile)
        assert table.fd_to_handle(file, POINT_IMPORT, handle=other, point=5) == other
    assert table.query([other], LAST) == [5]
    fences[0].signal()
    assert table.query([handle, other]) == [1, 0]
    fences[1].signal()
    assert table.query([handle, other]) == [2, 5]


def refusals_of_files(table: SyncobjTable) -> list[tuple[int, Call]]:
    handle, empty = table.create(CreateFlags.SIGNALED), table.create()
    file, fence = table.handle_to_fd(handle), table.handle_to_fd(handle, ExportFlags.SYNC_FILE)
    file_out, file_in = partial(table.handle_to_fd, handle), partial(table.fd_to_handle, file)
    fence_out, fence_in = table.handle_to_fd, partial(table.fd_to_handle, fence)
    out, into = ExportFlags.SYNC_FILE, ImportFlags.SYNC_FILE

    def close() -> None:
        file.close()
        fence.close()

    return [
        (errno.EINVAL, partial(file_out, point=1)),
        (errno.EINVAL, partial(file_out, ExportFlags.TIMELINE, point=1)),
        (errno.EINVAL, partial(file_in, point=1)),
        (errno.EINVAL, partial(file_in, ImportFlags.TIMELINE, point=1)),
        (errno.ENOENT, partial(fence_out, BAD_HANDLE, out)),
        (errno.ENOENT, partial(fence_out, BAD_HANDLE, POINT_EXPORT, point=1)),
        (errno.EINVAL, partial(fence_out, empty, out)),
        (errno.EINVAL, partial(fence_out, handle, POINT_EXPORT, point=1)),
        (errno.EINVAL, partial(fence_out, handle, POINT_EXPORT, point=-1)),
        (errno.EINVAL, partial(fence_out, handle, out, pad=1)),
        (errno.ENOENT, partial(fence_in, into, handle=BAD_HANDLE)),
        (errno.EINVAL, partial(fence_in, into, handle=handle, point=1)),
        (errno.EINVAL, partial(fence_in, POINT_IMPORT, handle=handle, point=1 << 64)),
        (errno.EINVAL, partial(fence_in, into, handle=handle, pad=1)),
        (0, close),
    ]


def test_refused_files(table: SyncobjTable) -> None:
    *refusals, (_, close) = refusals_of_files(table)
    before = state(table, 1, 2)
    for number, call in refusals:
        with refused(number, "game."):
            call()
    close()
    assert state(table, 1, 2) == before
    assert table.create() == 3
