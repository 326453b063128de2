from __future__ import annotations

from collections.abc import Callable

import pytest

from fencepost import Runtime
from fencepost.errors import ActorFailed
from fencepost.fences import Fence
from fencepost.hw import Gpu
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.execution import Execution, RingBuffer
from fencepost.sync import Lock, NativeWorld

MakeBatch = Callable[..., Execution]


@pytest.fixture
def clocked(rt: Runtime) -> ClockedEngine:
    engine = ClockedEngine("rcs0")
    engine.attach(rt.world, rt.events)
    return engine


def submit(clocked: ClockedEngine, *executions: Execution) -> None:
    with clocked as engine:
        for execution in executions:
            engine.submit(execution)


def test_a_fence_signals_when_the_clock_is_there(rt: Runtime, clocked: ClockedEngine, batch: MakeBatch) -> None:
    execution = batch(RingBuffer(0), 100)
    submit(clocked, execution)
    rt.world.sleep_until(99)
    assert not execution.fence.signaled
    execution.fence.wait()
    assert (rt.world.now_ns(), execution.fence.timestamp_ns) == (100, 100)


def test_a_preemption_in_between_moves_the_signal(rt: Runtime, clocked: ClockedEngine, batch: MakeBatch) -> None:
    low, high = batch(RingBuffer(1), 100, 30), batch(RingBuffer(0), 50)
    submit(clocked, low)
    rt.world.sleep_until(10)
    submit(clocked, high)
    high.fence.wait()
    assert rt.world.now_ns() == 80
    low.fence.wait()
    assert rt.world.now_ns() == 150


def test_who_comes_by_when_something_has_ended_signals_it(
    rt: Runtime, clocked: ClockedEngine, batch: MakeBatch
) -> None:
    """The observer slept first, so it has its turn before the timer, at the same time."""
    execution = batch(RingBuffer(0), 100)
    seen: list[bool] = []

    def look() -> None:
        rt.world.sleep_until(101)
        with clocked:
            seen.append(execution.fence.signaled)
        seen.append(execution.fence.signaled)

    rt.spawn(look)
    rt.world.sleep_until(1)
    submit(clocked, execution)
    rt.world.sleep_until(200)
    assert seen == [False, True]
    assert execution.fence.timestamp_ns == 101


def test_a_fence_does_not_overtake_one_that_is_just_signalling(clocked: ClockedEngine, batch: MakeBatch) -> None:
    ring = RingBuffer(0)
    first, second = batch(ring, None), batch(ring, None)
    submit(clocked, first, second)
    told: list[str] = []

    def end_the_second(_fence: Fence) -> None:
        with clocked as engine:
            engine.terminate(second)
        told.append("first")

    first.fence.add_callback(end_the_second)
    second.fence.add_callback(lambda _fence: told.append("second"))
    with clocked as engine:
        engine.terminate(first)
    assert told == ["first", "second"]


def test_abort_waits_for_no_other_task(rt: Runtime) -> None:
    """Whoever signals the first job is not done with it, and the second one's fence has signalled all the same."""
    gpu = Gpu()
    ring = gpu.ring("rcs0")
    entity = rt.scheduler(ring, credit_limit=2).entity()
    first, second = entity.submit(), entity.submit()
    second.scheduled.wait()
    seen: list[int] = []

    def abort_the_second(_fence: Fence) -> None:
        assert second.finished.parent is not None
        ring.abort(second, -5)
        seen.append(second.finished.parent.status)

    assert first.finished.parent is not None
    first.finished.parent.add_callback(abort_the_second)
    gpu.terminate(first)
    assert seen == [-5]


def test_a_callback_that_fails_keeps_nobody_from_hearing(batch: MakeBatch) -> None:
    ring = RingBuffer(0)

    def fail(_fence: Fence) -> None:
        raise ValueError("a bad callback")

    def run() -> None:
        with Runtime(world="virtual") as rt:
            clocked = ClockedEngine("rcs0")
            clocked.attach(rt.world, rt.events)
            bad, good, later = batch(ring, 0), batch(ring, 0), batch(ring, 10)
            bad.fence.add_callback(fail)
            submit(clocked, bad, good, later)
            assert later.fence.wait(1)
            assert good.fence.signaled

    with pytest.raises(ActorFailed, match="a bad callback"):
        run()


def test_its_lock_is_made_once_however_many_rings_come_at_once() -> None:
    """By stress this shows only where threads run at the same time."""
    clocked, world, held = ClockedEngine("rcs0"), NativeWorld(), list[bool]()
    make_lock = world.lock

    def note_and_make() -> Lock:
        held.append(clocked._attaching.locked())  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
        return make_lock()

    world.lock = note_and_make
    clocked.attach(world, None)
    clocked.attach(world, None)
    assert held == [True]
