"""What using control groups costs whoever uses them: a write, a move, a look.

    python -m bench.cgroup_files [--rounds N]

Each client has an entity with a job on its way, under the controller hweight, on real threads. Measured in the caller,
from the call to its return; what the controller's actor does behind that runs on the same core, and is in the worst.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import statistics
import time
from collections.abc import Callable
from typing import Final

from bench.harness import header, pin, table
from fencepost import Runtime
from fencepost.hw import MockBackend

__all__ = ["costs_us"]

SCALES: Final = ((10, 100), (1_000, 10_000))
CALLS: Final = 1_000
WRITE_LIMIT_US: Final = 1_000.0


def costs_us(groups: int, clients: int) -> dict[str, list[float]]:
    """Return the cost of each call, by what was called, in a tree of so many groups with so many clients in all."""
    with Runtime(dispatch="workqueue", events=False, controller="hweight") as runtime:
        scheduler = runtime.scheduler(MockBackend(), name="rcs0")
        cgroups = runtime.cgroups
        card = cgroups.card("card0", [scheduler], driver="i915")
        tree = [cgroups.root.mkdir(f"group{index}") for index in range(groups)]
        there = [card.open(f"client{index}") for index in range(clients)]
        for index, client in enumerate(there):
            tree[index % groups].attach(client)
            client.entity([scheduler]).submit()
        gc.collect()
        numbers = itertools.count()
        calls: dict[str, Callable[[int], object]] = {
            "write drm.weight": lambda index: tree[index % groups].write("drm.weight", str(1 + index % 10_000)),
            "write drm.max": lambda index: tree[index % groups].write("drm.max", f"{1_000 + index % 90_000}"),
            "attach": lambda index: tree[(index + 1 + index // clients) % groups].attach(there[index % clients]),
            "read drm.stat": lambda index: tree[index % groups].read("drm.stat"),
            "fdinfo": lambda index: there[index % clients].fdinfo(),
            "mkdir, rmdir": lambda _index: cgroups.root.mkdir(f"passing{next(numbers)}").rmdir(),
        }
        return {name: [cost_us(call, index) for index in range(CALLS)] for name, call in calls.items()}


def cost_us(call: Callable[[int], object], index: int) -> float:
    start = time.perf_counter()
    call(index)
    return (time.perf_counter() - start) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    pin()
    rows: list[list[str]] = []
    for groups, clients in SCALES:
        results = [costs_us(groups, clients) for _ in range(rounds)]
        for name in results[0]:
            costs = sorted(cost for result in results for cost in result[name])
            share = sum(cost <= WRITE_LIMIT_US for cost in costs) / len(costs)
            p99 = costs[len(costs) * 99 // 100]
            rows.append(
                [f"{groups:,} / {clients:,}", name, f"{statistics.median(costs):.1f}", f"{p99:.1f}", f"{share:.1%}"]
            )
    columns = ["groups / clients", "call", "median us", "p99 us", f"within {WRITE_LIMIT_US:.0f} us"]
    table(header("Control groups: what a call costs", rounds), columns, rows)


if __name__ == "__main__":
    main()
