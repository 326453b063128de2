"""Cost of a queue where each entity has a scheduler for itself: to start it, to keep it, to run its first job.

    python -m bench.queues [--rounds N]

A queue is a scheduler under the single-entity policy with a time-out, and an entity, in the workqueue dispatch, all in
one reset domain: over a mock device each, or over contexts of one GuC-like firmware. What it keeps is counted by
tracemalloc, in a run of its own that is not timed: before its first job, and after it.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from functools import partial
from typing import Final

from bench.harness import header, interleave, pin, table
from fencepost import Runtime
from fencepost.actors import Entity
from fencepost.hw import Guc, MockBackend

__all__ = ["kept_bytes", "start_ms"]

COUNTS: Final = (100, 1000)
KINDS: Final = ("mock", "guc")
TIMEOUT_S: Final = 60.0
START_LIMIT_MS: Final = 100.0
KEPT_LIMIT_KB: Final = 30.0


def make_queues(runtime: Runtime, kind: str, count: int) -> list[Entity]:
    """Make so many queues of one device."""
    if kind == "guc":
        device = Guc({"ccs": 4})
        return [device.queue(runtime, "ccs", timeout_s=TIMEOUT_S).entity for _ in range(count)]
    domain = runtime.reset_domain()
    return [
        runtime.scheduler(MockBackend(), policy="single", timeout_s=TIMEOUT_S, domain=domain).entity()
        for _ in range(count)
    ]


def run_one_each(entities: list[Entity]) -> None:
    """Run a job on each queue."""
    for job in [entity.submit(0) for entity in entities]:
        job.finished.wait()


def start_ms(kind: str, count: int, *, jobs: bool) -> float:
    """Return how long it takes to make so many queues, in ms; or with `jobs`, to run the first job of each."""
    with Runtime(dispatch="workqueue") as runtime:
        start = time.perf_counter()
        entities = make_queues(runtime, kind, count)
        made = time.perf_counter()
        run_one_each(entities)
        ran = time.perf_counter()
    return (ran - made if jobs else made - start) * 1e3


def kept_bytes(kind: str, count: int, *, jobs: bool) -> float:
    """Return what a queue keeps, in bytes, before its first job or after it."""
    with Runtime(dispatch="workqueue", events=False) as runtime:
        tracemalloc.start()
        try:
            entities = make_queues(runtime, kind, count)
            if jobs:
                run_one_each(entities)
            return tracemalloc.get_traced_memory()[0] / count
        finally:
            tracemalloc.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    pin()
    ways = [(kind, count) for count in COUNTS for kind in KINDS]
    contenders = {
        f"{kind} {count} {what}": partial(start_ms, kind, count, jobs=what == "first jobs")
        for kind, count in ways
        for what in ("started", "first jobs")
    }
    results = interleave(contenders, rounds)
    rows = [
        [
            f"{count} {kind}",
            *(
                f"{spread.median:.1f} [{spread.low:.1f}..{spread.high:.1f}]"
                for spread in (results[f"{kind} {count} started"], results[f"{kind} {count} first jobs"])
            ),
            *(f"{kept_bytes(kind, count, jobs=jobs) / 1000:.1f}" for jobs in (False, True)),
        ]
        for kind, count in ways
    ]
    columns = ["queues", "ms to start", "ms for a job on each", "kB each, new", "kB each, used"]
    table(header("Single-entity queues", rounds), columns, rows)
    print(f"wanted for {COUNTS[-1]}: {START_LIMIT_MS:.0f} ms to start, {KEPT_LIMIT_KB:.0f} kB each")


if __name__ == "__main__":
    main()
