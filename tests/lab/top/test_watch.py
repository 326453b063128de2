from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Literal, TypeAlias

import pytest

import fencepost as fp
from fencepost.lab.runner import Stop
from fencepost.lab.top import Sample
from fencepost.lab.top.watch import Pace, watch
from fencepost.sync import Gate, NativeWorld, current

World: TypeAlias = Literal["native", "virtual"]
WORLDS = pytest.mark.parametrize("world", ["native", "virtual"])


def watched(world: World, interval_s: float, length_s: float, *, paced: bool = False) -> list[Sample]:
    """Return the samples of a run of that length."""
    samples: list[Sample] = []
    with fp.Runtime(world) as runtime:
        over = Gate()
        runtime.cgroups.card("card0").open("client")
        pace = Pace(Stop()) if paced else None
        task = runtime.spawn(partial(watch, runtime.cgroups, over, interval_s, samples.append, pace), "beside")
        runtime.world.sleep(length_s)
        over.open()
        task.join()
    return samples


def test_there_is_a_sample_after_each_interval() -> None:
    assert [each.time_s for each in watched("virtual", 0.5, 1.75)] == [0.5, 1.0, 1.5]


def test_pace_changes_nothing_but_the_time_on_the_wall() -> None:
    assert watched("virtual", 0.02, 0.07, paced=True) == watched("virtual", 0.02, 0.07)


@WORLDS
def test_a_run_that_is_shorter_than_an_interval_has_one_sample_at_its_end(world: World) -> None:
    (sample,) = watched(world, 3600, 0.01)
    assert sample.interval_s >= 0.01
    assert len(sample.devices[0].clients) == 1


def test_a_native_run_is_looked_at_in_between() -> None:
    samples = watched("native", 0.01, 0.1)
    assert len(samples) > 1
    assert all(after.time_s > before.time_s for before, after in pairwise(samples))


@pytest.mark.slow
def test_paced_time_is_never_ahead_of_the_wall() -> None:
    wall_ns = NativeWorld().now_ns
    with fp.Runtime("virtual") as runtime:
        began_ns, pace = wall_ns(), Pace(Stop())
        for _ in range(10):
            runtime.world.sleep(0.03)
            pace.keep()
            assert wall_ns() - began_ns >= current().now_ns()


def test_nobody_waits_for_the_wall_once_all_is_to_end() -> None:
    stop = Stop()
    stop.set()
    with fp.Runtime("virtual") as runtime:
        pace = Pace(stop)
        runtime.world.sleep(86_400)
        began_ns = NativeWorld().now_ns()
        pace.keep()
        assert NativeWorld().now_ns() - began_ns < 3600 * 10**9
