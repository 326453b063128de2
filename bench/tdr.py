"""How late time-outs are reported with ten thousand armed queues.

    python -m bench.tdr [--queues N] [--seconds S]

Each queue has a scheduler with a time-out and a job that never ends by itself. The deadlines are spread evenly over the
time. Measured from a job's deadline to the moment the timeout handler takes up its report, on real threads. In the
thread dispatch each scheduler would have a thread; so many queues call for the workqueue.
"""

from __future__ import annotations

import argparse
import gc
import logging
import random
import statistics
import time
from typing import Final

import structlog

from bench.harness import header, pin, table
from fencepost import Runtime
from fencepost.actors import Job, Recovery, Status
from fencepost.hw import MockBackend

__all__ = ["lateness_us"]

QUEUES: Final = 10_000
SECONDS: Final = 10.0
LEAD_S: Final = 20.0
SEED: Final = 1
MEDIAN_LIMIT_US: Final = 1000.0
P99_LIMIT_US: Final = 5000.0


class Patient(MockBackend):
    """Notes when it is asked, and ends the job.

    Attributes:
        asked_ns: when.
    """

    asked_ns = 0

    def timedout_job(self, job: Job, recovery: Recovery) -> Status:
        assert recovery.scheduler is not None
        if not self.asked_ns:
            self.asked_ns = time.monotonic_ns()
        return super().timedout_job(job, recovery)


def lateness_us(queues: int, seconds: float, lead_s: float = LEAD_S) -> list[float]:
    """Return how late each of so many time-outs was taken up whose deadlines are spread over so many seconds.

    The first is due when `lead_s` have gone by, and all queues must be armed until then.
    """
    places = list(range(queues))
    random.Random(SEED).shuffle(places)
    timeouts_s = [lead_s + seconds * place / queues for place in places]
    # Or collections of what was there before, and of what ten thousand queues keep, would be in the figures.
    freeze()
    with Runtime(dispatch="workqueue", events=False, log_leftovers=False) as runtime:
        begin_ns = time.monotonic_ns()
        domain = runtime.reset_domain()
        drivers = [Patient() for _ in places]
        jobs = [
            runtime.scheduler(driver, policy="single", timeout_s=timeout_s, domain=domain).entity().submit()
            for driver, timeout_s in zip(drivers, timeouts_s, strict=True)
        ]
        for job in jobs:
            job.scheduled.wait()
        freeze()
        if time.monotonic_ns() - begin_ns > lead_s * 1e9:
            raise SystemExit(f"{queues} queues could not be armed within {lead_s:.0f} s")
        for job in jobs:
            job.finished.wait()
    gc.unfreeze()
    # A job's time begins when it is handed over, which is what its `scheduled` fence bears.
    return [
        (driver.asked_ns - job.scheduled.timestamp_ns) / 1000 - timeout_s * 1e6
        for driver, job, timeout_s in zip(drivers, jobs, timeouts_s, strict=True)
    ]


def freeze() -> None:
    """Have collections look at nothing that is there now."""
    gc.collect()
    gc.freeze()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queues", type=int, default=QUEUES)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    pin()
    quiet()
    rows: list[list[str]] = []
    for _ in range(options.rounds):
        late = lateness_us(options.queues, options.seconds)
        cuts = statistics.quantiles(late, n=1000)
        figures = (min(late), statistics.median(late), cuts[989], cuts[998], max(late))
        rows.append([f"{figure:,.0f}" for figure in figures])
    columns = ["least us", "median us", "p99 us", "p99.9 us", "most us"]
    table(header(f"How late {options.queues} time-outs are reported", options.rounds), columns, rows)
    print(f"wanted: never early, median {MEDIAN_LIMIT_US:,.0f} us, p99 {P99_LIMIT_US:,.0f} us")


def quiet() -> None:
    """Have recoveries, of which there is one for each queue, not logged."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


if __name__ == "__main__":
    main()
