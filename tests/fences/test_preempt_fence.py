from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from fencepost.fences import Fence, PreemptFence
from fencepost.sync import World


class Owner:
    """Takes a context off the hardware when told to."""

    def __init__(self, *, there: bool = True) -> None:
        self.asked: list[PreemptFence] = []
        self.there = there

    def begin(self, fence: PreemptFence) -> bool:
        self.asked.append(fence)
        return self.there


def wait(fence: Fence) -> None:
    fence.wait(timeout_s=0)


def call_back(fence: Fence) -> None:
    fence.add_callback(str)


@pytest.mark.parametrize("ask", [wait, call_back, Fence.enable_signaling])
def test_who_waits_begins_the_preemption_and_nobody_else(any_world: World, ask: Callable[[Fence], object]) -> None:  # noqa: ARG001
    owner = Owner()
    fence = PreemptFence(owner.begin)
    assert (fence.signaled, fence.status, fence.error) == (False, 0, 0)
    assert owner.asked == []
    for _ in range(2):
        ask(fence)
    assert owner.asked == [fence]
    assert fence.signal()
    assert fence.status == 1


def test_it_is_pending_as_long_as_nobody_waits(virtual: World) -> None:
    fence = PreemptFence(Owner().begin)
    virtual.sleep(1_000_000)
    assert not fence.signaled


def test_that_of_a_context_which_is_gone_signals_with_an_error(any_world: World) -> None:  # noqa: ARG001
    fence = PreemptFence(Owner(there=False).begin)
    assert fence.status == 0
    assert fence.wait()
    assert fence.status == -errno.ENOENT


def test_one_that_was_signalled_begins_nothing(any_world: World) -> None:  # noqa: ARG001
    owner = Owner()
    fence = PreemptFence(owner.begin)
    fence.signal()
    assert fence.wait()
    assert owner.asked == []
