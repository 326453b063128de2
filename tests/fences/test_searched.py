"""Fences under search: a few tasks, many schedules."""

from __future__ import annotations

import errno

from fencepost.actors import Runtime
from fencepost.errors import WrongState
from fencepost.fences import Fence, HookedFence, Timeline, wait_any
from fencepost.sync import Task, Waiter, current
from tests.searching import assert_clean, joined


def test_who_adds_and_who_sleeps_hears_of_the_signal() -> None:
    def model(rt: Runtime) -> None:
        fence, ran = Fence(), list[tuple[int, int]]()
        adders = [
            rt.spawn(lambda: fence.add_callback(lambda one: ran.append((one.error, one.timestamp_ns))))
            for _ in range(2)
        ]
        sleepers = [rt.spawn(fence.wait), rt.spawn(lambda: fence.wait(1))]
        joined(rt.spawn(lambda: fence.signal(-5, timestamp_ns=7)), *adders, *sleepers)
        fence.wait_for_callbacks()
        assert [sleeper.result for sleeper in sleepers] == [True, True]
        assert ran == [(-5, 7)] * sum(adder.result for adder in adders)

    assert_clean(model, schedules=400)


def test_of_two_signals_one_wins_whole() -> None:
    def model(rt: Runtime) -> None:
        fence, ran = Fence(), list[Fence]()
        fence.add_callback(ran.append)
        signallers = [rt.spawn(lambda n=n: fence.signal(-n, timestamp_ns=n)) for n in (1, 2)]  # type: ignore[misc]
        joined(*signallers)
        fence.wait_for_callbacks()
        winners = [number for number, task in enumerate(signallers, 1) if task.result]
        assert [fence.error] == [-number for number in winners]
        assert [fence.timestamp_ns] == winners
        assert ran == [fence]

    assert_clean(model)


class Readable(Fence):
    """Has all its fields from the beginning: the first time a field is written is no step."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        self._timestamp_ns = 0
        self._signaller = current().task()


def test_a_reader_without_the_lock_sees_all_or_nothing() -> None:
    def model(rt: Runtime, *, called: bool) -> None:
        fence = Readable()
        if called:
            fence.add_callback(lambda _: None)

        def read() -> None:
            if fence.signaled:
                assert (fence.error, fence.status, fence.timestamp_ns) == (-5, -5, 7)
                assert fence.signaller in {None, signaller}

        signaller = rt.spawn(lambda: fence.signal(-5, timestamp_ns=7))
        joined(rt.spawn(read), signaller)

    assert_clean(lambda rt: model(rt, called=False))
    assert_clean(lambda rt: model(rt, called=True))


def test_an_error_that_was_stored_is_what_the_fence_says_for_good() -> None:
    def model(rt: Runtime) -> None:
        fence = Fence()

        def store() -> bool:
            try:
                fence.set_error(-5)
            except WrongState:
                return False
            return True

        storing, signalling = rt.spawn(store), rt.spawn(fence.signal)
        signalling.join()
        error = fence.error
        storing.join()
        assert fence.error == error == (-5 if storing.result else 0)

    assert_clean(model)


def test_removing_a_callback_has_two_outcomes() -> None:
    def model(rt: Runtime) -> None:
        fence, ran = Fence(), list[str]()
        step = rt.world.lock()

        def callback(_: Fence) -> None:
            ran.append("begun")
            with step:
                ran.append("finished")

        def remove() -> tuple[bool, list[str]]:
            return fence.remove_callback(callback), list(ran)

        fence.add_callback(callback)
        removers = [rt.spawn(remove), rt.spawn(remove)]
        joined(*removers, rt.spawn(fence.signal), rt.spawn(fence.wait_for_callbacks))
        for remover in removers:
            assert remover.result[1] in ([], ["begun", "finished"])
        if any(remover.result[0] for remover in removers):
            assert sorted(remover.result[0] for remover in removers) == [False, True]
            assert ran == []
        else:
            assert ran == ["begun", "finished"]

    assert_clean(model, schedules=400)


def test_one_callback_is_removed_while_another_is_added() -> None:
    def model(rt: Runtime) -> None:
        fence, ran = Fence(), list[str]()

        def first(_: Fence) -> None:
            ran.append("first")

        def second(_: Fence) -> None:
            ran.append("second")

        fence.add_callback(first)
        removing, adding = rt.spawn(lambda: fence.remove_callback(first)), rt.spawn(lambda: fence.add_callback(second))
        joined(rt.spawn(fence.signal), removing, adding)
        fence.wait_for_callbacks()
        assert ran == ["first"] * (not removing.result) + ["second"] * adding.result

    assert_clean(model)


class SleptOn(Fence):
    """Keeps who slept until its time was up."""

    __slots__ = ("late",)

    def __init__(self) -> None:
        super().__init__()
        self.late: set[Task] = set()

    def _forget(self, waiter: Waiter) -> None:
        self.late.add(current().task())
        super()._forget(waiter)


def test_a_sleeper_whose_time_is_up_is_no_earlier_than_the_callbacks() -> None:
    def model(rt: Runtime) -> None:
        fence, ran = SleptOn(), list[str]()
        step = rt.world.lock()

        def callback(_: Fence) -> None:
            with step:
                ran.append("ran")

        def hasty() -> None:
            signaled = fence.wait(0.001)
            if rt.world.task() in fence.late:
                assert ran or not signaled

        def patient() -> None:
            assert fence.wait()

        fence.add_callback(callback)
        joined(*(rt.spawn(sleep) for sleep in (hasty, hasty, patient)), rt.spawn(fence.signal))

    assert_clean(model, schedules=400, timers="free")


def test_a_sleeper_whose_time_is_up_takes_nobody_along_where_nothing_is_called() -> None:
    def model(rt: Runtime) -> None:
        fence = Fence()
        sleepers = [rt.spawn(lambda: fence.wait(0.001)), rt.spawn(lambda: fence.wait(0.002)), rt.spawn(fence.wait)]
        joined(*sleepers, rt.spawn(fence.signal))
        assert sleepers[2].result is True

    assert_clean(model, schedules=400, timers="free")


def test_all_who_ask_for_its_context_get_the_same() -> None:
    def model(rt: Runtime) -> None:
        fence = Fence()
        askers = [rt.spawn(lambda: fence.context) for _ in range(2)]
        joined(*askers)
        assert [asker.result for asker in askers] == [fence.context] * 2

    assert_clean(model)


class Counted(HookedFence):
    """Counts how often it is asked to enable its signal."""

    __slots__ = ("asked", "step")

    def __init__(self, rt: Runtime) -> None:
        super().__init__()
        self.asked = 0
        self.step = rt.world.lock()

    def on_enable(self) -> bool:
        with self.step:
            self.asked += 1
        return True


def test_the_signal_is_enabled_once() -> None:
    def model(rt: Runtime) -> None:
        fence = Counted(rt)
        tasks = [rt.spawn(fence.enable_signaling), rt.spawn(fence.wait), rt.spawn(fence.enable_signaling)]
        joined(rt.spawn(lambda: fence.add_callback(lambda _: None)), rt.spawn(fence.signal), *tasks)
        assert fence.asked <= 1

    assert_clean(model)


def test_of_any_two_fences_one_is_enough() -> None:
    def model(rt: Runtime) -> None:
        fences = [Fence(), Fence()]
        waiter = rt.spawn(lambda: wait_any(fences))
        signaller = rt.spawn(fences[1].signal)
        waiter.join()
        assert waiter.result == 1
        joined(signaller, rt.spawn(fences[0].signal))

    assert_clean(model)


def test_a_timeline_signals_what_it_passes_and_nothing_else() -> None:
    def model(rt: Runtime) -> None:
        timeline = Timeline()
        askers = [rt.spawn(lambda point=point: timeline.fence(point)) for point in (2, 2, 3)]  # type: ignore[misc]
        movers = [rt.spawn(timeline.advance), rt.spawn(timeline.advance)]
        joined(*askers, *movers)
        assert timeline.value == 2
        two, other_two, three = (asker.result for asker in askers)
        assert two.wait()
        assert other_two.wait()
        assert not three.signaled
        assert timeline.fence(3) is three
        timeline.advance()
        assert three.signaled

    assert_clean(model, schedules=400)


def test_a_timeline_that_is_closed_leaves_no_fence_behind() -> None:
    def model(rt: Runtime) -> None:
        timeline = Timeline()

        def ask(point: int) -> Fence | None:
            try:
                return timeline.fence(point)
            except FileNotFoundError:
                return None

        def move() -> None:
            try:
                timeline.advance()
            except FileNotFoundError:
                assert timeline.closed

        askers = [rt.spawn(lambda: ask(1)), rt.spawn(lambda: ask(2))]
        joined(rt.spawn(timeline.close), rt.spawn(move), rt.spawn(timeline.close), *askers)
        for asker in askers:
            fence: Fence | None = asker.result
            assert fence is None or fence.status in (1, -errno.ENOENT)

    assert_clean(model, schedules=400)
