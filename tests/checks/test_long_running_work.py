"""How long-running work deadlocks with fences: each circle is found in one run of its parts, none of which hangs.

J is a job on the hardware, F its fence, H the handler of its page faults: what H needs, F needs, so H is in a section.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fencepost.errors import WrongContext
from fencepost.fences import FaultingWork, Fence, PreemptFence, UserFence, promise, publish
from fencepost.fences.reservation import Reservation
from fencepost.fences.usage import Usage
from fencepost.sync import Lock, current
from fencepost.sync.allocation import Allocation, might_alloc
from fencepost.sync.observer import name_lock, signalling
from tests.checks.rules import ruled


def mmap_lock() -> Lock:
    lock = current().lock()
    name_lock(lock, "mmap")
    return lock


def fault_and_reclaim() -> None:
    """F waits for J, J for H, H for memory, and who frees that waits for F."""
    with signalling():
        might_alloc(Allocation.KERNEL)


def fault_and_mmap_lock() -> None:
    """An unmapping task holds the lock and waits for F, and H wants the lock."""
    lock = mmap_lock()
    with lock:
        Fence(name="F").wait(timeout_s=0.001)
    with signalling(), lock:
        pass


def fault_and_reservation() -> None:
    """An evicting task holds the reservation and waits for F, and H wants it to move the memory."""
    reservation = Reservation("X")
    with signalling():
        reservation.lock()
        reservation.unlock()


def across_engines() -> None:
    """Work that can fault has the engine, and the job of a fence is behind it; no fence of that work is needed."""
    with FaultingWork("L", "rcs0"):
        fence = Fence(name="K")
        promise(fence, on="rcs0")
        publish(fence, "a buffer")
        fence.signal()


def user_fence_imported() -> None:
    """The job comes after a user fence, which is written by a thread that first wants memory."""
    fence = Fence(name="K")
    promise(fence, after=[UserFence(name="U")])
    publish(fence, "a syncobj")
    fence.signal()


def lock_of_preempt_worker() -> None:
    """A rebinding task holds the lock of the address space and waits; the worker that preempts wants it too."""
    lock = mmap_lock()
    fence = PreemptFence(lambda _fence: True)
    with lock:
        fence.wait(timeout_s=0.001)
    with signalling():
        with lock:
            pass
        fence.signal()


def ordered_work() -> None:
    """Of two preemptions in one queue the first waits for the second."""
    first, second = (PreemptFence(lambda _fence: True, name=name) for name in ("first", "second"))
    with signalling():
        second.wait(timeout_s=0.001)
        first.signal()
        second.signal()


@pytest.mark.parametrize(
    "circle",
    [
        fault_and_reclaim,
        fault_and_mmap_lock,
        fault_and_reservation,
        across_engines,
        user_fence_imported,
        lock_of_preempt_worker,
        ordered_work,
    ],
)
def test_the_circle_is_found(circle: Callable[[], None]) -> None:
    with ruled() as here:
        here.run(circle)
    (said,) = here.breaches
    assert f"in {circle.__name__}" in said


def test_a_callback_that_blocks_is_refused() -> None:
    """The other half of `ordered_work`."""
    refused: list[WrongContext] = []
    with ruled() as here:
        first, second = Fence(), Fence()

        def callback(_fence: Fence) -> None:
            with pytest.raises(WrongContext) as caught:
                second.wait()
            refused.append(caught.value)

        first.add_callback(callback)
        first.signal()
    assert len(refused) == 1
    assert here.breaches == []


def test_long_running_work_that_gives_way_keeps_all_rules() -> None:
    """No fence of its own, a fence for its preemption, a user fence for its completion; memory is there in time."""
    with ruled() as here:
        done = UserFence(name="done")
        buffer = Reservation("buffer")
        preempted = PreemptFence(lambda _fence: True)
        promise(preempted, by="worker")
        with FaultingWork("L", "rcs0", preemptible=True):
            buffer.lock()
            buffer.reserve()
            buffer.add(preempted, Usage.BOOKKEEP)
            buffer.unlock()
            here.world.sleep(1000)
            preempted.enable_signaling()
        with signalling():
            preempted.signal()
        done.write(1)
    assert here.breaches == []
