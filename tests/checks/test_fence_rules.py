"""What is of all rules together; each has its own tests beside this."""

from __future__ import annotations

from typing import ClassVar

import pytest

from fencepost.actors import Actor, Runtime
from fencepost.actors.entity_actor import EntityActor
from fencepost.actors.scheduler_actor import SchedulerActor
from fencepost.actors.timeout_handler import TimeoutHandler
from fencepost.checks import Kind, explore
from fencepost.checks.observers import Observers
from fencepost.fences import Fence, PreemptFence, publish
from fencepost.fences.reservation import Reservation
from fencepost.fences.usage import Usage
from fencepost.sync import NativeWorld
from fencepost.sync.allocation import Allocation, might_alloc
from fencepost.sync.observed import ObservedWorld
from fencepost.sync.observed_virtual import ObservedVirtualWorld
from fencepost.sync.observer import begin_signalling, end_signalling, signalling
from tests.checks.rules import ruled


@pytest.mark.parametrize("usage", Usage)
def test_a_preemption_fence_is_for_bookkeeping(usage: Usage) -> None:
    with ruled() as here:
        fence = PreemptFence(lambda _fence: True)
        reservation = Reservation("buffer")
        reservation.lock()
        reservation.reserve()
        reservation.add(fence, usage)
        reservation.unlock()
        fence.signal()
    if usage is Usage.BOOKKEEP:
        assert here.breaches == []
    else:
        (said,) = here.breaches
        assert f"as {usage.name} by main" in said
        assert "expected BOOKKEEP" in said


def allocating_model(runtime: Runtime) -> None:
    def work() -> None:
        with signalling():
            might_alloc(Allocation.KERNEL)

    runtime.spawn(work, "worker")


def test_a_search_that_observes_reports_breaches() -> None:
    report = explore(allocating_model, schedules=1, observe=True)
    assert report.kind is Kind.FENCE_RULE
    assert "memory of the kind KERNEL" in report.message
    assert explore(allocating_model, replay=report.replay_token, observe=True).kind is Kind.FENCE_RULE
    assert not explore(allocating_model, schedules=1).found


def test_an_unobserved_world_hears_nothing() -> None:
    world = NativeWorld()
    world.enter()
    try:
        cookie = begin_signalling()
        might_alloc(Allocation.KERNEL)
        publish(Fence(), "a table")
        end_signalling(cookie)
        assert cookie == 0
    finally:
        world.close()


def test_the_watchdog_of_a_native_world_looks_at_the_time() -> None:
    observers = Observers(stall_limit_s=0.01, fence_limits_s={Fence: 0.0})
    world = ObservedWorld(observers)
    world.enter()
    try:
        fence = Fence(name="late")
        publish(fence, "a table")
        while not observers.findings:
            world.sleep(0.001)
        fence.signal()
    finally:
        world.close()
    (said,) = map(str, observers.findings)
    assert "<Fence late:0 pending> took" in said


class Counter(Actor):
    """Wants memory with each message."""

    def on_text(self, _message: str) -> None:
        might_alloc(Allocation.KERNEL)

    messages: ClassVar = {str: on_text}


class Critical(Counter):
    signals: ClassVar = True


@pytest.mark.parametrize(("actor_class", "breaches"), [(Counter, 0), (Critical, 1)])
def test_all_that_an_actor_does_is_a_section_if_it_says_so(actor_class: type[Counter], breaches: int) -> None:
    for dispatch in ("thread", "workqueue"):
        observers = Observers()
        with Runtime(ObservedVirtualWorld(observers), dispatch=dispatch) as runtime:
            runtime.start(actor_class, name="counter").post("one")
        assert len(observers.findings) == breaches


@pytest.mark.parametrize("actor_class", [SchedulerActor, EntityActor, TimeoutHandler])
def test_who_is_on_the_way_of_a_job_says_so(actor_class: type[Actor]) -> None:
    assert actor_class.signals
