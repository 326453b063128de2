"""Numbers written to memory, and the fences that they reach."""

from __future__ import annotations

import errno

import pytest

from fencepost.fences import Fence
from fencepost.hw.guc.fence_irq import FenceIrq
from fencepost.sync import current


@pytest.fixture
def irq() -> FenceIrq:
    return FenceIrq(current(), "queue")


def test_a_number_reaches_all_up_to_it(irq: FenceIrq) -> None:
    fences = [irq.fence() for _ in range(3)]
    irq.write(2, 50)
    assert [fence.signaled for fence in fences] == [True, True, False]
    assert [fence.timestamp_ns for fence in fences[:2]] == [50, 50]
    assert [irq.complete(fence) for fence in fences] == [True, True, False]
    assert {fence.context for fence in fences} == {irq.context}


def test_nobody_becomes_complete_while_it_is_stopped(irq: FenceIrq) -> None:
    first, second, third = (irq.fence() for _ in range(3))
    irq.stop()
    irq.write(1, 10)
    irq.fail(first, -errno.ETIME)
    irq.fail(second, -errno.ETIME)
    assert irq.complete(first)
    assert not first.signaled
    irq.start()
    assert (first.error, first.timestamp_ns) == (0, 10), "it was complete before the recovery came to it"
    assert (second.error, third.signaled) == (-errno.ETIME, False)


def test_a_job_with_an_error_signals_at_the_next_look(irq: FenceIrq) -> None:
    first, second = irq.fence(), irq.fence()
    irq.fail(second, -errno.EIO)
    assert not second.signaled
    irq.walk()
    assert (first.signaled, second.error) == (False, -errno.EIO)


def test_a_teardown_does_not_wait_for_the_start(irq: FenceIrq) -> None:
    first, second = irq.fence(), irq.fence()
    irq.stop()
    irq.write(1, 10)
    irq.end(first, -errno.ECANCELED)
    irq.end(second, -errno.ECANCELED)
    irq.end(second, -errno.EIO)
    assert (first.error, second.error) == (0, -errno.ECANCELED)


def test_what_is_written_during_the_look_signals_behind_it(irq: FenceIrq) -> None:
    order: list[int] = []
    fences = [irq.fence() for _ in range(3)]
    for fence in fences:
        fence.add_callback(lambda fence: order.append(fence.seqno))

    def write_more(_fence: Fence) -> None:
        irq.write(3, 30)
        order.append(0)

    fences[0].add_callback(write_more)
    irq.write(1, 10)
    assert order == [1, 0, 2, 3]
