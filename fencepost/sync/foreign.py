"""What others wait with: tasks of asyncio, and futures of `concurrent.futures`.

Both wait on threads and wall-clock time, so they are for the native world. Nothing is started for them: a callback of
the source posts to the loop, or completes the future.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable
from typing import Any, Protocol

from fencepost.errors import WrongWorld
from fencepost.sync.native import NativeWorld
from fencepost.sync.world import ambient

__all__ = ["FutureOf", "Source", "awaiting"]


class Source(Protocol):
    """What can be waited for here. The callbacks get what has signalled: something with a status."""

    @property
    def status(self) -> int:
        """What comes out of a wait."""
        ...

    def add_callback(self, callback: Callable[[Any], object]) -> bool:
        """Have it called once; False when there is nothing to wait for any more."""
        ...

    def remove_callback(self, callback: Callable[[Any], object], *, wait: bool = True) -> bool:
        """Take it back; False when it has run or is about to."""
        ...


async def awaiting(source: Source) -> int:
    """Suspend until `source` signals; return its status.

    Raises WrongWorld outside of the native world, RuntimeError where no loop runs.
    """
    check_native(source)
    loop = asyncio.get_running_loop()
    signalled = loop.create_future()

    def post(_source: Source) -> None:
        try:
            loop.call_soon_threadsafe(resume, signalled)
        except RuntimeError:
            # A loop that was closed has no tasks left to resume.
            if not loop.is_closed():
                raise

    if source.add_callback(post):
        try:
            await signalled
        finally:
            source.remove_callback(post, wait=False)
    return source.status


def resume(signalled: asyncio.Future[None]) -> None:
    """Let the task go on, unless it was cancelled meanwhile. In the thread of the loop."""
    if not signalled.done():
        signalled.set_result(None)


class FutureOf(concurrent.futures.Future[int]):
    """Becomes the status of a source when that signals.

    Raises WrongWorld outside of the native world.
    """

    def __init__(self, source: Source) -> None:
        check_native(source)
        super().__init__()
        self._source = source
        if not source.add_callback(self._complete):
            self._complete(source)

    def cancel(self) -> bool:
        cancelled = super().cancel()
        # Of those who cancel, and the signal, exactly one tells those who wait: who has got the callback.
        if cancelled and self._source.remove_callback(self._complete, wait=False):
            self.set_running_or_notify_cancel()
        return cancelled

    def _complete(self, signalled: Source) -> None:
        if self.set_running_or_notify_cancel():
            self.set_result(signalled.status)


def check_native(source: Source) -> None:
    """Raise WrongWorld unless the calling thread is in the native world."""
    world = ambient.world
    if not isinstance(world, NativeWorld):
        raise WrongWorld(
            f"asyncio and futures cannot wait for {source!r} in a {world.name} world, whose time they do not know: use"
            " its wait()"
        )
