from __future__ import annotations

import errno
from typing import cast

import pytest

from fencepost.errors import WrongState
from fencepost.hw.agx.command import Command, Kind
from fencepost.hw.agx.event_slots import STEP, EventSlots
from fencepost.hw.agx.submission import Submission
from fencepost.hw.agx.work_queue import OpenJob, WorkQueue


def commands(queue: WorkQueue, count: int) -> list[Command]:
    return [Command(cast("Submission", None), queue, 1.0, None) for _ in range(count)]


def opened(queue: WorkQueue, count: int = 1) -> OpenJob:
    """Open a job for which there is room."""
    job = queue.open(count)
    assert job is not None
    job.add(commands(queue, count))
    return job


def submitted(queue: WorkQueue, count: int = 1) -> OpenJob:
    job = opened(queue, count)
    job.commit()
    job.submit()
    return job


def complete(queue: WorkQueue, count: int = 1) -> None:
    """Be the firmware."""
    queue.gpu_seen = queue.cpu_wptr.value
    for _ in range(count):
        queue.retire(0)


def test_commands_come_back_in_order_as_far_as_the_stamp_tells() -> None:
    queue = WorkQueue(Kind.COMPUTE, 0, EventSlots(1))
    first, second = submitted(queue, 2), submitted(queue)
    assert [command.value for command in [*first.commands, *second.commands]] == [STEP, 2 * STEP, 3 * STEP]
    assert queue.reap() == []
    complete(queue, 2)
    assert queue.reap() == first.commands
    complete(queue)
    assert queue.reap() == second.commands


def test_an_active_queue_has_a_slot_and_an_idle_one_has_none() -> None:
    slots = EventSlots(1)
    queue = WorkQueue(Kind.COMPUTE, 0, slots)
    job = opened(queue)
    assert slots.free == 0
    job.commit()
    job.submit()
    submitted(queue)
    complete(queue)
    queue.reap()
    assert slots.free == 0
    complete(queue)
    queue.reap()
    assert slots.free == 1
    assert queue.slot is None


def test_without_an_event_slot_nothing_is_opened() -> None:
    slots = EventSlots(1)
    one, other = WorkQueue(Kind.COMPUTE, 0, slots), WorkQueue(Kind.COMPUTE, 0, slots)
    submitted(one)
    assert other.open(1) is None
    complete(one)
    one.reap()
    assert other.open(1) is not None


@pytest.mark.parametrize(
    ("size", "max_in_flight", "fits"), [(1280, 127, 126), (4, 127, 2), (5, 4, 3), (0x500, 0x600, 1278)]
)
def test_the_tests_for_room_are_strict(size: int, max_in_flight: int, fits: int) -> None:
    queue = WorkQueue(Kind.COMPUTE, 0, EventSlots(1), size=size, max_in_flight=max_in_flight)
    assert queue.most_at_once == fits
    assert queue.open(fits + 1) is None
    assert queue.slot is None
    submitted(queue, fits)
    assert queue.open(1) is None
    complete(queue)
    assert queue.open(1) is None
    queue.reap()
    submitted(queue)


def test_a_ring_goes_round() -> None:
    queue = WorkQueue(Kind.COMPUTE, 0, EventSlots(1), size=4)
    for _ in range(7):
        job = submitted(queue, 2)
        complete(queue, 2)
        assert queue.reap() == job.commands
    assert queue.cpu_wptr.value == queue.cpu_freeptr == queue.gpu_doneptr.value == 14 % 4


def test_stamps_wrap_round() -> None:
    slots = EventSlots(1)
    slots[0].stamp.value = 0xFFFFFF00
    queue = WorkQueue(Kind.COMPUTE, 0, slots)
    job = submitted(queue, 3)
    assert [command.value for command in job.commands] == [0, STEP, 2 * STEP]
    complete(queue, 2)
    assert queue.reap() == job.commands[:2]


def test_of_two_open_jobs_only_one_can_be_committed() -> None:
    queue = WorkQueue(Kind.COMPUTE, 0, EventSlots(1))
    one, other = opened(queue), opened(queue)
    other.commit()
    with pytest.raises(OSError, match="another job was committed since this one was opened") as refused:
        one.commit()
    assert refused.value.errno == errno.EINVAL


def test_jobs_are_submitted_in_the_order_of_their_commits() -> None:
    queue = WorkQueue(Kind.COMPUTE, 0, EventSlots(1))
    first = opened(queue)
    first.commit()
    second = opened(queue)
    second.commit()
    with pytest.raises(OSError, match="committed earlier is still to be submitted") as refused:
        second.submit()
    assert refused.value.errno == errno.EINVAL
    assert queue.cpu_wptr.value == 0
    first.submit()
    second.submit()
    assert queue.cpu_wptr.value == 2


def test_a_dropped_job_leaves_no_trace() -> None:
    slots = EventSlots(1)
    queue = WorkQueue(Kind.COMPUTE, 0, slots)
    kept = opened(queue, 2)
    kept.commit()
    dropped = opened(queue, 3)
    dropped.commit()
    dropped.drop()
    kept.submit()
    assert [command.value for command in submitted(queue).commands] == [3 * STEP]
    complete(queue, 3)
    queue.reap()
    opened(queue).drop()
    assert slots.free == 1


def test_only_the_newest_commit_can_be_dropped() -> None:
    queue = WorkQueue(Kind.COMPUTE, 0, EventSlots(1))
    first = opened(queue)
    first.commit()
    second = opened(queue)
    second.commit()
    with pytest.raises(WrongState, match="only the job that was committed last"):
        first.drop()
    second.drop()
    first.drop()
    assert queue.slot is None
