from __future__ import annotations

import pytest

from fencepost.actors import Runtime
from fencepost.checks.observers import Observers
from fencepost.fences import FaultingWork, Fence, promise, publish
from fencepost.hw import MockBackend
from fencepost.sync.observed_virtual import ObservedVirtualWorld
from tests.checks.rules import WORLDS, ruled


def published_on(engine: str) -> Fence:
    fence = Fence(name="copy")
    promise(fence, on=engine)
    publish(fence, "a table")
    return fence


@pytest.mark.parametrize("kind", WORLDS)
def test_a_fence_is_not_published_while_work_on_its_hardware_can_fault(kind: str) -> None:
    with ruled(kind) as here, FaultingWork("shader", "rcs0"):
        published_on("rcs0").signal()
    (said,) = here.breaches
    assert "<Fence copy:0 pending> is of work on rcs0: it was published in 'a table' by " in said
    assert "while <work that can fault shader> was put there by " in said


def test_work_that_can_fault_does_not_come_while_a_fence_is_visible() -> None:
    with ruled() as here:
        fence = published_on("rcs0")
        with FaultingWork("shader", "rcs0"):
            fence.signal()
    (said,) = here.breaches
    assert "<work that can fault shader> was put there by main" in said
    assert "after it was published in 'a table' by main" in said


def test_it_may_come_before_and_after_and_elsewhere_and_if_it_gives_way() -> None:
    with ruled() as here:
        with FaultingWork("shader", "rcs0"):
            published_on("bcs0").signal()
        fence = published_on("rcs0")
        with FaultingWork("shader", "rcs0", preemptible=True):
            fence.signal()
        with FaultingWork("shader", "rcs0"):
            pass
        published_on("rcs0").signal()
    assert here.breaches == []


def test_a_fence_that_nobody_can_find_is_no_matter() -> None:
    with ruled() as here, FaultingWork("shader", "rcs0"):
        fence = Fence()
        promise(fence, on="rcs0")
        fence.signal()
    assert here.breaches == []


def test_the_hardware_of_a_job_is_its_scheduler() -> None:
    observers = Observers()
    with Runtime(ObservedVirtualWorld(observers)) as runtime:
        entity = runtime.scheduler(MockBackend(), name="rcs0").entity()
        with FaultingWork("shader", "rcs0"):
            job = entity.submit(duration_us=1)
            publish(job.finished, "a table")
            job.finished.wait()
    assert len(observers.findings) == 1
