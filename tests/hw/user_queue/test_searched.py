"""Users, firmware and driver in every order that a search comes by."""

from __future__ import annotations

import errno
from functools import partial

import pytest

from fencepost import Runtime
from fencepost.checks import Kind, explore
from fencepost.fences import Compare, Fence, UserFence
from fencepost.hw.user_queue import Mes, Misfortune, QueueState, UserQueue, UserWrite
from fencepost.sync import Task
from tests.hw.user_queue.kit import SHARED, assert_clean, made, packet


def joined(*tasks: Task) -> None:
    for task in tasks:
        task.join()


def assert_settled(*queues: UserQueue) -> None:
    """Nothing is left in the rings, and the pointers are where they belong."""
    for queue in queues:
        ring = queue.mqd.ring
        assert ring.rptr.load() == ring.wptr.load() == queue.mqd.fetched
        assert not queue.mqd.emissions
        assert not queue.mqd.batches


@pytest.mark.parametrize("lose", [0.0, 1.0])
def test_two_threads_ring_while_the_queue_is_unmapped_and_mapped(lose: float) -> None:
    """One slot for two queues, whose packets push each other out of it."""

    def model(rt: Runtime) -> None:
        mes = Mes(rt, {"ccs": 1}, slots=1, quantum_us=1, preempt_us=1, misfortune=Misfortune(lose=lose))
        first, second = made(mes, "a", "b")

        def user(queue: UserQueue) -> None:
            number = queue.submit(packet(2))
            queue.fence(number).wait()

        joined(*(rt.spawn(partial(user, queue)) for queue in (first, first, second)))
        assert_settled(first, second)
        assert mes.statistics().engines["ccs0"].busy_ns == 6_000

    assert_clean(model)


def test_what_is_published_before_the_doorbell_is_executed() -> None:
    def model(rt: Runtime) -> None:
        (queue,) = made(Mes(rt, {"ccs": 1}), "a")
        for _ in range(3):
            queue.write(packet(1))
            queue.publish()
            queue.ring_doorbell()
        queue.fence().wait()
        assert_settled(queue)

    assert_clean(model, schedules=200)


def test_a_fence_that_a_packet_waits_for_signals_at_any_moment() -> None:
    def model(rt: Runtime) -> None:
        (queue,) = made(Mes(rt, {"ccs": 1}), "a")
        outside = Fence(name="outside")
        task = rt.spawn(outside.signal)
        queue.submit(packet(1, waits=(outside,)), packet(1))
        queue.fence().wait()
        assert_settled(queue)
        task.join()

    assert_clean(model)


def test_what_is_published_after_the_doorbell_is_missed() -> None:
    """The order that a user must keep, put the wrong way round: the search finds who waits for ever."""

    def model(rt: Runtime) -> None:
        (queue,) = made(Mes(rt, {"ccs": 1}), "a")
        for _ in range(2):
            queue.write(packet(1))
            queue.ring_doorbell()
            queue.publish()
        queue.fence().wait()

    report = explore(model, schedules=500, fields=SHARED)
    assert report.kind is Kind.DEADLOCK, str(report)


def test_a_queue_is_destroyed_with_a_doorbell_on_its_way() -> None:
    def model(rt: Runtime) -> None:
        mes = Mes(rt, {"ccs": 1}, slots=1)
        queue, other = made(mes, "a", "b")
        other.submit(packet(2))
        ended: list[int | None] = []

        def user() -> None:
            try:
                fence = queue.fence(queue.submit(packet(2)))
            except OSError as refusal:
                ended.append(-(refusal.errno or 0))
            else:
                fence.wait()
                ended.append(fence.error)

        joined(rt.spawn(user), rt.spawn(queue.destroy))
        other.fence().wait()
        assert ended in ([0], [-errno.ECANCELED])
        assert_settled(other)

    assert_clean(model)


@pytest.mark.parametrize("timers", ["never", "free"])
def test_a_queue_is_preempted_just_as_its_packet_completes(timers: str) -> None:
    def model(rt: Runtime) -> None:
        mes = Mes(rt, {"ccs": 1}, preempt_us=0, preempt_timeout_us=5)
        process = mes.process("a")
        queue = process.queue("ccs")
        user = UserFence()
        queue.submit(packet(5, write=UserWrite(user, 1)), packet(1))
        first, last = queue.fence(1), queue.fence(2)
        process.hold().wait()
        process.release()
        last.wait()
        if first.error:
            assert (first.error, last.error, queue.state) == (-errno.ETIME, -errno.ECANCELED, QueueState.HUNG)
            assert user.value == 0
        else:
            assert last.error == 0
            assert user.wait(Compare.EQ, 1, timeout_s=0)
            assert_settled(queue)

    assert_clean(model, timers=timers)


def test_no_packet_is_on_an_engine_from_the_gate_to_the_release() -> None:
    def model(rt: Runtime) -> None:
        mes = Mes(rt, {"ccs": 2}, preempt_us=1)
        process = mes.process("a")
        queues = [process.queue("ccs0"), process.queue("ccs1")]
        users = [rt.spawn(partial(queue.submit, packet(3), packet(3))) for queue in queues]
        process.hold().wait()
        for _ in range(2):
            assert all(seat.context is None for seat in mes.hardware._contexts.seats.values())  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            rt.world.sleep(4e-6)
        process.release()
        joined(*users)
        for queue in queues:
            queue.fence().wait()
        assert_settled(*queues)

    assert_clean(model)


def test_the_time_of_a_fence_is_up_just_as_it_signals() -> None:
    def model(rt: Runtime) -> None:
        mes = Mes(rt, {"ccs": 1}, hang_timeout_s=5e-6, preempt_us=0)
        (queue,) = made(mes, "a")
        queue.submit(packet(5), packet(1))
        first, last = queue.fence(1), queue.fence(2)
        last.wait()
        assert (first.error, last.error) in [(0, 0), (-errno.ETIME, -errno.ECANCELED)]
        assert (queue.state is QueueState.HUNG) == bool(first.error)

    assert_clean(model, schedules=200, timers="free")


def test_a_destroy_races_with_a_hold_and_its_release() -> None:
    def model(rt: Runtime) -> None:
        mes = Mes(rt, {"ccs": 1})
        process = mes.process("a")
        queue, other = process.queue("ccs"), process.queue("ccs")

        def hold() -> None:
            process.hold().wait()
            assert other.state is not QueueState.MAPPED
            process.release()

        queue.submit(packet(3))
        joined(rt.spawn(hold), rt.spawn(queue.destroy), rt.spawn(lambda: other.submit(packet(1))))
        other.fence().wait()
        assert_settled(other)

    assert_clean(model)


def test_who_waits_for_room_is_not_forgotten() -> None:
    def model(rt: Runtime) -> None:
        queue = Mes(rt, {"ccs": 1}).process("a").queue("ccs", size=1)
        tasks = [rt.spawn(lambda: queue.submit(packet(1), block=True)) for _ in range(3)]
        joined(*tasks)
        queue.fence().wait()
        assert queue.mqd.ring.rptr.load() == 3

    assert_clean(model)
