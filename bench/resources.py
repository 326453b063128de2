"""Cost of a job that needs ids of a pool, beside few others that wait and beside many: does a line cost by its length?

    python -m bench.resources [--rounds N]

Each job needs 3 of 128 event ids. As many as that allows run, and so many others wait for theirs. When one is done the
next has its turn, and another one comes. Measured is the grab by itself, and the same through the whole scheduler,
where each job is of another entity, in the workqueue dispatch. Also: how often the ids are asked for, for a job.
"""

from __future__ import annotations

import argparse
import errno
import time
from collections import deque
from functools import partial
from typing import Final

from bench.harness import header, interleave, pin, table
from bench.no_operation import NoOperation
from fencepost import Runtime
from fencepost.actors import Job
from fencepost.actors.resources import Resources
from fencepost.fences import Fence
from fencepost.policies.resources import Pool
from fencepost.sync import Mailbox

__all__ = ["LIMIT", "RUNNING", "WAITING", "grab_us", "scheduled"]

IDS: Final = 128
NEEDED: Final = 3
RUNNING: Final = IDS // NEEDED
WAITING: Final = (10, 100, 1000, 10_000)
JOBS: Final = 20_000
LIMIT: Final = 2.0
"""What a job may cost at most beside the most that wait, of what it costs beside the fewest."""


class Device(NoOperation):
    """Runs a job until it is told that it is complete; counts how often it is asked to prepare one."""

    def __init__(self, running: Mailbox[tuple[Job, Fence]]) -> None:
        self.asked = 0
        self._running = running
        self._resources = Resources()
        self._needs = {Pool("event ids", IDS): NEEDED}

    def prepare_job(self, job: Job) -> Fence | None:
        self.asked += 1
        got = self._resources.get(job, self._needs)
        return got if isinstance(got, Fence) else None

    def run_job(self, job: Job) -> Fence:
        fence = Fence()
        self._running.put((job, fence))
        return fence

    def cancel_job(self, job: Job) -> None:
        assert job.finished.parent is not None
        job.finished.parent.signal(-errno.ECANCELED)


def grab_us(waiting: int, jobs: int = JOBS) -> float:
    """Return what it costs, in us, to get in line, be handed the ids, and give them back, beside `waiting` others."""
    with Runtime(dispatch="workqueue", events=False) as runtime:
        entity = runtime.scheduler(NoOperation()).entity()
        resources, needs = Resources(), {Pool("event ids", IDS): NEEDED}
        line = deque(entity.job() for _ in range(RUNNING + waiting))
        for job in line:
            resources.get(job, needs)
        start = time.perf_counter()
        for _ in range(jobs):
            resources.release(line.popleft())
            resources.get(line[RUNNING - 1], needs)
            line.append(entity.job())
            resources.get(line[-1], needs)
        return (time.perf_counter() - start) / jobs * 1e6


def scheduled_us(waiting: int) -> float:
    """Return what a job costs through the whole scheduler, in us, beside `waiting` others."""
    return scheduled(waiting, JOBS)[0]


def scheduled(waiting: int, jobs: int) -> tuple[float, float]:
    """Return the same, and how often a job asks."""
    with Runtime(dispatch="workqueue") as runtime:
        running: Mailbox[tuple[Job, Fence]] = runtime.world.mailbox("running jobs")
        device = Device(running)
        scheduler = runtime.scheduler(device, credit_limit=IDS)
        for entity in [scheduler.entity() for _ in range(RUNNING + waiting)]:
            entity.submit()
        turn(running, RUNNING + waiting)
        before, start = device.asked, time.perf_counter()
        turn(running, jobs)
        return (time.perf_counter() - start) / jobs * 1e6, (device.asked - before) / jobs


def turn(running: Mailbox[tuple[Job, Fence]], jobs: int) -> None:
    """Complete so many jobs, oldest first; each entity submits another when its job is complete."""
    for _ in range(jobs):
        job, fence = running.get()
        entity = job.entity
        fence.signal()
        entity.submit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    pin()
    contenders = {f"{waiting} grab": partial(grab_us, waiting) for waiting in WAITING}
    contenders |= {f"{waiting} scheduled": partial(scheduled_us, waiting) for waiting in WAITING}
    results = interleave(contenders, rounds)
    rows = [
        [
            str(waiting),
            *(
                cell
                for what in ("grab", "scheduled")
                for spread, few in [(results[f"{waiting} {what}"], results[f"{WAITING[0]} {what}"])]
                for cell in (
                    f"{spread.median:.1f} [{spread.low:.1f}..{spread.high:.1f}]",
                    f"{spread.median / few.median:.2f}x",
                )
            ),
            f"{scheduled(waiting, JOBS)[1]:.2f}",
        ]
        for waiting in WAITING
    ]
    of_few = f"of {WAITING[0]}"
    columns = ["waiting jobs", "us a grab", of_few, "us a job, scheduled", of_few, "asked, a job"]
    table(header(f"{NEEDED} of {IDS} ids for a job, by how many wait", rounds), columns, rows)
    print(f"wanted for {WAITING[-1]}: at most {LIMIT}x")


if __name__ == "__main__":
    main()
