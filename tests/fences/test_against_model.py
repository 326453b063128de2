"""Fences and timelines against slow models that anybody can read."""

from __future__ import annotations

import errno
from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,  # pyright: ignore[reportUnknownVariableType]
)

from fencepost import sync
from fencepost.errors import WrongState
from fencepost.fences import Fence, Timeline, is_later

TOP = (1 << 32) - 1
POINTS = st.one_of(st.integers(0, 20), st.integers(TOP - 20, TOP), st.integers(0, TOP))
STEPS = st.one_of(st.integers(0, 5), st.integers(0, TOP))
ERRORS = st.integers(-4095, -1)


class World(RuleBasedStateMachine):
    """What both machines run in."""

    def __init__(self) -> None:
        super().__init__()
        self.world = sync.world("virtual")
        self.world.enter()

    def teardown(self) -> None:
        assert self.world.close() == []
        assert self.world.failures == []


class FenceMachine(World):
    """The model of a fence: a list of what to call, an error, and the time at which it ended."""

    def __init__(self) -> None:
        super().__init__()
        self.fence = Fence()
        self.waiting: list[int] = []
        self.expected: list[int] = []
        self.ran: list[int] = []
        self.error = 0
        self.ended_ns: int | None = None
        self.callbacks = [self.callback(number) for number in range(4)]
        self.sleepers: list[tuple[sync.Task, int]] = []

    def callback(self, number: int) -> Callable[[Fence], None]:
        return lambda _: self.ran.append(number)

    @rule(number=st.integers(0, 3))
    def add(self, number: int) -> None:
        assert self.fence.add_callback(self.callbacks[number]) == (self.ended_ns is None)
        if self.ended_ns is None:
            self.waiting.append(number)

    @rule(number=st.integers(0, 3))
    def remove(self, number: int) -> None:
        assert self.fence.remove_callback(self.callbacks[number]) == (number in self.waiting)
        if number in self.waiting:
            self.waiting.remove(number)

    @rule(error=ERRORS)
    def set_error(self, error: int) -> None:
        try:
            self.fence.set_error(error)
        except WrongState:
            assert self.ended_ns is not None
        else:
            assert self.ended_ns is None
            self.error = error

    @rule(error=st.one_of(st.just(0), ERRORS))
    def signal(self, error: int) -> None:
        assert self.fence.signal(error) == (self.ended_ns is None)
        if self.ended_ns is None:
            self.ended_ns = self.world.now_ns()
            self.error = error or self.error
            self.expected, self.waiting = self.waiting, []

    @rule(timeout_ms=st.integers(0, 5))
    def wait(self, timeout_ms: int) -> None:
        before_ns = self.world.now_ns()
        assert self.fence.wait(timeout_ms / 1000) == (self.ended_ns is not None)
        assert self.world.now_ns() == before_ns + (timeout_ms * 1_000_000 if self.ended_ns is None else 0)

    @rule(timeout_ms=st.integers(1, 10))
    def sleep_in_a_task(self, timeout_ms: int) -> None:
        task = self.world.spawn(lambda: self.fence.wait(timeout_ms / 1000), name="sleeper")
        self.sleepers.append((task, self.world.now_ns() + timeout_ms * 1_000_000))
        # Begins now, and not when the clock has moved on.
        self.world.spawn(lambda: None, name="turn").join()

    @rule()
    def ask_the_sleepers(self) -> None:
        for task, deadline_ns in self.sleepers:
            task.join()
            assert task.result == (self.ended_ns is not None and self.ended_ns < deadline_ns)
        self.sleepers.clear()

    @invariant()
    def it_says_what_the_model_says(self) -> None:
        ended = self.ended_ns is not None
        assert self.fence.signaled == ended
        assert self.fence.error == (self.error if ended else 0)
        assert self.fence.status == ((self.error or 1) if ended else 0)
        assert not ended or self.fence.timestamp_ns == self.ended_ns
        assert self.ran == self.expected

    def teardown(self) -> None:
        self.signal(0)
        self.ask_the_sleepers()
        super().teardown()


class TimelineMachine(World):
    """The model of a timeline: the value without the wrap, and the place of each fence on it."""

    def __init__(self) -> None:
        super().__init__()
        self.timeline = Timeline("model")
        self.value = 0
        self.pending: dict[int, Fence] = {}
        self.done: list[tuple[Fence, int]] = []
        self.order: list[Fence] = []
        self.expected: list[Fence] = []
        self.closed = False

    @rule(point=POINTS)
    def ask(self, point: int) -> None:
        self._ask(point)

    @rule(ahead=st.integers(-3, 10))
    def ask_near(self, ahead: int) -> None:
        self._ask((self.value + ahead) & TOP)

    def _ask(self, point: int) -> None:
        try:
            fence = self.timeline.fence(point)
        except FileNotFoundError:
            assert self.closed
            return
        assert not self.closed
        assert fence.seqno == point
        ahead = (point - self.value) % 2**32
        if not 0 < ahead < 2**31:
            self.done.append((fence, 1))
        elif self.value + ahead in self.pending:
            assert fence is self.pending[self.value + ahead]
        else:
            assert is_later(fence, Fence(fence.context, self.timeline.value))
            self.pending[self.value + ahead] = fence
            fence.add_callback(self.order.append)

    @rule(steps=STEPS)
    def advance(self, steps: int) -> None:
        if self.closed:
            return
        self.value += steps
        assert self.timeline.advance(steps) == self._end(self.value, 1)

    @rule()
    @precondition(lambda self: len(self.expected) > 3)
    def close(self) -> None:
        assert self.timeline.close() == self._end(None, -errno.ENOENT)
        self.closed = True

    def _end(self, up_to: int | None, status: int) -> int:
        places = sorted(place for place in self.pending if up_to is None or place <= up_to)
        fences = [self.pending.pop(place) for place in places]
        self.expected += fences
        self.done += [(fence, status) for fence in fences]
        return len(fences)

    @invariant()
    def it_says_what_the_model_says(self) -> None:
        assert self.timeline.value == self.value % 2**32
        assert self.timeline.closed == self.closed
        assert self.order == self.expected
        assert all(fence.status == status for fence, status in self.done)
        assert all(fence.status == 0 for fence in self.pending.values())

    def teardown(self) -> None:
        self.timeline.close()
        super().teardown()


def test_a_fence_is_what_the_model_says() -> None:
    run_state_machine_as_test(FenceMachine, settings=settings(max_examples=50, stateful_step_count=25))


def test_a_timeline_is_what_the_model_says() -> None:
    run_state_machine_as_test(TimelineMachine, settings=settings(max_examples=50, stateful_step_count=25))
