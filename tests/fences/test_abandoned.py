"""Fences that nobody kept: spec/dma_fence.md 1.10, the release of a fence with pending callbacks."""

from __future__ import annotations

import errno
import gc
import sys
import warnings
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from fencepost import sync
from fencepost.fences import Fence

pytestmark = pytest.mark.usefixtures("any_world")

WARNING = r"<Fence gfx:3 pending> was dropped with 1 callbacks: keep a fence until it signals"


@contextmanager
def unraisable() -> Generator[list[BaseException | None]]:
    """Collect the exceptions of finalizers, which nobody can catch."""
    raised: list[BaseException | None] = []

    def note(report: sys.UnraisableHookArgs) -> None:
        raised.append(report.exc_value)

    before, sys.unraisablehook = sys.unraisablehook, note
    yield raised
    sys.unraisablehook = before


class Owner:
    """Keeps a fence that keeps it."""

    def __init__(self) -> None:
        self.fence = Fence(9, 3, name="gfx")
        self.heard: list[tuple[int, int, int]] = []
        self.fence.add_callback(self.hear)

    def hear(self, fence: Fence) -> None:
        self.heard.append((fence.context, fence.seqno, fence.status))


def test_a_pending_fence_that_nobody_keeps_warns_and_signals_an_error() -> None:
    heard: list[Fence] = []
    fence = Fence(9, 3, name="gfx")
    fence.add_callback(heard.append)
    with pytest.warns(RuntimeWarning, match=WARNING):
        del fence
    assert [(f.context, f.seqno, f.name, f.status) for f in heard] == [(9, 3, "gfx", -errno.EDEADLK)]


def test_what_depends_on_it_does_not_hang(any_world: sync.World) -> None:
    dropped, dependent = Fence(9, 3, name="gfx"), Fence()
    dropped.add_callback(lambda fence: dependent.signal(fence.error))
    sleeper = any_world.spawn(lambda: dependent.wait(20), name="sleeper")
    with pytest.warns(RuntimeWarning, match=WARNING):
        del dropped
    assert sleeper.join(20)
    assert dependent.error == -errno.EDEADLK


def test_a_fence_that_only_its_own_callback_keeps_is_found_by_the_collector() -> None:
    owner = Owner()
    heard = owner.heard
    gc.collect()
    assert heard == []
    del owner
    with pytest.warns(RuntimeWarning, match=WARNING):
        gc.collect()
    assert heard == [(9, 3, -errno.EDEADLK)]


def test_the_stand_in_needs_no_lock_that_others_have(any_world: sync.World) -> None:
    lock, heard = any_world.lock(), list[Fence]()
    fence = Fence(9, 3, name="gfx", lock=lock)
    fence.add_callback(heard.append)
    with lock, pytest.warns(RuntimeWarning, match=WARNING):
        del fence
    assert len(heard) == 1


def test_every_callback_is_called_although_one_raises() -> None:
    fence, heard = Fence(9, 3, name="gfx"), list[Fence]()

    def fail(_: Fence) -> None:
        raise LookupError

    fence.add_callback(fail)
    fence.add_callback(heard.append)
    with pytest.warns(RuntimeWarning, match="with 2 callbacks"), unraisable() as raised:
        del fence
    assert len(heard) == 1
    assert [type(error) for error in raised] == [LookupError]


def test_nothing_is_said_of_a_fence_without_callbacks() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Fence()
        fence = Fence()
        fence.set_error(-errno.EIO)
        assert not fence.wait(0)
        del fence


def test_nothing_is_said_of_a_fence_that_signalled() -> None:
    fence, heard = Fence(), list[Fence]()
    fence.add_callback(heard.append)
    fence.signal()
    del fence
    gc.collect()
    assert [f.status for f in heard] == [1]


def test_nothing_is_said_of_a_fence_whose_callbacks_were_removed() -> None:
    fence, heard = Fence(), list[Fence]()
    fence.add_callback(heard.append)
    fence.remove_callback(heard.append)
    del fence
    gc.collect()
    assert heard == []
