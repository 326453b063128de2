"""What sync files merge, tell and refuse: spec/dma_fence.md 3.5."""

from __future__ import annotations

import errno
import select
import sys
from collections.abc import Callable

import pytest

from fencepost import sync
from fencepost.errors import WrongContext
from fencepost.fences import Fence, FenceArray, FenceChain, SyncFile, Timeline, get_stub, long_running_context
from fencepost.fences.sync_file import FenceInfo, SyncFileInfo
from tests.fences.kit import LONG_S

pytestmark = pytest.mark.usefixtures("any_world")


def busy(file: SyncFile) -> bool:
    return not select.select([file], [], [], 0)[0]


def test_it_can_be_waited_for_in_every_world(any_world: sync.World) -> None:
    fence = Fence()
    with SyncFile(fence) as file:
        assert not file.wait(0)
        sleeper = any_world.spawn(lambda: file.wait(LONG_S), name="sleeper")
        fence.signal()
        assert sleeper.join(LONG_S)
        assert sleeper.result
        assert file.wait(0)


def test_a_callback_may_not_wait_for_it() -> None:
    fence, refused = Fence(), list[type]()

    def wait(_fence: Fence) -> None:
        with pytest.raises(WrongContext), SyncFile(Fence()) as file:
            file.wait()
        refused.append(WrongContext)

    fence.add_callback(wait)
    fence.signal()
    assert refused == [WrongContext]


def test_a_merged_one_is_independent_of_its_inputs() -> None:
    one, other = Fence(1, 1), Fence(2, 1)
    with SyncFile(one, "one") as file, SyncFile(other, "other") as second:
        merged = file.merge(second, "both")
    assert merged.name == "both"
    assert busy(merged)
    one.signal()
    assert busy(merged)
    other.signal()
    assert not busy(merged)
    merged.close()


def test_a_deadline_reaches_the_fence() -> None:
    timeline = Timeline()
    fence = timeline.fence(1)
    with SyncFile(fence) as file:
        file.set_deadline(5)
        assert timeline.deadline_ns(fence) == 5
        timeline.advance()
        file.set_deadline(3)
        assert timeline.deadline_ns(fence) == 5


# What it tells.


def test_it_tells_of_each_fence() -> None:
    done, failed, pending = Fence(1, 1, name="gfx"), Fence(2, 1, name="copy"), Fence(3, 1)
    done.signal(timestamp_ns=7)
    failed.signal(-errno.EIO, timestamp_ns=8)
    array = FenceArray([done, failed, pending])
    with SyncFile(array, "frame") as file:
        fences = (
            FenceInfo("Fence", "gfx", 1, 7),
            FenceInfo("Fence", "copy", -errno.EIO, 8),
            FenceInfo("Fence", "context 3", 0, 0),
        )
        assert file.info() == SyncFileInfo("frame", -errno.EIO, 3, fences)
        assert file.info(3) == file.info(10) == file.info()


def test_room_for_none_asks_for_the_number_and_the_status_of_the_whole() -> None:
    failed, pending = Fence(1, 1), Fence(2, 1)
    failed.signal(-errno.EIO)
    with SyncFile(FenceArray([failed, pending]), "frame") as file:
        assert file.info(0) == SyncFileInfo("frame", 0, 2, ())
        assert file.info().status == -errno.EIO


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ((1, 1), 1),
        ((1, 0), 0),
        ((0, -errno.EIO), 0),
        ((-errno.EIO, 0), -errno.EIO),
        ((1, -errno.ETIME, -errno.EIO), -errno.ETIME),
    ],
)
def test_the_first_that_is_pending_or_failed_decides(statuses: tuple[int, ...], status: int) -> None:
    fences = [Fence(context, 1) for context in range(1, len(statuses) + 1)]
    for fence, own in zip(fences, statuses, strict=True):
        if own:
            fence.signal(min(own, 0))
    with SyncFile(FenceArray(fences)) as file:
        assert file.info().status == status


def test_of_a_chain_it_tells_the_head_first() -> None:
    first, second = Fence(1, 1, name="first"), Fence(2, 1, name="second")
    with SyncFile(FenceChain(second, 2, FenceChain(first, 1))) as file:
        assert [info.timeline for info in file.info().fences] == ["second", "first"]


# What it refuses.


def test_one_that_is_closed_refuses_everything() -> None:
    with SyncFile(Fence(1, 1, name="gfx"), "frame") as file, SyncFile(get_stub()) as other:
        pass
    calls: list[Callable[[], object]] = [
        file.fileno,
        file.wait,
        file.info,
        lambda: file.merge(other),
        lambda: file.set_deadline(1),
    ]
    for call in calls:
        with pytest.raises(OSError, match="<SyncFile frame of <Fence gfx:1 pending>> is closed") as refused:
            call()
        assert refused.value.errno == errno.EBADF


@pytest.mark.parametrize("any_world", ["native", "virtual"], indirect=True)
def test_a_long_running_fence_is_warned_of() -> None:
    endless = Fence(long_running_context(), 1, name="endless")
    with pytest.warns(RuntimeWarning, match=r"<Fence endless:1 pending> is long-running .*<SyncFile frame of"):
        SyncFile(endless, "frame")


def test_only_open_sync_files_are_merged() -> None:
    closed = SyncFile(get_stub(), "old")
    closed.close()
    with SyncFile(Fence(1, 1, name="gfx"), "frame") as file:
        for wrong in (closed, -1, 0, sys.stdout, None):
            with pytest.raises(FileNotFoundError, match=r"<SyncFile frame .* cannot be merged with .*expected an open"):
                file.merge(wrong)


def test_numbers_that_make_no_sense_are_invalid() -> None:
    with SyncFile(FenceArray([Fence(1, 1), Fence(2, 1)]), "frame") as file:
        calls: list[tuple[Callable[[], object], str]] = [
            (lambda: file.info(1), "stands for 2 fences, found room for 1"),
            (lambda: file.info(-1), "found room for -1"),
            (lambda: file.wait(-1), "waited for during -1 s, expected 0 or more"),
            (lambda: file.wait(float("nan")), "waited for during nan s"),
            (lambda: file.set_deadline(-1), "a deadline at -1 ns, expected 0 or more"),
        ]
        for call, said in calls:
            with pytest.raises(OSError, match=f"<SyncFile frame .*{said}") as refused:
                call()
            assert refused.value.errno == errno.EINVAL
