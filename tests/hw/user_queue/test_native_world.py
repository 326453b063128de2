"""User queues on threads and the wall clock: what holds whatever the threads do, and no absolute times."""

from __future__ import annotations

import errno
import random
from functools import partial
from typing import Literal

import pytest

from fencepost import Runtime
from fencepost.checks.invariants import check_quiescent
from fencepost.fences import Fence, UserFence
from fencepost.hw.user_queue import Mes, Misfortune, Process, UserQueue, UserWrite
from fencepost.sync import current
from tests.hw.kit import assert_one_at_a_time
from tests.hw.user_queue.kit import packet

Dispatch = Literal["thread", "workqueue"]

dispatches = pytest.mark.parametrize("dispatch", ["thread", "workqueue"])

QUEUES = 5
PACKETS = 30


def use(queue: UserQueue, seed: int, user: UserFence, fences: list[Fence]) -> None:
    """Write packets of which each depends on the one before it in some queue, and raises a user fence by one."""
    rng = random.Random(seed)
    for value in range(1, PACKETS + 1):
        waits = (rng.choice(fences),) if fences and rng.random() < 0.5 else ()
        write = UserWrite(user, value)
        number = queue.submit(packet(rng.randrange(40), waits=waits, write=write), block=True, timeout_s=20)
        fences.append(queue.fence(number))


def take_off(process: Process) -> None:
    """Hold the queues off the hardware for half a millisecond."""
    assert process.hold().wait(20)
    current().sleep(5e-4)
    process.release()


@dispatches
def test_all_packets_are_executed_whatever_happens_to_doorbells_and_memory(dispatch: Dispatch) -> None:
    misfortune = Misfortune(lose=0.5, delay=0.2, delay_us=200)
    fences: list[Fence] = []
    with Runtime(dispatch=dispatch, workers=2, events=None) as rt:
        mes = Mes(rt, {"ccs": 2}, slots=3, quantum_us=50, preempt_us=5, poll_us=300, misfortune=misfortune)
        processes = [mes.process(f"p{number}") for number in range(2)]
        queues = [processes[number % 2].queue("ccs", size=8) for number in range(QUEUES)]
        users = [UserFence() for _ in queues]
        tasks = [rt.spawn(partial(use, queue, number, users[number], fences)) for number, queue in enumerate(queues)]
        for _ in range(5):
            take_off(processes[0])
        for task in tasks:
            task.join()
        for fence in fences:
            assert fence.wait(20), fence
        statistics = mes.statistics()
    assert [fence.error for fence in fences] == [0] * (QUEUES * PACKETS)
    assert [user.value for user in users] == [PACKETS] * QUEUES
    assert_one_at_a_time(rt)
    by_context: dict[int, list[int]] = {}
    for fence in sorted(fences, key=lambda fence: fence.seqno):
        by_context.setdefault(fence.context, []).append(fence.timestamp_ns)
    assert all(times == sorted(times) for times in by_context.values())
    assert sum(engine.jobs for engine in statistics.engines.values()) == QUEUES * PACKETS
    assert check_quiescent(rt) == []


def try_luck(process: Process, seed: int, fences: list[Fence]) -> None:
    """Use queues of which some hang, some fault, and all are destroyed after a while."""
    rng = random.Random(seed)
    for _ in range(3):
        queue = process.queue("ccs", size=8)
        try:
            for _ in range(10):
                hang = rng.random() < 0.1
                if rng.random() < 0.05:
                    queue.fault(queue.mqd.ring.wptr.load() + 1)
                number = queue.submit(packet(None if hang else rng.randrange(40), preempt_us=0), block=True)
                fences.append(queue.fence(number))
        except OSError as refusal:
            assert refusal.errno in (errno.ETIME, errno.EIO, errno.ECANCELED)  # noqa: PT017 - many may come
        queue.destroy(at_once=rng.random() < 0.5)


@dispatches
@pytest.mark.parametrize("seed", range(3))
def test_everything_goes_wrong_and_every_fence_signals(dispatch: Dispatch, seed: int) -> None:
    fences: list[Fence] = []
    misfortune = Misfortune(lose=0.3, delay=0.2, delay_us=200, seed=seed)
    with Runtime(dispatch=dispatch, workers=2) as rt:
        mes = Mes(
            rt,
            {"ccs": 2},
            slots=2,
            quantum_us=100,
            preempt_timeout_us=1_000,
            hang_timeout_s=0.01,
            misfortune=misfortune,
        )
        processes = [mes.process(f"p{number}") for number in range(3)]
        tasks = [rt.spawn(partial(try_luck, process, 10 * seed + n, fences)) for n, process in enumerate(processes)]
        for process in processes:
            take_off(process)
        mes.reset_engine("ccs0")
        for task in tasks:
            task.join()
        for fence in fences:
            assert fence.wait(20), fence
    assert {fence.error for fence in fences} <= {0, -errno.ETIME, -errno.EIO, -errno.ECANCELED}
    assert_one_at_a_time(rt)
    assert check_quiescent(rt) == []
