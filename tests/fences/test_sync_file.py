"""Sync files as descriptors: spec/dma_fence.md 3.5."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import select
import selectors
import sys
from collections.abc import Callable

import pytest

from fencepost import sync
from fencepost.actors import Runtime
from fencepost.checks import explore
from fencepost.fences import Fence, SyncFile, get_stub
from tests.fences.kit import LONG_S, Work

LONG_MS = 20_000

pytestmark = pytest.mark.usefixtures("any_world")


def events(file: SyncFile, timeout_ms: int = 0) -> int:
    """Poll for everything; return what there is, 0 for nothing."""
    poll = select.poll()
    poll.register(file, select.POLLIN | select.POLLPRI | select.POLLERR | select.POLLHUP)
    return dict(poll.poll(timeout_ms)).get(file.fileno(), 0)


# The descriptor.


@pytest.mark.parametrize("error", [0, -errno.EIO])
def test_it_is_readable_once_signalled_with_an_error_or_without(error: int) -> None:
    fence = Fence()
    with SyncFile(fence) as file:
        assert events(file) == 0
        fence.signal(error)
        assert events(file) == select.POLLIN
        assert file.status == (error or 1)


def test_one_of_a_fence_that_has_signalled_is_readable_at_once() -> None:
    with SyncFile(get_stub()) as file:
        assert events(file) == select.POLLIN


def test_it_stays_readable_whoever_reads_it() -> None:
    with SyncFile(get_stub()) as file:
        for _ in range(3):
            assert os.read(file.fileno(), 8)
            assert events(file) == select.POLLIN


def test_it_is_not_inherited_by_programs() -> None:
    with SyncFile(Fence()) as file:
        assert not os.get_inheritable(file.fileno())


class Counting(Fence):
    """Counts how many callbacks there are, and were added."""

    __slots__ = ("added", "callbacks")

    def __init__(self) -> None:
        super().__init__()
        self.added = self.callbacks = 0

    def add_callback(self, callback: Callable[[Fence], object]) -> bool:
        self.added += 1
        self.callbacks += 1
        return super().add_callback(callback)

    def remove_callback(self, callback: Callable[[Fence], object], *, wait: bool = True) -> bool:
        removed = super().remove_callback(callback, wait=wait)
        self.callbacks -= removed
        return removed


def test_all_who_ask_get_one_descriptor_and_the_fence_one_callback() -> None:
    fence = Counting()
    with SyncFile(fence) as file:
        assert fence.added == 0
        assert len({file.fileno() for _ in range(3)}) == 1
        assert fence.added == 1
    assert fence.callbacks == 0


def test_the_first_who_asks_has_the_fence_signal_without_being_polled() -> None:
    fence = Work(complete=True)
    with SyncFile(fence) as file:
        assert fence.enabled == 0
        assert events(file) == select.POLLIN
        assert fence.enabled == 1


def test_closing_takes_the_callback_back_and_closes_the_descriptor() -> None:
    fence = Fence()
    file = SyncFile(fence)
    number = file.fileno()
    file.close()
    file.close()
    assert file.closed
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)
    # With the callback left this would warn, and warnings are errors here.
    del fence, file
    gc.collect()


def test_a_signal_after_the_close_writes_to_nothing() -> None:
    fence = Fence()
    file = SyncFile(fence)
    number = file.fileno()
    file.close()
    read_end, write_end = os.pipe()
    # Whoever is next gets the number.
    assert number in (read_end, write_end)
    fence.signal()
    assert not select.select([read_end], [], [], 0)[0]
    os.close(read_end)
    os.close(write_end)


def test_a_callback_may_close_it_before_it_becomes_readable() -> None:
    fence = Fence()
    file = SyncFile(fence)
    fence.add_callback(lambda _fence: file.close())
    number = file.fileno()
    fence.signal()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_one_that_is_dropped_open_warns_and_its_descriptor_goes_at_the_signal() -> None:
    fence = Fence()
    file = SyncFile(fence, "lost")
    number = file.fileno()
    with pytest.warns(ResourceWarning, match=r"<SyncFile lost of <Fence .*> was dropped with its descriptor open"):
        del file
    os.fstat(number)
    fence.signal()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_one_that_was_never_polled_has_nothing_to_close() -> None:
    with pytest.raises(TypeError):
        SyncFile()  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    SyncFile(Fence())


def test_without_eventfd_it_is_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    fence = Fence()
    with SyncFile(fence) as file:
        assert events(file) == 0
        fence.signal()
        assert events(file) == select.POLLIN
        number = file.fileno()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


# Who polls.


@pytest.mark.parametrize("any_world", ["native", "observed"], indirect=True)
def test_select_selectors_and_poll_sleep_until_the_signal(any_world: sync.World) -> None:
    def by_select(file: SyncFile) -> object:
        return select.select([file], [], [], LONG_S)[0] == [file]

    def by_selector(file: SyncFile) -> object:
        with selectors.DefaultSelector() as selector:
            selector.register(file, selectors.EVENT_READ)
            return len(selector.select(LONG_S)) == 1

    def by_poll(file: SyncFile) -> object:
        return events(file, LONG_MS) == select.POLLIN

    fence = Fence()
    files = [SyncFile(fence) for _ in range(3)]
    pollers = [
        any_world.spawn(lambda file=file, poll=poll: poll(file), name=poll.__name__)  # type: ignore[misc]
        for file, poll in zip(files, (by_select, by_selector, by_poll), strict=True)
    ]
    assert not fence.wait(0.002)
    fence.signal()
    for file, poller in zip(files, pollers, strict=True):
        assert poller.join(LONG_S)
        assert poller.result
        file.close()


@pytest.mark.parametrize("any_world", ["native", "observed"], indirect=True)
def test_a_loop_of_asyncio_calls_its_reader(any_world: sync.World) -> None:
    async def read() -> int:
        fence = Fence()
        loop = asyncio.get_running_loop()
        readable = loop.create_future()
        with SyncFile(fence) as file:

            def note() -> None:
                loop.remove_reader(file)
                readable.set_result(file.status)

            loop.add_reader(file, note)
            any_world.spawn(lambda: fence.signal(-errno.ETIME), name="signaller")
            return int(await asyncio.wait_for(readable, LONG_S))

    assert asyncio.run(read()) == -errno.ETIME


def test_one_that_is_closed_while_its_descriptor_is_opened_has_none() -> None:
    class Closing(Counting):
        __slots__ = ("file",)

        file: SyncFile

        def add_callback(self, callback: Callable[[Fence], object]) -> bool:
            self.file.close()
            return super().add_callback(callback)

    fence = Closing()
    fence.file = SyncFile(fence, "frame")
    with pytest.raises(OSError, match=r"<SyncFile frame .*> is closed"):
        fence.file.fileno()
    assert fence.callbacks == 0


def test_closing_races_with_the_signal_and_with_who_polls_first(any_world: sync.World) -> None:
    def poll(file: SyncFile) -> None:
        try:
            assert file.fileno() >= 0
        except OSError as error:
            assert error.errno == errno.EBADF  # noqa: PT017 - closed first

    for _ in range(50):
        fence = Fence()
        file = SyncFile(fence)
        tasks = [
            any_world.spawn(lambda file=file: poll(file), name="poller"),  # type: ignore[misc]
            any_world.spawn(file.close, name="closer"),
            any_world.spawn(fence.signal, name="signaller"),
        ]
        assert all(task.join(LONG_S) for task in tasks)
    assert any_world.failures == []


def test_searched_closing_leaves_no_callback_behind() -> None:
    def model(rt: Runtime) -> None:
        fence = Counting()
        file = SyncFile(fence)

        def poll() -> None:
            try:
                file.fileno()
            except OSError:
                assert file.closed

        tasks = [rt.spawn(poll), rt.spawn(poll), rt.spawn(file.close)]
        for task in tasks:
            task.join()
        assert fence.callbacks == 0
        assert fence.added <= 1

    report = explore(model, schedules=400, fields={SyncFile: "_descriptor _closed"})
    assert not report.found, str(report)
