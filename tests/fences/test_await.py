"""Fences in asyncio: whatever thread signals, a task goes on."""

from __future__ import annotations

import asyncio
import errno
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from fencepost import sync
from fencepost.actors import Runtime
from fencepost.checks import explore
from fencepost.errors import WrongWorld
from fencepost.fences import Fence, HookedFence, get_stub
from tests.fences.kit import LONG_S, Work

ROUNDS = 100

pytestmark = [
    pytest.mark.parametrize("any_world", ["native", "observed"], indirect=True),
    pytest.mark.usefixtures("any_world"),
]


async def of(fence: Fence) -> int:
    return await fence


def within(coroutine: Coroutine[Any, Any, int]) -> int:
    return asyncio.run(asyncio.wait_for(coroutine, LONG_S))


async def asleep(*tasks: asyncio.Task[Any]) -> None:
    """Let each task come to where it waits."""
    for _ in tasks:
        await asyncio.sleep(0)


def test_a_signal_of_another_thread_resumes_a_task(any_world: sync.World) -> None:
    fence = Fence()

    async def wait() -> int:
        task = asyncio.create_task(of(fence))
        await asleep(task)
        assert not task.done()
        any_world.spawn(fence.signal, name="signaller")
        return await task

    assert within(wait()) == 1
    assert fence.signaled


def test_a_signal_of_the_loops_own_thread_resumes_a_task() -> None:
    async def wait() -> int:
        fence = Fence()
        asyncio.get_running_loop().call_soon(fence.signal)
        return await fence

    assert within(wait()) == 1


def test_an_error_is_what_comes_out_and_is_not_raised() -> None:
    async def wait() -> int:
        fence = Fence()
        asyncio.get_running_loop().call_soon(fence.signal, -errno.EIO)
        return await fence

    assert within(wait()) == -errno.EIO


def test_a_fence_that_has_signalled_suspends_nobody() -> None:
    async def wait() -> int:
        for fence in (get_stub(), Complete()):
            with pytest.raises(StopIteration) as stop:
                next(fence.__await__())
            assert stop.value.value == 1
        return await get_stub()

    assert within(wait()) == 1


class Complete(HookedFence):
    """Is found complete by who begins to wait."""

    __slots__ = ()

    def on_enable(self) -> bool:
        return False


def test_awaiting_has_a_fence_signal_without_being_polled() -> None:
    async def wait() -> int:
        fence = Work()
        task = asyncio.create_task(of(fence))
        await asleep(task)
        assert fence.enabled == 1
        fence.signal()
        return await task

    assert within(wait()) == 1


def test_many_tasks_wait_for_one_fence_and_no_thread_is_started(
    any_world: sync.World, leaked_threads: Callable[[float], list[object]]
) -> None:
    fence = Fence()

    async def wait() -> int:
        tasks = [asyncio.create_task(of(fence)) for _ in range(1000)]
        await asleep(tasks[0])
        assert leaked_threads(0) == []
        any_world.spawn(fence.signal, name="signaller")
        return sum(await asyncio.gather(*tasks))

    assert within(wait()) == 1000


def test_one_task_waits_for_many_fences_that_signal_in_any_order(any_world: sync.World) -> None:
    fences = [Fence() for _ in range(100)]

    def signal() -> None:
        for fence in fences[::-1]:
            fence.signal()

    async def wait() -> int:
        any_world.spawn(signal, name="signaller")
        return sum(await asyncio.gather(*fences))

    assert within(wait()) == 100


def test_a_task_that_is_cancelled_takes_back_what_it_added() -> None:
    async def wait() -> int:
        fence = Fence()
        task = asyncio.create_task(of(fence))
        await asleep(task)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # With a callback left this would warn, and warnings are errors here.
        del fence, task
        gc.collect()
        return 0

    within(wait())


def test_a_wait_that_took_too_long_is_over() -> None:
    async def wait() -> int:
        fence = Fence()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(of(fence), 0.001)
        fence.signal()
        await asyncio.sleep(0)
        return await fence

    assert within(wait()) == 1


def test_a_signal_after_the_loop_was_closed_resumes_nobody() -> None:
    fence, ran = Fence(), list[Fence]()

    async def begin() -> object:
        waiting = fence.__await__()
        next(waiting)
        return waiting

    loop = asyncio.new_event_loop()
    waiting = loop.run_until_complete(begin())
    loop.close()
    fence.add_callback(ran.append)
    assert fence.signal()
    assert ran == [fence]
    del waiting


def test_signals_race_with_cancellations(any_world: sync.World) -> None:
    fences = [Fence() for _ in range(ROUNDS)]

    def signal() -> None:
        for fence in fences:
            fence.signal()

    async def wait() -> int:
        tasks = [asyncio.create_task(of(fence)) for fence in fences]
        await asleep(tasks[0])
        any_world.spawn(signal, name="signaller")
        for task in tasks:
            task.cancel()
            await asyncio.sleep(0)
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(result == 1 or isinstance(result, asyncio.CancelledError) for result in results)
        return len(results)

    assert within(wait()) == ROUNDS


def test_awaiting_is_refused_outside_of_the_native_world() -> None:
    def model(_rt: Runtime) -> None:
        with pytest.raises(WrongWorld, match=r"<Fence sw:1 pending> in a controlled world"):
            asyncio.run(of(Fence(1, 1, name="sw")))

    assert not explore(model, schedules=1).found
    with Runtime(world="virtual"), pytest.raises(WrongWorld, match=r"stub.* in a virtual world.*use its wait\(\)"):
        asyncio.run(of(get_stub()))
