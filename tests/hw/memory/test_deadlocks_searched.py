"""A search finds each way to deadlock, and nothing where there is memory enough, or nobody in the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import pytest

from fencepost.checks import Kind, explore
from tests.hw.memory.scenes import SCENES, Scene, allocation_in_run_job

MODELS: Mapping[str, Callable[..., Scene]] = {**SCENES, "T6-6 in run_job": allocation_in_run_job}
EACH = pytest.mark.parametrize("name", MODELS)


@EACH
@pytest.mark.parametrize("seed", range(3))
def test_it_is_found(name: str, seed: int) -> None:
    report = explore(MODELS[name], schedules=500, seed=seed)
    assert report.kind is Kind.DEADLOCK, str(report)
    assert explore(MODELS[name], replay=report.replay_token).message == report.message


@EACH
def test_without_the_cause_it_is_gone(name: str) -> None:
    report = explore(partial(MODELS[name], harmless=True), schedules=100)
    assert not report.found, str(report)


# What is to be done instead.


@pytest.mark.parametrize("name", ["T6-1", "T6-2", "T6-3"])
def test_work_that_can_fault_and_has_no_fence_is_safe(name: str) -> None:
    report = explore(partial(SCENES[name], fenced=False), schedules=100)
    assert not report.found, str(report)


def test_work_that_gives_way_even_at_a_fault_keeps_nobody_from_the_engine() -> None:
    report = explore(partial(SCENES["T6-4"], gives_way=True), schedules=100)
    assert not report.found, str(report)
