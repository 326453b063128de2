"""Cost of a job with many entities beside few: does anything grow with their number?

    python -m bench.entities [--rounds N]

Jobs that take no time go round all entities, each entity with one job under way, in the workqueue dispatch under the
fair policy. The entities stand before the clock starts. Also: what starting, keeping and stopping an entity costs.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections import deque
from functools import partial
from typing import Final

from bench.harness import header, interleave, pin, table
from bench.no_operation import NoOperation
from bench.pipeline import CREDIT_LIMIT
from fencepost import Runtime
from fencepost.fences import Fence

__all__ = ["job_cost_us"]

COUNTS: Final = (10, 100, 1000, 10_000)
JOBS: Final = 20_000
WINDOW: Final = 64


def job_cost_us(count: int) -> float:
    """Return what a job costs, in us, when `count` entities submit in turn."""
    with Runtime(dispatch="workqueue") as runtime:
        scheduler = runtime.scheduler(NoOperation(), credit_limit=CREDIT_LIMIT)
        entities = [scheduler.entity() for _ in range(count)]
        for entity in entities:
            entity.submit().finished.wait()
        under_way: deque[Fence] = deque()
        start = time.perf_counter()
        for _ in range(JOBS // count):
            for entity in entities:
                under_way.append(entity.submit().finished)
                if len(under_way) >= WINDOW:
                    under_way.popleft().wait()
        for fence in under_way:
            fence.wait()
        return (time.perf_counter() - start) / (JOBS // count * count) * 1e6


def start_and_stop_us(count: int) -> tuple[float, float, float]:
    """Return what an entity costs: us to start, us to stop, bytes to keep."""
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    runtime = Runtime(dispatch="workqueue")
    with runtime:
        scheduler = runtime.scheduler(NoOperation())
        start = time.perf_counter()
        entities = [scheduler.entity() for _ in range(count)]
        entities[-1].submit().finished.wait()
        started = time.perf_counter()
        kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
        stop = time.perf_counter()
    return (started - start) / count * 1e6, (time.perf_counter() - stop) / count * 1e6, kib * 1024 / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    pin()
    up_us, down_us, size = start_and_stop_us(COUNTS[-1])
    results = interleave({str(count): partial(job_cost_us, count) for count in COUNTS}, rounds)
    few = results[str(COUNTS[0])].median
    rows = [
        [name, f"{spread.median:.1f} [{spread.low:.1f}..{spread.high:.1f}]", f"{spread.median / few:.2f}x"]
        for name, spread in results.items()
    ]
    table(header("Cost of a job by number of entities", rounds), ["entities", "us a job", f"of {COUNTS[0]}"], rows)
    print(f"{COUNTS[-1]} entities: {up_us:.0f} us to start, {down_us:.0f} us to stop, {size / 1000:.1f} kB each")


if __name__ == "__main__":
    main()
