"""Jobs a second through the whole scheduler, beside the same pipeline on what else there is.

    python -m bench.pipeline [--rounds N]

32 chains of 100 jobs that take no time; a job depends on the one before it in its chain. One client submits, with at
most `window` jobs under way. Ours is the real thing: entity actors, fair policy, credits, two fences a job, events
on.
"""

from __future__ import annotations

import argparse
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, Literal

from bench import baselines
from bench.harness import Spread, header, interleave, pin, table
from bench.no_operation import NoOperation
from fencepost import Runtime
from fencepost.fences import Fence
from fencepost.sync import World

__all__ = ["measure"]

CHAINS: Final = 32
JOBS: Final = 100
WINDOWS: Final = (64, 1)
CREDIT_LIMIT: Final = 64

Pipeline = Callable[[int, int, int], None]


def fencepost_runtime(
    chains: int,
    jobs: int,
    window: int,
    *,
    dispatch: Literal["thread", "workqueue"],
    events: bool = True,
    world: World | Literal["native"] = "native",
) -> None:
    """Our own."""
    with Runtime(world, dispatch, events=events) as runtime:
        scheduler = runtime.scheduler(NoOperation(), credit_limit=CREDIT_LIMIT)
        entities = [scheduler.entity() for _ in range(chains)]
        last: list[tuple[Fence, ...]] = [()] * chains
        under_way: deque[Fence] = deque()
        for _ in range(jobs):
            for chain, entity in enumerate(entities):
                finished = entity.submit(deps=last[chain]).finished
                last[chain] = (finished,)
                under_way.append(finished)
                if len(under_way) >= window:
                    under_way.popleft().wait()
        for fence in under_way:
            fence.wait()


PIPELINES: Final[dict[str, Pipeline]] = {
    "fencepost workqueue": partial(fencepost_runtime, dispatch="workqueue"),
    "fencepost workqueue, events off": partial(fencepost_runtime, dispatch="workqueue", events=False),
    "stock pykka, two actors": baselines.pykka_two_actors,
    "fencepost thread": partial(fencepost_runtime, dispatch="thread"),
    "stock pykka, an actor per entity": baselines.pykka_entities,
    "two threads + SimpleQueue": baselines.simple_queues,
    "asyncio": baselines.asyncio_tasks,
    "simpy": baselines.simpy_processes,
}

COMPARED_WITH: Final = {
    "fencepost workqueue": "stock pykka, two actors",
    "fencepost workqueue, events off": "stock pykka, two actors",
    "fencepost thread": "stock pykka, an actor per entity",
}


def measure(window: int, rounds: int) -> dict[str, Spread]:
    """Return jobs a second of each pipeline, start and stop included."""

    def rate(pipeline: Pipeline) -> float:
        start = time.perf_counter()
        pipeline(CHAINS, JOBS, window)
        return CHAINS * JOBS / (time.perf_counter() - start)

    return interleave({name: partial(rate, pipeline) for name, pipeline in PIPELINES.items()}, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    pin()
    results = {window: measure(window, rounds) for window in WINDOWS}
    rows: list[list[str]] = []
    for name in PIPELINES:
        row = [name]
        for window in WINDOWS:
            spreads = results[window]
            other = COMPARED_WITH.get(name)
            row += [str(spreads[name]), f"{spreads[name].median / spreads[other].median:.2f}x" if other else ""]
        rows.append(row)
    columns = ["jobs a second", *(column for window in WINDOWS for column in (f"window {window}", "of stock pykka"))]
    table(header("Pipeline: submit, dependency, run, signal, free", rounds), columns, rows)


if __name__ == "__main__":
    main()
