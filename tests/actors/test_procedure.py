# ruff: noqa: PT012 - what a runtime raises when its block is left is what is tested
"""Courses of action that wait in between, inside of an actor that does other things meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, cast

import pytest

from fencepost.actors import Actor, Runtime
from fencepost.actors.dispatch import Dispatch
from fencepost.actors.procedure import Procedure, Resume, Steps, Until, UntilSignaled
from fencepost.errors import ActorFailed
from fencepost.fences import Fence
from fencepost.sync import Gate, WaitQueue, current
from fencepost.zoo.cell import Cell
from tests.actors.kit import EVERYWHERE, LIMIT_S, Way
from tests.searching import assert_clean


@dataclass(frozen=True, slots=True)
class Begin:
    steps: Steps[object]


@dataclass(frozen=True, slots=True)
class Close:
    pass


@dataclass(frozen=True, slots=True)
class Look:
    pass


class Carrier(Actor):
    """Carries one procedure."""

    def __init__(self, dispatch: Dispatch, name: str) -> None:
        super().__init__(dispatch, name)
        self.results: list[object] = []
        self.ended = Gate("the end of the procedure")
        self.procedure: Procedure[object] | None = None

    def on_begin(self, message: Begin) -> None:
        self.procedure = procedure = Procedure(self, message.steps, self.note_result)
        procedure.start()

    def on_resume(self, message: Resume) -> None:
        message.procedure.resume(message.turn)

    def on_close(self, _message: Close) -> None:
        assert self.procedure is not None
        self.procedure.close()

    def on_look(self, _message: Look) -> None:
        """Do nothing, but after all that came before."""

    def note_result(self, result: object) -> None:
        self.results.append(result)
        self.ended.open()

    messages: ClassVar = {Begin: on_begin, Resume: on_resume, Close: on_close, Look: on_look}


def settle(carrier: Carrier) -> None:
    """Block until it has handled what was sent to it."""
    carrier.actor_ref.ask(Look())


def carried_out(way: Way, steps: Callable[[], Steps[object]], meanwhile: Callable[[], object] = int) -> list[object]:
    with way.runtime() as rt:
        carrier = rt.start(Carrier, name="carrier")
        carrier.post(Begin(steps()))
        meanwhile()
        assert carrier.ended.wait(LIMIT_S)
        assert not rt.world.timers.pending
    return carrier.results


@EVERYWHERE
def test_what_holds_already_is_not_waited_for(way: Way) -> None:
    def steps() -> Steps[object]:
        fence = Fence()
        fence.signal()
        answers = [(yield UntilSignaled(fence))]
        answers.append((yield Until(lambda: True, WaitQueue(), 0)))
        return answers

    assert carried_out(way, steps) == [[True, True]]


@EVERYWHERE
def test_it_goes_on_when_its_time_is_up_and_not_before(way: Way) -> None:
    def steps() -> Steps[object]:
        begin_ns = current().now_ns()
        fence = Fence()
        first = yield UntilSignaled(fence, 0.002)
        second = yield Until(lambda: False, WaitQueue(), 0.001)
        third = yield Until(lambda: False, WaitQueue(), 0)
        fence.signal()
        return first, second, third, current().now_ns() - begin_ns

    (result,) = carried_out(way, steps)
    *answers, took_ns = cast("tuple[int, ...]", result)
    assert answers == [False, False, False]
    assert took_ns == 3_000_000 if way.world == "virtual" else took_ns >= 3_000_000


@EVERYWHERE
def test_it_goes_on_when_what_it_waits_for_comes(way: Way) -> None:
    queue: list[WaitQueue] = []
    fences: list[Fence] = []
    count = [0]

    def steps() -> Steps[object]:
        answers = [(yield Until(lambda: count[0] >= 2, queue[0], LIMIT_S))]
        answers.append((yield UntilSignaled(fences[0])))
        return answers

    with way.runtime() as rt:
        queue.append(WaitQueue())
        fences.append(Fence())
        carrier = rt.start(Carrier, name="carrier")
        carrier.post(Begin(steps()))
        for _ in range(3):
            count[0] += 1
            queue[0].wake_all()
        fences[0].signal()
        assert carrier.ended.wait(LIMIT_S)
        assert carrier.results == [[True, True]]
        queue[0].wake_all()
        settle(carrier)


@EVERYWHERE
def test_closing_ends_the_wait_and_later_wake_ups_change_nothing(way: Way) -> None:
    left: list[str] = []

    def steps(queue: WaitQueue) -> Steps[object]:
        try:
            yield Until(lambda: bool(left), queue, LIMIT_S)
        finally:
            left.append("left")
        return None

    with way.runtime() as rt:
        queue = WaitQueue()
        carrier = rt.start(Carrier, name="carrier")
        carrier.post(Begin(steps(queue)))
        carrier.post(Close())
        carrier.post(Close())
        carrier.actor_ref.ask(Close())
        queue.wake_all()
        stale = Resume(carrier.procedure, 1)  # type: ignore[arg-type]
        carrier.actor_ref.ask(stale)
        assert left == ["left"]
        assert carrier.results == []
        assert not rt.world.timers.pending


@EVERYWHERE
def test_an_exception_in_its_steps_is_one_of_the_actor(way: Way) -> None:
    def steps() -> Steps[object]:
        yield Until(lambda: False, WaitQueue(), 0.001)
        raise RuntimeError("the acknowledgement is nonsense")

    with pytest.raises(ActorFailed, match="nonsense"), way.runtime() as rt:
        carrier = rt.start(Carrier, name="carrier")
        carrier.post(Begin(steps()))
        while not carrier.actor_stopped.is_set():
            rt.world.sleep(0.001)


def test_of_a_wake_up_and_the_end_of_the_time_one_is_told() -> None:
    """They race; a wake-up for an earlier wait is none for a later one."""

    def model(rt: Runtime) -> None:
        queue, fence, done = WaitQueue(), Fence(), Cell("done", value=False)

        def steps() -> Steps[object]:
            in_time = yield Until(done.load, queue, 0.001)
            assert in_time or rt.world.now_ns() >= 1_000_000
            second = yield UntilSignaled(fence)
            assert second
            assert fence.signaled, "a wake-up for the wait before ended this one"
            return None

        carrier = rt.start(Carrier, name="carrier")
        carrier.post(Begin(steps()))

        def change() -> None:
            done.store(value=True)
            queue.wake_all()
            queue.wake_all()

        changer = rt.spawn(change)
        changer.join()
        rt.world.sleep(0.001)
        settle(carrier)
        fence.signal()
        carrier.ended.wait()
        assert len(carrier.results) == 1

    assert_clean(model, schedules=300, timers="free")
