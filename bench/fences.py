"""What a fence costs, beside what else could be signalled once.

python -m bench.fences [--rounds N]
"""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import threading
import timeit
from functools import partial
from typing import Final

from bench.harness import header, interleave, pin, table
from fencepost.actors.future import Future as ActorFuture
from fencepost.fences import Fence

__all__ = ["cost_us"]

COUNT: Final = 50_000

LOOP: Final = asyncio.new_event_loop()


def nothing(_what: object) -> None:
    """Be a callback."""


NAMES: Final = {
    "ActorFuture": ActorFuture,
    "Event": threading.Event,
    "Fence": Fence,
    "Future": concurrent.futures.Future,
    "loop": LOOP,
    "nothing": nothing,
}

STATEMENTS: Final = {
    "Fence: create, signal": "Fence(1, 1).signal()",
    "threading.Event: create, set": "Event().set()",
    "concurrent.futures.Future: create, set": "Future().set_result(0)",
    "asyncio.Future: create, set": "loop.create_future().set_result(0)",
    "an actor's future: create, set": "ActorFuture().set(0)",
    "Fence: create, add a callback, signal": "it = Fence(1, 1); it.add_callback(nothing); it.signal()",
    "concurrent.futures.Future: create, add a callback, set": (
        "it = Future(); it.add_done_callback(nothing); it.set_result(0)"
    ),
}


def cost_us(statement: str) -> float:
    """Return what one execution costs, in us."""
    return timeit.timeit(statement, number=COUNT, globals=NAMES) / COUNT * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    pin()
    results = interleave({name: partial(cost_us, statement) for name, statement in STATEMENTS.items()}, rounds)
    first = results["Fence: create, signal"].median
    rows = [
        [name, f"{spread.median:.2f} [{spread.low:.2f}..{spread.high:.2f}]", f"{spread.median / first:.1f}x"]
        for name, spread in results.items()
    ]
    table(header("Fences", rounds), ["", "us", "of create, signal"], rows)
    LOOP.close()


if __name__ == "__main__":
    main()
