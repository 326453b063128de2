"""How long it takes from a signal until who sleeps for it runs again, for fences and for what else there is."""

from __future__ import annotations

import asyncio
import concurrent.futures
import statistics
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from fencepost.fences import Fence

__all__ = ["WAKES", "latency_us"]

SAMPLES: Final = 300

ASLEEP_S: Final = 0.0002
"""How long the signaller lets the sleeper fall asleep."""

Signal = Callable[[Any], object]
Sleeper = Callable[[list[Any], Signal, Signal], None]
"""Sleeps for one thing after the other; calls back before each sleep and after it, with the thing."""


def sleeper(wait: Callable[[Any], object]) -> Sleeper:
    """Return a thread that sleeps by calling `wait`."""

    def sleep(things: list[Any], begin: Signal, woken: Signal) -> None:
        for thing in things:
            begin(thing)
            wait(thing)
            woken(thing)

    return sleep


def sleeping_task(things: list[Awaitable[object]], begin: Signal, woken: Signal) -> None:
    """Be a loop of asyncio with a task that awaits them."""

    async def sleep() -> None:
        for thing in things:
            begin(thing)
            await thing
            woken(thing)

    asyncio.run(sleep())


class LoopFuture(Awaitable[None]):
    """A future of asyncio that another thread sets, as the manual says."""

    def __await__(self) -> Any:  # noqa: ANN401 - what futures have
        self.loop = asyncio.get_running_loop()
        self.future = self.loop.create_future()
        return self.future.__await__()

    def set(self) -> None:
        """Set it from any thread."""
        self.loop.call_soon_threadsafe(self.future.set_result, None)


def latency_us(make: Callable[[], object], signal: Signal, sleep: Sleeper) -> float:
    """Return the median time from just before the signal until the sleeper runs."""
    things = [make() for _ in range(SAMPLES)]
    begun, done = threading.Semaphore(0), threading.Semaphore(0)
    woken_ns: list[int] = []

    def begin(_thing: object) -> None:
        begun.release()

    def woken(_thing: object) -> None:
        woken_ns.append(time.perf_counter_ns())
        done.release()

    thread = threading.Thread(target=sleep, args=(things, begin, woken))
    thread.start()
    signalled_ns: list[int] = []
    for thing in things:
        begun.acquire()
        time.sleep(ASLEEP_S)
        signalled_ns.append(time.perf_counter_ns())
        signal(thing)
        done.acquire()
    thread.join()
    return statistics.median(to - since for since, to in zip(signalled_ns, woken_ns, strict=True)) / 1000


def complete(future: concurrent.futures.Future[int]) -> None:
    """Give it a result."""
    future.set_result(0)


WAKES: Final[Mapping[str, tuple[Callable[[], object], Signal, Sleeper]]] = {
    "threading.Event": (threading.Event, threading.Event.set, sleeper(threading.Event.wait)),
    "Fence": (Fence, Fence.signal, sleeper(Fence.wait)),
    "concurrent.futures.Future": (concurrent.futures.Future, complete, sleeper(concurrent.futures.Future[int].result)),
    "Fence.to_future()": (Fence, Fence.signal, sleeper(lambda fence: fence.to_future().result())),
    "asyncio.Future, call_soon_threadsafe": (LoopFuture, LoopFuture.set, sleeping_task),
    "await Fence": (Fence, Fence.signal, sleeping_task),
}
