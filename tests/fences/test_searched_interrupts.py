"""Interrupts under search: each ends one wait, and a wait is ended by none that was handled before."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fencepost.actors import Runtime
from fencepost.fences import Fence, Interrupt, WwLock
from fencepost.fences.interruptible import wait_interruptibly
from tests.searching import assert_clean, joined


def fence_signalled_late(rt: Runtime, interrupt: Interrupt) -> Callable[[], object]:
    fence = Fence()
    rt.spawn(fence.signal)
    return lambda: wait_interruptibly(fence, None, interrupt)


def lock_given_back_late(rt: Runtime, interrupt: Interrupt) -> Callable[[], object]:
    lock, enough = WwLock(), Fence()

    def hold() -> None:
        with lock:
            enough.wait()

    rt.spawn(hold)
    rt.spawn(enough.signal)

    def wait() -> None:
        lock.lock(interrupt=interrupt)
        lock.unlock()

    return wait


@pytest.mark.parametrize("made", [fence_signalled_late, lock_given_back_late])
def test_one_interrupt_ends_one_wait(made: Callable[[Runtime, Interrupt], Callable[[], object]]) -> None:
    def model(rt: Runtime) -> None:
        interrupt = Interrupt()
        wait = made(rt, interrupt)
        times = 0
        sender = rt.spawn(interrupt.send)
        while True:
            try:
                wait()
                break
            except InterruptedError:
                times += 1
                interrupt.clear()
        joined(sender)
        assert times <= 1

    assert_clean(model, schedules=2_000, strategy="dfs2", fields={Interrupt: "_pending"})
