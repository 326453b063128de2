"""The primitives under search: a few tasks, many schedules."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.sync import Empty, Gate
from tests.searching import assert_clean, joined


def test_whoever_waits_at_a_gate_gets_through() -> None:
    def model(rt: Runtime) -> None:
        gate = Gate()
        waiters = [rt.spawn(gate.wait), rt.spawn(gate.wait), rt.spawn(lambda: gate.wait(1))]
        joined(rt.spawn(gate.open), rt.spawn(gate.open), *waiters)
        assert [waiter.result for waiter in waiters] == [True] * 3

    assert_clean(model, schedules=300)


def test_whoever_gives_up_at_a_gate_takes_nobody_along() -> None:
    def model(rt: Runtime) -> None:
        gate = Gate()
        patient, *hasty = [rt.spawn(gate.wait), rt.spawn(lambda: gate.wait(0.001)), rt.spawn(lambda: gate.wait(0.001))]
        joined(*hasty, rt.spawn(gate.open), patient)
        assert patient.result is True

    assert_clean(model, schedules=400, timers="free")


def test_timers_that_are_armed_at_once_all_fire() -> None:
    def model(rt: Runtime) -> None:
        world, gates = rt.world, [Gate(), Gate(), Gate()]

        def arm(number: int) -> None:
            world.timers.call_at(1000 * (3 - number), gates[number].open)

        joined(*(rt.spawn(lambda n=n: arm(n)) for n in range(3)))  # type: ignore[misc]
        for gate in gates:
            gate.wait()
        assert not world.timers.pending
        assert sum(task.name == "timers" for task in world.tasks) == 1

    assert_clean(model, schedules=300)
    assert_clean(model, schedules=200, timers="free")


def test_a_timer_that_is_earlier_than_those_before_is_on_time() -> None:
    def model(rt: Runtime) -> None:
        world, gate = rt.world, Gate()
        far = world.timers.call_at(10**12, lambda: None)
        armer = rt.spawn(lambda: world.timers.call_at(1000, gate.open))
        gate.wait()
        armer.join()
        assert world.now_ns() < 10**12
        assert far.cancel()

    assert_clean(model)


def test_a_timer_is_cancelled_or_fires() -> None:
    def model(rt: Runtime) -> None:
        ran, end = list[str](), Gate()
        timer = rt.world.timers.call_at(0, lambda: ran.append("ran"))
        rt.world.timers.call_at(1, end.open)
        cancellers = [rt.spawn(timer.cancel), rt.spawn(timer.cancel)]
        joined(*cancellers)
        end.wait()
        assert len(ran) + sum(task.result for task in cancellers) == 1

    assert_clean(model)


def test_a_timer_that_is_armed_is_pending_while_others_come_and_go() -> None:
    def model(rt: Runtime) -> None:
        timers = rt.world.timers
        idle, end = [timers.call_at(when_ns, lambda: None) for when_ns in (0, 1)], Gate()
        timers.call_at(10**9, end.open)
        for timer in idle:
            timer.cancel()
        assert timers.pending
        end.wait()
        assert not timers.pending

    assert_clean(model)


def test_nothing_fires_once_the_timers_have_stopped() -> None:
    def model(rt: Runtime) -> None:
        world, ran = rt.world, list[str]()
        world.timers.call_at(10**9, lambda: ran.append("ran"))
        tasks = [rt.spawn(world.timers.stop), rt.spawn(lambda: world.timers.call_at(10**9, lambda: ran.append("ran")))]
        joined(*tasks)
        (timers,) = (task for task in world.tasks if task.name == "timers")
        timers.join()
        assert world.now_ns() == 0
        world.sleep(2)
        assert not ran

    assert_clean(model)


def test_every_letter_goes_to_one_receiver() -> None:
    def model(rt: Runtime) -> None:
        mailbox = rt.world.mailbox()

        def glance() -> list[int]:
            try:
                return [mailbox.get_nowait()]
            except Empty:
                return []

        receivers = [rt.spawn(mailbox.get), rt.spawn(mailbox.get)]
        glancer = rt.spawn(glance)
        senders = [rt.spawn(lambda n=n: mailbox.put(n)) for n in range(2)]  # type: ignore[misc]
        joined(*senders, glancer)
        if glancer.result:
            mailbox.put(9)
        joined(*receivers)
        taken = [receiver.result for receiver in receivers]
        assert sorted([*taken, *glancer.result]) == [0, 1, 9][: 2 + len(glancer.result)]
        assert mailbox.empty()

    assert_clean(model, schedules=300)


def test_a_lock_is_held_by_one_at_a_time() -> None:
    def model(rt: Runtime) -> None:
        lock, inside = rt.world.lock(), list[int]()
        step = Gate()

        def enter(number: int) -> None:
            with lock:
                inside.append(number)
                assert len(inside) == 1
                assert not step.is_open
                inside.remove(number)

        def hurry() -> None:
            if lock.acquire(True, 0.001):  # noqa: FBT003 - positional in the protocol
                inside.append(9)
                assert len(inside) == 1
                assert not step.is_open
                inside.remove(9)
                lock.release()

        joined(*(rt.spawn(lambda n=n: enter(n)) for n in range(3)), rt.spawn(hurry))  # type: ignore[misc]
        assert not lock.locked()

    assert_clean(model, schedules=300)
    assert_clean(model, schedules=300, timers="free")


def test_a_task_is_joined_by_all_who_wait_for_it() -> None:
    def model(rt: Runtime) -> None:
        gate = Gate()
        task = rt.spawn(gate.wait)
        joiners = [rt.spawn(task.join), rt.spawn(lambda: task.join(1))]
        gate.open()
        joined(*joiners)
        assert [joiner.result for joiner in joiners] == [True, True]
        assert task.done

    assert_clean(model)
