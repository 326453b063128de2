"""Schedules a second: how fast a search goes through a small model.

    python -m bench.explore [--rounds N]

The two-actor kernel is a client, two actors and three fences whose callbacks post on; the other model is one job
through the whole scheduler. Making and leaving the runtime is part of each schedule. Where the package interleave-test
is installed, it runs the same kernel on stock pykka in between.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable
from functools import partial
from typing import ClassVar, Final

from bench.harness import header, interleave, pin, table
from fencepost import Actor, Runtime
from fencepost.checks import Model, explore
from fencepost.fences import Fence
from fencepost.hw import MockBackend

__all__ = ["schedules_per_s"]

SCHEDULES: Final = 1000


class Doer(Actor):
    """Calls what it is sent."""

    def on_call(self, message: partial[object]) -> None:
        """Call it."""
        message()

    messages: ClassVar = {partial: on_call}


def two_actors(runtime: Runtime) -> None:
    """One actor signals three fences, whose callbacks post to the other."""
    signaller, counter = (runtime.start(Doer, name=name) for name in ("signaller", "counter"))
    done: list[Fence] = []
    fences = [Fence() for _ in range(3)]
    for fence in fences:
        fence.add_callback(lambda fence: counter.post(partial(done.append, fence)))
        signaller.post(partial(fence.signal))
    for fence in fences:
        fence.wait()


def one_job(runtime: Runtime) -> None:
    """A job from submit to free."""
    job = runtime.scheduler(MockBackend()).entity().submit(10)
    job.finished.wait()


MODELS: Final[dict[str, Callable[[Runtime], None]]] = {
    "two actors, three fences": two_actors,
    "one job through the scheduler": one_job,
}


def schedules_per_s(model: Model, strategy: str) -> float:
    """Return how many schedules of `model` are run in a second."""
    start = time.perf_counter()
    report = explore(model, schedules=SCHEDULES, strategy=strategy)
    assert not report.found, report
    return report.schedules / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    pin()
    contenders: dict[str, Callable[[], float]] = {
        f"{name}, {strategy}": partial(schedules_per_s, model, strategy)
        for name, model in MODELS.items()
        for strategy in ("mix", "dfs")
    }
    if importlib.util.find_spec("interleave_test") is None:
        print("interleave-test is not installed (it needs Python 3.12 or newer)")
    else:
        # Only now, since it is not there everywhere.
        from bench.interleaved import schedules_per_s as interleaved  # noqa: PLC0415

        contenders["two actors, three fences, interleave-test"] = interleaved
    rows = [[name, str(spread)] for name, spread in interleave(contenders, rounds).items()]
    table(header("Exploration", rounds), ["", "schedules a second"], rows)


if __name__ == "__main__":
    main()
