"""What a doorbell saves beside a dispatch call, and what the memory of a user queue costs.

    python -m bench.submission [--rounds N] [--ioctl-us US] [--doorbell-us US]

Dispatches that take no time on their engine are brought there in three ways, many at a time:

    a call each       a job each: entity, scheduler, ring (`Entity.submit`)
    a doorbell each   a packet each in a user queue, published and rung for one by one
    one doorbell      all packets first, then published and rung for once

A program that collects its dispatches in one job, or in one packet, pays for one of them, whatever the way.

Measured, on real threads, is the path of our actors: what it costs the client until it can go on, how long it takes
until the fence of the last dispatch wakes it, and how much work that is for all threads together. What hardware and
system calls would add is modelled: nobody has published both for one machine, so the figures are parameters. They are
added to the client's costs in a table of its own, never to what is measured.

A user queue is taken off the hardware whenever others want memory of its process. Measured: how long it takes from the
request to the fence, and what share of an engine is lost at so many evictions a second, beside the back-off alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Final, Literal, TypeAlias

from bench.harness import Spread, header, interleave, pin, table
from fencepost import Runtime
from fencepost.fences import Fence
from fencepost.hw import Gpu
from fencepost.hw.eviction import ComputeProcess
from fencepost.hw.memory import PAGE_BYTES, MemoryManager, Vm
from fencepost.hw.user_queue import Mes, Packet, Process, UserQueue
from fencepost.sync import current

__all__ = ["WAYS", "WHATS", "What", "dispatch_us", "eviction_us", "lost_share"]

BATCHES: Final = tuple(1 << power for power in range(11))
DISPATCHES: Final = 2048
"""How many are measured in a round."""

IOCTL_US: Final = 10.0
"""Modelled: a submission through the kernel, 5 to 30 us."""
DOORBELL_US: Final = 0.5
"""Modelled: a write to a doorbell, 0.2 to 1 us."""

QUEUES: Final = (1, 8, 64)
BUSY: Final = Packet(duration_us=200, preempt_us=10, protected=True)
DISPATCH: Final = Packet(protected=True)
BACKOFF_US: Final = 2_000.0
RATES: Final = (0, 10, 50, 100, 200)
"""Evictions a second."""
SECONDS: Final = 0.5
FILL_S: Final = 0.005
"""How often the ring is filled up, which lasts for ten times as long."""
EVICTIONS: Final = 20

What: TypeAlias = Literal["client", "done", "cpu"]
"""Until the client can go on; until the fence of the last dispatch wakes it; the work of all threads until then."""

WHATS: Final[tuple[What, ...]] = ("client", "done", "cpu")

Submit = Callable[[int], Fence]
"""Brings so many dispatches on their way, and returns the fence of the last."""


@contextmanager
def calls() -> Generator[Submit]:
    """Give a client that submits jobs."""
    with Runtime(events=False) as runtime:
        scheduler = runtime.scheduler(Gpu({"ccs": 1}).ring("ccs0"), credit_limit=max(BATCHES))
        entity = scheduler.entity()

        def submit(count: int) -> Fence:
            return [entity.submit(0) for _ in range(count)][-1].finished

        yield submit


@contextmanager
def doorbells(*, each: bool) -> Generator[Submit]:
    """Give a client that writes packets."""
    with Runtime(events=False) as runtime:
        queue = Mes(runtime, {"ccs": 1}).process("client").queue("ccs", size=max(BATCHES))

        def submit(count: int) -> Fence:
            if each:
                for _ in range(count):
                    queue.submit(DISPATCH)
            else:
                queue.submit(*[DISPATCH] * count)
            return queue.fence()

        yield submit


WAYS: Final[Mapping[str, Callable[[], AbstractContextManager[Submit]]]] = {
    "a call each": calls,
    "a doorbell each": partial(doorbells, each=True),
    "one doorbell": partial(doorbells, each=False),
}


def dispatch_us(way: str, batch: int, what: What, *, dispatches: int = DISPATCHES) -> float:
    """Return what a batch of so many dispatches costs, in us."""
    spent_s = 0.0
    repeats = max(4, dispatches // batch)
    clock = time.process_time if what == "cpu" else time.perf_counter
    with WAYS[way]() as submit:
        submit(batch).wait()
        for _ in range(repeats):
            begin = clock()
            fence = submit(batch)
            submitted = clock()
            fence.wait()
            spent_s += (submitted if what == "client" else clock()) - begin
    return spent_s / repeats * 1e6


def eviction_us(queues: int, *, busy: bool, evictions: int = EVICTIONS) -> float:
    """Return how long it takes from the request to the fence until so many queues are off the hardware, in us."""
    spent_s = 0.0
    with Runtime(events=False) as runtime:
        # So that it is evicted again at once, and nothing else is measured.
        process, client = evictable(runtime, backoff_us=0, slots=queues)
        made = [client.queue("ccs") for _ in range(queues)]
        fence = following(process, None)
        for _ in range(evictions):
            for queue in made:
                queue.submit(BUSY if busy else DISPATCH)
            if not busy:
                made[-1].fence().wait()
            begin = time.perf_counter()
            fence.wait()
            spent_s += time.perf_counter() - begin
            fence = following(process, fence)
            for queue in made:
                queue.fence().wait()
    return spent_s / evictions * 1e6


def lost_share(rate: float, *, seconds: float = SECONDS, backoff_us: float = BACKOFF_US) -> float:
    """Return which share of an engine stands idle that always has something to do, at so many evictions a second.

    There cannot be more than one every `FILL_S`.
    """
    with Runtime(events=False) as runtime:
        world = runtime.world
        process, client = evictable(runtime, backoff_us)
        mes, queue = client.mes, client.queue("ccs")
        following(process, None)
        fence: Fence | None = None
        fill(queue)
        begin_ns = world.now_ns()
        busy_ns = mes.statistics().engines["ccs0"].busy_ns
        evictions, steps = round(rate * seconds), round(seconds / FILL_S)
        for step in range(1, steps + 1):
            world.sleep_until(begin_ns + round(step * FILL_S * 1e9))
            # Spread evenly over the steps.
            if step * evictions // steps > (step - 1) * evictions // steps:
                fence = following(process, fence)
                fence.wait()
            fill(queue)
        busy_ns = mes.statistics().engines["ccs0"].busy_ns - busy_ns
        lasted_ns = world.now_ns() - begin_ns
        queue.destroy(at_once=True)
    return 1 - busy_ns / lasted_ns


def evictable(runtime: Runtime, backoff_us: float, slots: int = 32) -> tuple[ComputeProcess, Process]:
    """Begin a process without memory, and give its queues on a device."""
    vm = Vm(MemoryManager(PAGE_BYTES, PAGE_BYTES), "client", long_running=True)
    process = ComputeProcess(runtime, vm, restore_delay_s=backoff_us / 1e6, min_run_s=0)
    client = Mes(runtime, {"ccs": 1}, slots=slots).process("client")
    process.join(client)
    process.begin()
    return process, client


def following(process: ComputeProcess, before: Fence | None) -> Fence:
    """Wait until a process runs again, and return its next eviction fence."""
    while (fence := process.fence) is None or fence is before:
        current().sleep(1e-4)
    return fence


def fill(queue: UserQueue) -> None:
    """Write as many packets as there is room for."""
    room = queue.mqd.ring.room
    if room:
        queue.submit(*[BUSY] * room)


def submission_rows(rounds: int, ioctl_us: float, doorbell_us: float) -> tuple[list[list[str]], list[list[str]]]:
    """Measure every way at every size: rows of what is measured, and of what comes out with modelled costs."""
    measured: list[list[str]] = []
    modelled: list[list[str]] = []
    for batch in BATCHES:
        contenders = {f"{way} {what}": partial(dispatch_us, way, batch, what) for way in WAYS for what in WHATS}
        results = interleave(contenders, rounds)
        client, done, cpu = ({way: results[f"{way} {what}"] for way in WAYS} for what in WHATS)
        for way in WAYS:
            rate = f"{batch / done[way].median * 1e6:,.0f}"
            work = f"{cpu[way].median / batch:,.1f}"
            ratio = f"{cpu[way].median / cpu['one doorbell'].median:.2f}x"
            measured.append([f"{batch} {way}", spread(client[way]), spread(done[way]), rate, work, ratio])
        added = {
            "a call each": batch * ioctl_us,
            "a doorbell each": batch * doorbell_us,
            "one doorbell": doorbell_us,
        }
        total = {way: (client[way].median + added[way]) / batch for way in WAYS}
        modelled.append(
            [
                str(batch),
                *(f"{total[way]:,.2f}" for way in WAYS),
                f"{total['a call each'] / total['one doorbell']:.1f}x",
                f"{total['a doorbell each'] / total['one doorbell']:.1f}x",
            ]
        )
    return measured, modelled


def spread(of: Spread) -> str:
    """Put a spread of microseconds into words."""
    return f"{of.median:,.1f} [{of.low:,.1f}..{of.high:,.1f}]"


def eviction_rows(rounds: int) -> list[list[str]]:
    """Measure evictions of processes with few and many queues."""
    ways = [(queues, busy) for queues in QUEUES for busy in (False, True)]
    results = interleave({f"{queues} {busy}": partial(eviction_us, queues, busy=busy) for queues, busy in ways}, rounds)
    idle = results[f"{QUEUES[0]} False"].median
    return [
        [
            f"{queues} {'queues' if queues > 1 else 'queue'}, {'one executes' if busy else 'idle'}",
            spread(results[f"{queues} {busy}"]),
            f"{results[f'{queues} {busy}'].median / idle:.2f}x",
        ]
        for queues, busy in ways
    ]


def loss_rows(rounds: int) -> list[list[str]]:
    """Measure what evictions take from an engine."""
    results = interleave({str(rate): partial(lost_share, rate) for rate in RATES}, rounds)
    still = results["0"].median
    rows: list[list[str]] = []
    for rate in RATES:
        of = results[str(rate)]
        backoff = rate * BACKOFF_US / 1e6
        beside_us = f"{((of.median - still - backoff) / rate) * 1e6:,.0f}" if rate else ""
        share = f"{100 * of.median:.1f} [{100 * of.low:.1f}..{100 * of.high:.1f}]"
        rows.append([str(rate), share, f"{100 * backoff:.1f}", beside_us])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ioctl-us", type=float, default=IOCTL_US, help="modelled: a submission through the kernel")
    parser.add_argument("--doorbell-us", type=float, default=DOORBELL_US, help="modelled: a write to a doorbell")
    options = parser.parse_args()
    pin()
    measured, modelled = submission_rows(options.rounds, options.ioctl_us, options.doorbell_us)
    columns = ["dispatches", "client, us a batch", "until complete, us", "a second", "CPU us, each", "of one doorbell"]
    table(header("Submission, measured: the path of the actors", options.rounds), columns, measured)
    said = f"Submission, with modelled costs: {options.ioctl_us:g} us a call, {options.doorbell_us:g} us a doorbell"
    columns = ["dispatches", *(f"{way}, us" for way in WAYS), "calls/one doorbell", "doorbells/one"]
    table(f"{said}; the client's, us a dispatch", columns, modelled)
    columns = ["process", "from request to fence, us", "of an idle queue"]
    table("Evictions, measured: all queues of a process off the hardware", columns, eviction_rows(options.rounds))
    columns = ["evictions a second", "% of the engine lost", "% by the back-off alone", "us beside it, an eviction"]
    table(f"Evictions, measured: back-off {BACKOFF_US:g} us (a parameter)", columns, loss_rows(options.rounds))


if __name__ == "__main__":
    main()
