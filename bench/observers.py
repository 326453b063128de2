"""What being observed costs: jobs a second of the pipeline, beside those of nobody looking.

    python -m bench.observers [--rounds N]

Each measurement has a process of its own: once a world was observed, the hooks of the fields stay, and "nobody" would
be slower than it is. First come happens-before by locks, mailboxes and fences, lock order, the wait-for graph and the
watchdog; then the tracked fields besides; then poison.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Final, Literal

from bench.harness import header, interleave, pin, table
from bench.pipeline import CHAINS, JOBS, WINDOWS, fencepost_runtime
from fencepost.checks.observers import Observers
from fencepost.sync import NativeWorld, World, tracking
from fencepost.sync.observed import ObservedWorld

__all__ = ["OBSERVED", "rate"]

DISPATCHES: Final[tuple[Literal["thread", "workqueue"], ...]] = ("thread", "workqueue")
RUNS: Final = 5
"""The best of so many in one process."""

STALL_LIMIT_S: Final = 20.0


def watched() -> World:
    """Make a world with all observers; nothing is poisoned."""
    world = ObservedWorld(Observers(stall_limit_s=STALL_LIMIT_S))
    world.poison = None
    return world


def without_fields() -> World:
    """Make one without the tracked fields; from then on there are none in this process."""
    declared = tracking._declared  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no user needs a switch for that
    declared[:] = [entry for entry in declared if entry[2] is tracking.publishing_hook]
    return watched()


def with_poison() -> World:
    """Make one in which what is freed is poisoned."""
    return ObservedWorld(Observers(stall_limit_s=STALL_LIMIT_S))


OBSERVED: Final[dict[str, Callable[[], World]]] = {
    "nobody": NativeWorld,
    "locks, mailboxes, fences": without_fields,
    "all": watched,
    "all, and the poison": with_poison,
}


def rate(observed: str, dispatch: Literal["thread", "workqueue"], window: int) -> float:
    """Return the jobs a second of one run, start and stop included."""
    world = OBSERVED[observed]()
    start = time.perf_counter()
    fencepost_runtime(CHAINS, JOBS, window, dispatch=dispatch, world=world)
    return CHAINS * JOBS / (time.perf_counter() - start)


def rate_apart(observed: str, dispatch: str, window: int) -> float:
    """Return the same, of the best of some runs in a process of their own."""
    command = [sys.executable, "-m", "bench.observers", "--only", observed, dispatch, str(window)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603 - ourselves


def compare(rounds: int) -> None:
    """Measure and print everything."""
    settings = [(dispatch, window) for dispatch in DISPATCHES for window in WINDOWS]
    rows = [[observed] for observed in OBSERVED]
    for dispatch, window in settings:
        spreads = interleave({each: partial(rate_apart, each, dispatch, window) for each in OBSERVED}, rounds)
        for row in rows:
            spread = spreads[row[0]]
            row += [f"{spread.median:,.0f}", f"{spreads['nobody'].median / spread.median:.2f}x"]
    columns = ["jobs a second", *(name for way in settings for name in (f"{way[0]}, window {way[1]}", "cost"))]
    table(header("Observers: the pipeline, and who looks", rounds), columns, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs=3, metavar=("OBSERVED", "DISPATCH", "WINDOW"), help="print one rate")
    options = parser.parse_args()
    pin()
    if options.only is None:
        compare(options.rounds)
    else:
        observed, dispatch, window = options.only
        print(max(rate(observed, dispatch, int(window)) for _ in range(RUNS)))


if __name__ == "__main__":
    main()
