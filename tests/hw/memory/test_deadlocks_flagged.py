"""What one run without a hang says of each way to deadlock: the sections tell, but not of engines and of user space."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from fencepost.actors import Runtime
from fencepost.checks.broken_rule import BrokenRule
from fencepost.checks.observers import Finding, Observers
from fencepost.sync.observed_virtual import ObservedVirtualWorld
from tests.hw.memory.scenes import SCENES, Scene, allocation_in_run_job

MODELS: Mapping[str, Callable[..., Scene]] = {**SCENES, "T6-6 in run_job": allocation_in_run_job}

FLAGGED = {
    "T6-1": "memory wanted in a signalling section: memory of the kind KERNEL",
    "T6-2": "the signalling of a fence then MmapLock, by H",
    "T6-3": "the signalling of a fence then Reservation, by H",
    "T6-6": "memory wanted in a signalling section: memory of the kind KERNEL",
    "T6-6 in run_job": "memory wanted in a signalling section: memory of the kind KERNEL",
    "T6-7": "the signalling of a fence then VmLock, by P",
    "T6-8": "wait in a signalling section: <PreemptFence other:1 pending> was waited for by W",
}


def found_without_a_hang(name: str, **options: bool) -> tuple[Finding, ...]:
    observers = Observers()
    with Runtime(ObservedVirtualWorld(observers)) as runtime:
        MODELS[name](runtime, harmless=True, **options)
    return observers.findings


@pytest.mark.parametrize("name", FLAGGED)
def test_one_run_without_a_hang_is_enough(name: str) -> None:
    assert any(FLAGGED[name] in str(finding) for finding in found_without_a_hang(name))


@pytest.mark.parametrize("name", ["T6-1", "T6-2", "T6-3"])
def test_work_that_can_fault_and_has_no_fence_is_right(name: str) -> None:
    assert found_without_a_hang(name, fenced=False) == ()


def test_an_engine_that_is_kept_is_not_seen() -> None:
    """T6-4: no fence of the work that faults is anywhere, so its handler is in no section."""
    assert found_without_a_hang("T6-4") == ()


def test_what_user_space_waits_for_is_not_seen_but_that_a_fence_stands_for_it_is() -> None:
    """T6-5: nothing of locks, sections and memory; who signals the fence was seen to wait for a user fence."""
    (found,) = found_without_a_hang("T6-5")
    assert isinstance(found, BrokenRule)
    assert found.rule == "a fence that depends on what is not certain"
