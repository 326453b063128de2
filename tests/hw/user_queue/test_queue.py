"""What a user can do with a queue, in virtual time."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from fencepost import Runtime
from fencepost.errors import BadInput
from fencepost.events.kinds import BATCH
from fencepost.fences import Compare, Fence, UserFence
from fencepost.hw.user_queue import DOORBELLS, Mes, Packet, QueueState, UserWrite
from fencepost.policies import Priority
from tests.hw.user_queue.kit import made, packet, refused, world_us

Stretches = Callable[[], list[tuple[str, str, int, int]]]


def test_packets_are_executed_in_order_and_their_fences_say_when(rt: Runtime, stretches: Stretches) -> None:
    (queue,) = made(Mes(rt, {"ccs": 1}), "a")
    numbers = [queue.submit(packet(duration_us)) for duration_us in (30, 0, 20)]
    fences = [queue.fence(number) for number in numbers]
    assert fences[-1].wait()
    assert [fence.timestamp_ns for fence in fences] == [30_000, 30_000, 50_000]
    assert [(start, end) for *_, start, end in stretches()] == [(0, 30), (30, 30), (30, 50)]


def test_several_packets_take_one_doorbell(rt: Runtime) -> None:
    mes = Mes(rt, {"ccs": 1})
    (queue,) = made(mes, "a")
    rt.world.sleep(1e-6)
    posted: list[object] = []
    post = mes.firmware.post

    def note_and_post(message: object) -> None:
        posted.append(message)
        post(message)

    mes.firmware.post = note_and_post
    for _ in range(3):
        queue.submit(packet(1), packet(1))
    assert len(posted) == 1
    queue.fence().wait()
    assert queue.mqd.ring.rptr.load() == 6


def test_user_fences_are_written_in_order_before_the_kernel_fence_signals(rt: Runtime) -> None:
    (queue,) = made(Mes(rt, {"ccs": 1}), "a")
    user = UserFence()
    seen: list[int] = []
    queue.submit(packet(5, write=UserWrite(user, 1)), packet(5, write=UserWrite(user, 2)))
    queue.fence().add_callback(lambda _fence: seen.append(user.value))
    assert user.wait(Compare.EQ, 1)
    assert world_us(rt) == 5
    assert user.wait(Compare.GTE, 2)
    queue.fence().wait()
    assert seen == [2]


def test_a_full_ring_is_refused_and_nothing_is_written(rt: Runtime) -> None:
    queue = Mes(rt, {"ccs": 1}).process("a").queue("ccs", size=2)
    queue.submit(packet(10))
    refused(errno.EWOULDBLOCK, "has no room for 2 more packets", lambda: queue.submit(packet(1), packet(1)))
    assert queue.submit(packet(10)) == 2
    queue.fence().wait()
    assert world_us(rt) == 20


def test_who_waits_for_room_gets_it_when_the_oldest_is_complete(rt: Runtime) -> None:
    queue = Mes(rt, {"ccs": 1}).process("a").queue("ccs", size=2)
    queue.submit(packet(10), packet(20))
    refused(errno.ETIME, "had no room for 1 more", lambda: queue.submit(packet(), block=True, timeout_s=5e-6))
    assert world_us(rt) == 5
    assert queue.submit(packet(1), block=True) == 3
    assert world_us(rt) == 10


@pytest.mark.parametrize("count", [0, 3])
def test_more_packets_than_the_ring_holds_or_none_are_refused(rt: Runtime, count: int) -> None:
    queue = Mes(rt, {"ccs": 1}).process("a").queue("ccs", size=2)
    refused(
        errno.EINVAL,
        f"{count} packets for a.1, expected 1 to 2",
        lambda: queue.submit(*[packet() for _ in range(count)], block=True),
    )


def test_a_fence_where_no_protected_packet_stands_is_refused(rt: Runtime) -> None:
    (queue,) = made(Mes(rt, {"ccs": 1}), "a")
    refused(errno.EINVAL, "a fence of a at 0, expected a protected packet", queue.fence)
    queue.submit(packet(), Packet(duration_us=1))
    refused(errno.EINVAL, "at 2, expected a protected packet, up to 1", lambda: queue.fence(2))
    assert queue.fence().seqno == 1


def test_a_packet_waits_in_the_ring_for_fences_of_other_queues(rt: Runtime, stretches: Stretches) -> None:
    """The queue that waits lets the other one have the engine, and nobody in between is asked."""
    first, second = made(Mes(rt, {"ccs": 1}), "a", "b")
    outside = Fence(name="outside")
    second.submit(packet(5))
    waits = (outside, second.fence())
    first.submit(packet(7, waits=waits), packet(1))
    rt.world.timers.call_at(50_000, outside.signal)
    first.fence().wait()
    assert [(client, start, end) for _, client, start, end in stretches()] == [
        ("b", 0, 5),
        ("a", 50, 57),
        ("a", 57, 58),
    ]


def test_a_packet_that_waits_holds_up_what_comes_after_it(rt: Runtime) -> None:
    (queue,) = made(Mes(rt, {"ccs": 1}), "a")
    outside = Fence(name="outside")
    queue.submit(packet(1), packet(1, waits=(outside,)), packet(1))
    rt.world.sleep(1e-3)
    assert queue.mqd.ring.rptr.load() == 1
    outside.signal(-errno.EIO)
    queue.fence().wait()
    assert world_us(rt) == 1002


def test_the_more_important_queue_runs_first_and_equals_take_turns(rt: Runtime, stretches: Stretches) -> None:
    mes = Mes(rt, {"ccs": 1}, quantum_us=10, preempt_us=1)
    low, high = made(mes, "low", "high")
    low.submit(packet(20))
    rt.world.sleep(5e-6)
    high.set_priority(Priority.HIGH)
    high.submit(packet(20))
    low.fence().wait()
    assert [(client, end) for _, client, _, end in stretches()] == [("low", 5), ("high", 25), ("low", 40)]


def test_a_packet_ends_when_told_wherever_it_is(rt: Runtime) -> None:
    (queue,) = made(Mes(rt, {"ccs": 1}), "a")
    outside = Fence(name="outside")
    running, waiting = queue.submit(packet(None)), queue.submit(packet(None, waits=(outside,)))
    rt.world.sleep(10e-6)
    queue.terminate(waiting)
    queue.terminate(running)
    assert queue.fence(running).wait(0)
    outside.signal()
    assert queue.fence(waiting).wait()
    queue.terminate(waiting)
    assert world_us(rt) == 10
    assert queue.mqd.to_end == set()


def test_what_is_pending_at_a_destroy_ends_and_nothing_more_is_taken(rt: Runtime) -> None:
    mes = Mes(rt, {"ccs": 1})
    (queue,) = made(mes, "a")
    user = UserFence(name="user")
    queue.submit(packet(1_000), packet(1_000, write=UserWrite(user, 1)))
    fences = [queue.fence(1), queue.fence(2)]
    rt.world.sleep(10e-6)
    queue.destroy()
    queue.destroy()
    assert [fence.error for fence in fences] == [-errno.ECANCELED] * 2
    refused(errno.EIO, "will not be written any more", lambda: user.wait(Compare.EQ, 1))
    refused(errno.ECANCELED, "takes nothing any more", lambda: queue.submit(packet()))
    refused(errno.ECANCELED, "takes nothing any more", queue.ring_doorbell)
    assert queue.mqd.ring.wptr.load() == 2
    assert mes.statistics().engines["ccs0"].busy_ns == 100_000, "it went at its first point of preemption"


def test_a_destroy_wakes_who_waits_for_room(rt: Runtime) -> None:
    queue = Mes(rt, {"ccs": 1}).process("a").queue("ccs", size=1)
    queue.submit(packet(None))
    task = rt.spawn(lambda: refused(errno.ECANCELED, "takes nothing", lambda: queue.submit(packet(), block=True)))
    rt.world.sleep(1e-6)
    queue.destroy()
    task.join()


def test_a_process_has_512_queues_and_room_for_one_more_when_one_is_gone(rt: Runtime) -> None:
    process = Mes(rt, {"ccs": 1}).process("a")
    queues = [process.queue("ccs", size=1) for _ in range(DOORBELLS)]
    refused(errno.ENOSPC, "the doorbell page of a is full", lambda: process.queue("ccs", size=1))
    queues[7].destroy()
    assert process.queue("ccs", size=1).doorbell_offset == 56


def test_what_no_queue_can_be_made_with_is_refused_and_takes_no_doorbell(rt: Runtime) -> None:
    process = Mes(rt, {"ccs": 1}).process("a")
    refused(errno.EINVAL, "a ring of 3 packets", lambda: process.queue("ccs", size=3))
    with pytest.raises(BadInput, match="engine: found 'rcs0', expected one of ccs, ccs0"):
        process.queue("rcs0")
    assert process.queue("ccs").doorbell_offset == 0


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"slots": 0}, "slots: found 0"),
        ({"poll_us": -1}, "poll_us: found -1"),
        ({"quantum_us": float("nan")}, "quantum_us: found nan"),
        ({"hang_timeout_s": -1}, "hang_timeout_s"),
        ({"engines": {"tpu": 1}}, "engine class 'tpu'"),
    ],
)
def test_a_device_that_cannot_be_is_refused(rt: Runtime, said: dict[str, object], match: str) -> None:
    with pytest.raises(BadInput, match=match):
        Mes(rt, **said)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_an_unplugged_device_ends_everything_and_takes_no_queues(rt: Runtime) -> None:
    mes = Mes(rt, {"ccs": 1})
    (queue,) = made(mes, "a")
    queue.submit(packet(None))
    fence = queue.fence()
    mes.unplug()
    fence.wait()
    assert (fence.error, queue.state) == (-errno.ENODEV, QueueState.HUNG)
    refused(errno.ENODEV, "takes no queues any more", lambda: made(mes, "b"))


def test_leaving_the_runtime_ends_what_is_pending() -> None:
    with Runtime(world="virtual") as rt:
        (queue,) = made(Mes(rt, {"ccs": 1}), "a")
        queue.submit(packet(None), packet())
        fences = [queue.fence(1), queue.fence(2)]
    assert [fence.error for fence in fences] == [-errno.ECANCELED] * 2


def test_events_call_packets_by_what_their_user_said(rt: Runtime) -> None:
    (queue,) = made(Mes(rt, {"ccs": 1}), "a")
    label = Fence(77, 5)
    queue.submit(packet(1, label=label), packet(1))
    queue.fence().wait()
    assert rt.events is not None
    assert [(context, seqno) for *_, context, seqno, _, _ in rt.events.of(BATCH)] == [
        (77, 5),
        (queue.fence().context, 2),
    ]
