"""Recorded fences: some order explains what is right, none what is wrong, and the report says why."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fencepost.actors import Runtime
from fencepost.checks import explore
from fencepost.checks.fence_history import record_fence
from fencepost.checks.linearise import check_history
from fencepost.errors import WrongState
from fencepost.fences import Fence, HookedFence
from fencepost.fences.fence import SIGNALLING
from fencepost.hw import MockBackend
from tests.checks.histories import Program, programs, run


def call_back(_fence: Fence) -> None:
    pass


def add_another(fence: Fence) -> None:
    fence.add_callback(call_back)


def remove_another(fence: Fence) -> None:
    fence.remove_callback(call_back)


def try_set_error(error: int, fence: Fence) -> None:
    try:
        fence.set_error(error)
    except WrongState:
        assert fence.signaled


def ask_timestamp(fence: Fence) -> None:
    try:
        assert fence.timestamp_ns >= 0
    except WrongState:
        return


def signal(error: int, fence: Fence) -> None:
    fence.signal(error)


def add(callback: Callable[[Fence], object], fence: Fence) -> None:
    fence.add_callback(callback)


def remove(callback: Callable[[Fence], object], fence: Fence) -> None:
    fence.remove_callback(callback)


def remove_at_once(callback: Callable[[Fence], object], fence: Fence) -> None:
    fence.remove_callback(callback, wait=False)


def ask(fence: Fence) -> None:
    assert fence.signaled in (False, True)


def ask_error(fence: Fence) -> None:
    assert fence.error <= 0


def ask_status(fence: Fence) -> None:
    assert fence.status <= 1


def wait(timeout_s: float | None, fence: Fence) -> None:
    fence.wait(timeout_s)


CALLBACKS = st.sampled_from([call_back, add_another, remove_another])
OPERATIONS: st.SearchStrategy[Callable[[Fence], object]] = st.one_of(
    st.sampled_from([0, -5, -62]).map(lambda error: partial(signal, error)),
    st.sampled_from([-5, -62]).map(lambda error: partial(try_set_error, error)),
    st.sampled_from([ask, ask_error, ask_status, ask_timestamp]),
    st.sampled_from([0, 0.001]).map(lambda timeout_s: partial(wait, timeout_s)),
    CALLBACKS.map(lambda callback: partial(add, callback)),
    st.builds(partial, st.sampled_from([remove, remove_at_once]), CALLBACKS),
)


def use(program: Program[Fence], runtime: Runtime, fence_class: type[Fence] = Fence) -> None:
    """Run a program on a fence, which signals at the end at the latest."""
    fence = fence_class()
    run(runtime, program, fence, record_fence(fence), fence.signal)


@given(program=programs(OPERATIONS), seed=st.integers(0, 1000), fence_class=st.sampled_from([Fence, HookedFence]))
@settings(max_examples=60)
def test_a_fence_is_linearisable_in_every_schedule(
    program: Program[Fence], seed: int, fence_class: type[Fence]
) -> None:
    report = explore(lambda runtime: use(program, runtime, fence_class), schedules=25, seed=seed)
    assert not report.found, str(report)


@given(program=programs(OPERATIONS))
@settings(max_examples=60)
def test_a_fence_is_linearisable_on_threads(program: Program[Fence]) -> None:
    with Runtime(world="native") as runtime:
        for _ in range(5):
            use(program, runtime)


def test_the_fences_of_a_job_are_linearisable() -> None:
    def model(runtime: Runtime) -> None:
        scheduler = runtime.scheduler(MockBackend())
        job = scheduler.entity().job(duration_us=1)
        job.arm()
        histories = [record_fence(job.scheduled), record_fence(job.finished)]
        watcher = runtime.spawn(lambda: (job.finished.signaled, job.scheduled.signaled))
        job.push()
        job.finished.wait()
        watcher.join()
        # Answered by the actor when its calls of `signal` have returned.
        scheduler.fini()
        for history in histories:
            assert len(history.operations) > 2
            assert check_history(history) is None

    report = explore(model, schedules=50)
    assert not report.found, str(report)


# Wrong fences.


class OverwritesError(Fence):
    __slots__ = ()

    def signal(self, error: int = 0, timestamp_ns: int | None = None) -> bool:
        first = super().signal(error, timestamp_ns)
        if not first:
            self._error = error
        return first


class StoresErrorLate(Fence):
    __slots__ = ()

    def signal(self, error: int = 0, timestamp_ns: int | None = None) -> bool:
        first = super().signal(0, timestamp_ns)
        with self._lock:
            if first:
                self._error = error
        return first


class GoesBack(Fence):
    __slots__ = ()

    @property
    def signaled(self) -> bool:
        return self._state == SIGNALLING


class CallsTwice(Fence):
    __slots__ = ()

    def _run(self, callbacks: list[Callable[[Fence], object]]) -> None:
        super()._run([*callbacks, callbacks[0]])


class CallsNewestFirst(Fence):
    __slots__ = ()

    def _run(self, callbacks: list[Callable[[Fence], object]]) -> None:
        super()._run(callbacks[::-1])
        callbacks.clear()


class RemovesTooLate(Fence):
    __slots__ = ()

    def remove_callback(self, callback: Callable[[Fence], object], *, wait: bool = True) -> bool:
        with self._lock:
            there = self._callbacks is not None and callback in self._callbacks
        return super().remove_callback(callback, wait=wait) or there


class RemovesWithoutWaiting(Fence):
    __slots__ = ()

    def remove_callback(self, callback: Callable[[Fence], object], *, wait: bool = True) -> bool:
        return super().remove_callback(callback, wait=wait and False)


class TakesCallbackTooLate(Fence):
    __slots__ = ()

    def add_callback(self, callback: Callable[[Fence], object]) -> bool:
        return super().add_callback(callback) or hasattr(self, "_signaller")


class WakesBeforeTheSignal(Fence):
    __slots__ = ()

    def wait_until(self, when_ns: int | None) -> bool:
        return super().wait_until(when_ns) or True


class ForgetsThatItSignalled(Fence):
    __slots__ = ()

    def signal(self, error: int = 0, timestamp_ns: int | None = None) -> bool:
        return super().signal(error, timestamp_ns) or True


class TellsAnotherTime(Fence):
    __slots__ = ()

    @property
    def timestamp_ns(self) -> int:
        object.__setattr__(self, "_timestamp_ns", super().timestamp_ns + 1)
        return self._timestamp_ns


ADD = partial(add, call_back)
SIGNAL, FAIL = partial(signal, 0), partial(signal, -5)

WRONG: list[tuple[type[Fence], list[list[Callable[[Fence], Any]]], str]] = [
    (
        OverwritesError,
        [[SIGNAL, FAIL, ask_error]],
        "error -> -5 by task 0 cannot come next: it has signalled, so its error is 0",
    ),
    (StoresErrorLate, [[FAIL], [ask_error, ask_status]], "cannot come next: it has signalled, so its"),
    (GoesBack, [[ADD, SIGNAL], [ask, ask]], "signaled -> False by task 1 cannot come next: it has signalled"),
    (CallsTwice, [[ADD, SIGNAL]], "cannot come next: still to be called, in this order: none"),
    (CallsNewestFirst, [[ADD, partial(add, add_another), SIGNAL]], "still to be called, in this order: 1, 2"),
    (RemovesTooLate, [[ADD, partial(remove, call_back)], [SIGNAL]], "remove_callback(1) -> True"),
    (RemovesWithoutWaiting, [[partial(add, ask), SIGNAL], [partial(remove, ask)]], "it waits for all callbacks"),
    (TakesCallbackTooLate, [[partial(add, add_another), SIGNAL, ADD]], "so a callback is not taken"),
    (WakesBeforeTheSignal, [[partial(wait, 0.001)]], "wait -> True by task 0 cannot come next: it is pending"),
    (ForgetsThatItSignalled, [[SIGNAL], [SIGNAL]], "it has signalled, so a signal is not the first"),
    (TellsAnotherTime, [[SIGNAL, ask_timestamp, ask_timestamp]], "its timestamp is"),
]


@pytest.mark.parametrize(("fence_class", "program", "said"), WRONG, ids=lambda param: getattr(param, "__name__", None))
def test_no_order_explains_a_fence_that(
    fence_class: type[Fence], program: list[list[Callable[[Fence], Any]]], said: str
) -> None:
    report = explore(lambda runtime: use(program, runtime, fence_class), schedules=500)
    assert said in report.message, str(report)
    assert not explore(lambda runtime: use(program, runtime), schedules=500).found


# The recorder.


def test_a_report_names_the_fewest_operations_that_do_not_fit() -> None:
    fence = OverwritesError()
    history = record_fence(fence)
    ask(fence)
    fence.add_callback(call_back)
    fence.signal(-5)
    ask_error(fence)
    fence.signal(-62)
    ask_error(fence)
    ask_status(fence)
    assert str(check_history(history)).split("\n") == [
        "no order explains these 2 of 11 operations:",
        "  5 to 8: signal(-5) -> True by MainThread",
        "  15 to 16: error -> -62 by MainThread",
        "after signal(-5) -> True by MainThread:",
        "  error -> -62 by MainThread cannot come next: it has signalled, so its error is -5",
    ]


def test_a_fence_that_has_signalled_is_recorded_too_late() -> None:
    fence = Fence(name="old")
    fence.signal()
    with pytest.raises(WrongState, match="old:0 signalled> is recorded too late, expected a pending fence"):
        record_fence(fence)


def test_a_recorded_fence_is_still_of_its_class() -> None:
    fence = HookedFence(name="mine")
    record_fence(fence)
    assert isinstance(fence, HookedFence)
    assert repr(fence) == "<HookedFence mine:0 pending>"
    fence.signal()


def test_calls_with_bad_arguments_are_refused_and_change_nothing() -> None:
    fence = Fence()
    history = record_fence(fence)
    with pytest.raises(ValueError, match="an error of 5"):
        fence.signal(5)
    with pytest.raises(ValueError, match="an error of 0"):
        fence.set_error(0)
    assert history.operations == ()


def test_a_signal_whose_callback_raises_is_a_signal() -> None:
    def fail(_fence: Fence) -> None:
        raise KeyError("callback")

    fence = Fence()
    history = record_fence(fence)
    fence.add_callback(fail)
    with pytest.raises(KeyError):
        fence.signal()
    assert fence.signaled
    assert check_history(history) is None


def test_a_fence_whose_class_has_a_dictionary_cannot_be_recorded() -> None:
    class Loose(Fence):
        pass

    with pytest.raises(TypeError, match="layout"):
        record_fence(Loose())
