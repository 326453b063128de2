"""Fences as futures of `concurrent.futures`."""

from __future__ import annotations

import asyncio
import concurrent.futures
import errno
import gc
from collections.abc import Callable

import pytest

from fencepost import sync
from fencepost.actors import Runtime
from fencepost.checks import explore
from fencepost.errors import WrongWorld
from fencepost.fences import Fence, get_stub
from tests.fences.kit import LONG_S

ROUNDS = 100

pytestmark = [
    pytest.mark.parametrize("any_world", ["native", "observed"], indirect=True),
    pytest.mark.usefixtures("any_world"),
]


def test_its_result_is_the_status_that_another_thread_signals(any_world: sync.World) -> None:
    good, bad = Fence(), Fence()
    futures = [good.to_future(), bad.to_future()]
    assert not any(future.done() for future in futures)
    any_world.spawn(good.signal, name="good")
    any_world.spawn(lambda: bad.signal(-errno.EIO), name="bad")
    assert [future.result(LONG_S) for future in futures] == [1, -errno.EIO]
    assert [future.exception() for future in futures] == [None, None]


def test_that_of_a_signalled_fence_is_done() -> None:
    assert get_stub().to_future().done()
    assert get_stub().to_future().result() == 1


def test_what_is_added_runs_in_the_signallers_context(any_world: sync.World) -> None:
    fence, ran = Fence(), list[sync.Task]()
    fence.to_future().add_done_callback(lambda _future: ran.append(any_world.task()))
    signaller = any_world.spawn(fence.signal, name="signaller")
    assert signaller.join(LONG_S)
    assert ran == [signaller]


def test_many_futures_of_one_fence_start_no_thread(leaked_threads: Callable[[float], list[object]]) -> None:
    fence = Fence()
    futures = [fence.to_future() for _ in range(1000)]
    assert leaked_threads(0) == []
    fence.signal()
    assert {future.result(0) for future in futures} == {1}


def test_one_that_is_cancelled_takes_back_what_it_added() -> None:
    fence, seen = Fence(), list[bool]()
    future, other = fence.to_future(), fence.to_future()
    future.add_done_callback(lambda future: seen.append(future.cancelled()))
    assert future.cancel()
    assert future.cancel()
    assert seen == [True]
    fence.signal()
    assert future.cancelled()
    assert other.result(0) == 1
    # With a callback left this would warn, and warnings are errors here.
    fence = Fence()
    assert fence.to_future().cancel()
    del fence
    gc.collect()


def test_who_waits_for_several_hears_of_one_that_is_cancelled(any_world: sync.World) -> None:
    future = Fence().to_future()
    waiter = any_world.spawn(lambda: concurrent.futures.wait([future], LONG_S).done, name="waiter")
    future.cancel()
    assert waiter.join(LONG_S)
    assert waiter.result == {future}


def test_one_that_is_done_cannot_be_cancelled() -> None:
    fence = Fence()
    future = fence.to_future()
    fence.signal()
    assert not future.cancel()
    assert future.result(0) == 1


def test_a_loop_may_wait_for_it(any_world: sync.World) -> None:
    fence = Fence()

    async def wait() -> int:
        wrapped = asyncio.wrap_future(fence.to_future())
        any_world.spawn(fence.signal, name="signaller")
        return await asyncio.wait_for(wrapped, LONG_S)

    assert asyncio.run(wait()) == 1


def test_of_the_signal_and_those_who_cancel_one_wins(any_world: sync.World) -> None:
    for _ in range(ROUNDS):
        fence, start = Fence(), sync.Gate()
        future = fence.to_future()

        def cancel(future: concurrent.futures.Future[int] = future, start: sync.Gate = start) -> bool:
            start.wait(LONG_S)
            return future.cancel()

        cancellers = [any_world.spawn(cancel, name=f"canceller{index}") for index in range(2)]
        start.open()
        fence.signal()
        assert concurrent.futures.wait([future], LONG_S).done == {future}
        assert all(canceller.join(LONG_S) for canceller in cancellers)
        assert {canceller.result for canceller in cancellers} == {future.cancelled()}
    assert any_world.failures == []


def test_making_one_is_refused_outside_of_the_native_world() -> None:
    def model(_rt: Runtime) -> None:
        with pytest.raises(WrongWorld, match=r"<Fence sw:1 pending> in a controlled world"):
            Fence(1, 1, name="sw").to_future()

    assert not explore(model, schedules=1).found
    with Runtime(world="virtual"), pytest.raises(WrongWorld, match=r"stub.* in a virtual world.*use its wait\(\)"):
        get_stub().to_future()
