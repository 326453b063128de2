"""What a fence costs, beside what else could be signalled once.

python -m bench.fences [--rounds N]
"""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from bench.harness import header, interleave, pin, table
from fencepost.actors.future import Future as ActorFuture
from fencepost.fences import Fence

__all__ = ["cost_us"]

COUNT: Final = 50_000


def nothing(_what: object) -> None:
    """Be a callback."""


def fence() -> None:
    Fence(1, 1).signal()


def fence_with_callback() -> None:
    new = Fence(1, 1)
    new.add_callback(nothing)
    new.signal()


def event() -> None:
    threading.Event().set()


def future() -> None:
    concurrent.futures.Future[int]().set_result(0)


def future_with_callback() -> None:
    new = concurrent.futures.Future[int]()
    new.add_done_callback(nothing)
    new.set_result(0)


def actor_future() -> None:
    ActorFuture[int]().set(0)


LOOP: Final = asyncio.new_event_loop()


def asyncio_future() -> None:
    LOOP.create_future().set_result(0)


CONTENDERS: Final[dict[str, Callable[[], None]]] = {
    "Fence: create, signal": fence,
    "threading.Event: create, set": event,
    "concurrent.futures.Future: create, set": future,
    "asyncio.Future: create, set": asyncio_future,
    "Fence: create, add a callback, signal": fence_with_callback,
    "concurrent.futures.Future: create, add a callback, set": future_with_callback,
    "an actor's future: create, set": actor_future,
}


def cost_us(contender: Callable[[], None]) -> float:
    """Return what one call costs, in us."""
    start = time.perf_counter()
    for _ in range(COUNT):
        contender()
    return (time.perf_counter() - start) / COUNT * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    pin()
    results = interleave({name: partial(cost_us, contender) for name, contender in CONTENDERS.items()}, rounds)
    first = results["Fence: create, signal"].median
    rows = [
        [name, f"{spread.median:.2f} [{spread.low:.2f}..{spread.high:.2f}]", f"{spread.median / first:.1f}x"]
        for name, spread in results.items()
    ]
    table(header("Fences", rounds), ["", "us", "of create, signal"], rows)
    LOOP.close()


if __name__ == "__main__":
    main()
