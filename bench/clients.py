"""The kernel's policy cases: two clients that want the same engine, and many alike; under rr, fifo and fair.

    python -m bench.clients

The cases of tests_scheduler.c (KUnit), in virtual time and therefore exact: the kernel prints these figures, here
they also have an expectation. Each client has a task; a cycle submits `jobs` jobs of `job_us`, waits for the last if
`sync`, and sleeps `wait_us`. Shares are of the GPU time until the first of the clients is done; latency is what a
cycle took beyond its own work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from bench.harness import table
from fencepost import Job, Priority, Runtime
from fencepost.actors import Entity
from fencepost.events.kinds import BATCH
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.sync import World, current

__all__ = ["MANY_CLIENTS", "TWO_CLIENTS", "Case", "Client", "Outcome", "run_case"]

DURATION_US: Final = 1_000_000
POLICIES: Final = ("rr", "fifo", "fair")


@dataclass(frozen=True, slots=True)
class Client:
    """What one client does in a cycle."""

    priority: Priority
    jobs: int
    job_us: int
    wait_us: int = 0
    sync: bool = False

    @property
    def work_us(self) -> int:
        """GPU time of a cycle."""
        return self.jobs * self.job_us

    def cycles(self, duration_us: float) -> int:
        """How many cycles fit into `duration_us` on an engine of its own."""
        return math.ceil(duration_us / (self.work_us + self.wait_us))


@dataclass(frozen=True, slots=True)
class Case:
    """Clients side by side. `shares` is what fair scheduling owes them while both have work, where it owes that."""

    name: str
    clients: tuple[Client, ...]
    duration_us: int = DURATION_US
    shares: tuple[float, ...] | None = None


HIGH, NORMAL, LOW = Priority.HIGH, Priority.NORMAL, Priority.LOW

TWO_CLIENTS: Final = (
    Case("normal and normal", (Client(NORMAL, 1, 8000), Client(NORMAL, 1, 8000)), shares=(0.5, 0.5)),
    Case("normal and low", (Client(NORMAL, 1, 8000), Client(LOW, 1, 8000)), shares=(8 / 9, 1 / 9)),
    Case("high and normal", (Client(HIGH, 1, 8000), Client(NORMAL, 1, 8000)), shares=(4 / 5, 1 / 5)),
    Case("high and low", (Client(HIGH, 1, 8000), Client(LOW, 1, 8000)), shares=(32 / 33, 1 / 33)),
    Case("50% and 50%", (Client(NORMAL, 1, 1500, 1500, sync=True), Client(NORMAL, 1, 2500, 2500, sync=True))),
    Case("50% and 50% low", (Client(NORMAL, 1, 1500, 1500, sync=True), Client(LOW, 1, 2500, 2500, sync=True))),
    Case("50% high and 50%", (Client(HIGH, 1, 1500, 1500, sync=True), Client(NORMAL, 1, 2500, 2500, sync=True))),
    Case("low hog and interactive", (Client(LOW, 3, 2500, 500), Client(NORMAL, 1, 500, 10000, sync=True))),
    Case("heavy and interactive", (Client(NORMAL, 3, 2500, 2500, sync=True), Client(NORMAL, 1, 1000, 9000, sync=True))),
    Case(
        "very heavy and interactive", (Client(NORMAL, 4, 50000, 1, sync=True), Client(NORMAL, 1, 1000, 9000, sync=True))
    ),
)

MANY_CLIENTS: Final = tuple(
    Case(f"{count} clients", (Client(NORMAL, jobs, 1000, sync=True),) * count, duration_us=DURATION_US // count)
    for count, jobs in ((2, 4), (3, 4), (7, 4), (13, 4), (31, 2))
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How one client fared.

    Attributes:
        share: of the GPU time until the first client was done.
        elapsed_us: until its last job was finished.
        latencies_us: of each cycle that waited for its jobs.
        cycle_ends_us: when each cycle was over.
    """

    share: float
    elapsed_us: float
    latencies_us: tuple[float, ...]
    cycle_ends_us: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How all clients of a case fared."""

    clients: tuple[Progress, ...]

    @property
    def cycle_spread(self) -> float:
        """How far the clients are apart, in cycles: the average of (most - fewest), each time somebody ends a cycle.

        Taken until the first client is done. 0 or a little more means that they go on side by side.
        """
        until_us = min(client.elapsed_us for client in self.clients)
        moments = sorted(end for client in self.clients for end in client.cycle_ends_us if end <= until_us)
        counts = [[sum(end <= moment for end in client.cycle_ends_us) for client in self.clients] for moment in moments]
        return sum(max(count) - min(count) for count in counts) / len(counts)


def run_case(case: Case, policy: str, credit_limit: int) -> Outcome:
    """Run a case in virtual time."""
    with Runtime(world="virtual", dispatch="workqueue", events=None) as runtime:
        scheduler = runtime.scheduler(MockBackend(), "rcs0", policy=policy, credit_limit=credit_limit)
        entities = [scheduler.entity(priority=each.priority, client=str(i)) for i, each in enumerate(case.clients)]
        tasks = [
            runtime.spawn(partial(go_round, client, entity, case.duration_us))
            for client, entity in zip(case.clients, entities, strict=True)
        ]
        for task in tasks:
            task.join()
    assert runtime.events is not None
    ends = [task.result for task in tasks]
    until_ns = min(end_us for end_us, _latencies, _ends in ends) * 1000
    busy = [0.0] * len(case.clients)
    for _time, _kind, _engine, client, _context, _seqno, start_ns, end_ns in runtime.events.of(BATCH):
        busy[int(client)] += max(0, min(end_ns, until_ns) - start_ns)
    total = sum(busy)
    return Outcome(tuple(Progress(busy[index] / total, *end) for index, end in enumerate(ends)))


def go_round(client: Client, entity: Entity, duration_us: int) -> tuple[float, tuple[float, ...], tuple[float, ...]]:
    """Be a client; return when the last job was finished, the latencies, and the ends of the cycles."""
    world: World = current()
    latencies: list[float] = []
    jobs: list[Job] = []
    last_of_cycle: list[Fence] = []
    for _ in range(client.cycles(duration_us)):
        start_ns = world.now_ns()
        jobs = [entity.submit(client.job_us) for _ in range(client.jobs)]
        last_of_cycle.append(jobs[-1].finished)
        if client.sync:
            jobs[-1].finished.wait()
            latencies.append((world.now_ns() - start_ns) / 1000 - client.work_us)
        if client.wait_us:
            world.sleep(client.wait_us / 1e6)
    jobs[-1].finished.wait()
    ends = tuple(fence.timestamp_ns / 1000 for fence in last_of_cycle)
    return ends[-1], tuple(latencies), ends


def cells(outcome: Outcome) -> list[str]:
    """Return share, end and latency of the clients, one under the other."""
    shares = "\n".join(f"{client.share:.1%}" for client in outcome.clients)
    ends = "\n".join(f"{client.elapsed_us / 1000:.0f}" for client in outcome.clients)
    return [shares, ends, "\n".join(latency(client.latencies_us) for client in outcome.clients)]


def latency(latencies_us: Sequence[float]) -> str:
    if not latencies_us:
        return "-"
    return f"{sum(latencies_us) / len(latencies_us) / 1000:.1f} / {max(latencies_us) / 1000:.1f}"


def main() -> None:
    columns = ["case", *(f"{policy} {what}" for policy in POLICIES for what in ("share", "end ms", "lat ms avg/max"))]
    for credit_limit in (1, 2):
        rows = [
            [case.name, *(cell for policy in POLICIES for cell in cells(run_case(case, policy, credit_limit)))]
            for case in TWO_CLIENTS
        ]
        table(f"Two clients, credit limit {credit_limit}, virtual time", columns, rows)
    rows = [
        [case.name, *(f"{run_case(case, policy, 2).cycle_spread:.2f}" for policy in POLICIES)] for case in MANY_CLIENTS
    ]
    table("Many clients: average distance between the first and the last, in cycles", ["case", *POLICIES], rows)


if __name__ == "__main__":
    main()
