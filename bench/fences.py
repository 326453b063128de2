"""What a fence costs beside what else could be signalled once, how fast it wakes, and what many of them cost.

python -m bench.fences [--rounds N]
"""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures
import threading
import timeit
from collections.abc import Mapping
from functools import partial
from typing import Final

from bench.harness import Spread, header, interleave, pin, table
from bench.scaling import SCALES, scale_us
from bench.waking import WAKES, latency_us
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


def beside(results: Mapping[str, Spread], first: str) -> list[list[str]]:
    """Make rows of results, each beside the first."""
    return [
        [
            name,
            f"{spread.median:.2f} [{spread.low:.2f}..{spread.high:.2f}]",
            f"{spread.median / results[first].median:.1f}x",
        ]
        for name, spread in results.items()
    ]


def creation(rounds: int) -> None:
    """Print what it costs to make and signal them."""
    results = interleave({name: partial(cost_us, statement) for name, statement in STATEMENTS.items()}, rounds)
    table(header("Fences", rounds), ["", "us", "of create, signal"], beside(results, "Fence: create, signal"))


def waking(rounds: int) -> None:
    """Print how long it takes to wake who sleeps."""
    results = interleave({name: partial(latency_us, *wake) for name, wake in WAKES.items()}, rounds)
    table(header("From the signal to who slept", rounds), ["", "us", "of Event"], beside(results, "threading.Event"))


def scaling(rounds: int) -> None:
    """Print what one of few costs, and one of many."""
    contenders = {
        f"{name}, {size}": partial(scale_us, work, size, many)
        for name, (work, few, many) in SCALES.items()
        for size in (few, many)
    }
    results = interleave(contenders, rounds)
    rows = [
        [
            name,
            *(f"{results[f'{name}, {size}'].median:.2f} of {size:,}" for size in (few, many)),
            f"{results[f'{name}, {many}'].median / results[f'{name}, {few}'].median:.2f}x",
        ]
        for name, (_, few, many) in SCALES.items()
    ]
    table(header("Each of few, and of many", rounds), ["", "us", "us", "ratio"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    pin()
    creation(rounds)
    waking(rounds)
    # One round takes as long as all of the others.
    scaling(min(rounds, 3))
    LOOP.close()


if __name__ == "__main__":
    main()
