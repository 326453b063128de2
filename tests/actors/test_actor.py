# ruff: noqa: PT012 - what a runtime raises when its block is left is what is tested
from __future__ import annotations

import contextvars
import threading  # noqa: TID251 - to see which thread carries an actor
from dataclasses import dataclass
from typing import Any, ClassVar

import pykka
import pytest
import structlog

from fencepost.actors import Actor
from fencepost.actors.dispatch import Dispatch
from fencepost.errors import ActorFailed, WrongContext
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from tests.actors.kit import EVERYWHERE, LIMIT_S, NATIVELY, VIRTUALLY, Way, finished

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")


@dataclass(frozen=True, slots=True)
class Add:
    number: int


@dataclass(frozen=True, slots=True)
class Fail:
    error: BaseException


@dataclass(frozen=True, slots=True)
class WaitFor:
    fence: Fence


@dataclass(frozen=True, slots=True)
class AskOther:
    other: Actor


class Counter(Actor):
    """Adds up, fails and waits when it is told."""

    def __init__(self, dispatch: Dispatch, name: str, start: int = 0) -> None:
        super().__init__(dispatch, name)
        self.total = start
        self.dead: list[object] = []
        self.said: list[str] = []
        # Before the object is complete: nobody may take it up yet.
        self.post(Add(1))
        self.ready = True

    def on_start(self) -> None:
        self.said.append("started")

    def on_stop(self) -> None:
        self.said.append("stopped")

    def on_dead_letter(self, message: object) -> None:
        self.dead.append(message)

    def on_failure(self, *_: object, **__: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.said.append("failed")

    def on_add(self, message: Add) -> int:
        assert self.ready
        self.total += message.number
        return self.total

    def on_fail(self, message: Fail) -> None:
        raise message.error

    def on_wait_for(self, message: WaitFor) -> bool:
        return message.fence.wait(LIMIT_S)

    def on_ask_other(self, message: AskOther) -> object:
        return message.other.actor_ref.ask(Add(1), block=True)

    def double(self) -> int:
        return 2 * self.total

    messages: ClassVar = {Add: on_add, Fail: on_fail, WaitFor: on_wait_for, AskOther: on_ask_other}


@EVERYWHERE
def test_an_actor_of_ones_own_takes_messages_in_order_from_its_start_to_its_stop(way: Way) -> None:
    with way.runtime() as rt:
        actor = rt.start(Counter, 10, name="counter")
        assert actor.actor_ref.ask(Add(5), block=True) == 16
        for _ in range(100):
            actor.post(Add(1))
        assert actor.actor_ref.ask(Add(0), block=True) == 116
        assert str(actor) == "counter"
    assert actor.said == ["started", "stopped"]
    actor.post(Add(1))
    assert actor.dead == [Add(1)]


@EVERYWHERE
def test_pykka_proxies_and_futures_work(way: Way) -> None:
    with way.runtime() as rt:
        actor = rt.start(Counter, 1, name="counter")
        proxy: Any = actor.actor_ref.proxy()
        assert proxy.double().get(timeout=LIMIT_S) == 4
        assert proxy.total.get(timeout=LIMIT_S) == 2
        proxy.total = 7
        assert proxy.double().map(str).get(timeout=LIMIT_S) == "14"
        first, second = (actor.actor_ref.ask(Add(1), block=False) for _ in range(2))
        assert pykka.get_all([first, second], timeout=LIMIT_S) == [8, 9]


@EVERYWHERE
def test_an_exception_answers_who_asked_and_stops_who_was_told(way: Way) -> None:
    with pytest.raises(ActorFailed, match="told") as caught, way.runtime() as rt:
        actor = rt.start(Counter, name="counter")
        with pytest.raises(KeyError, match="asked"):
            actor.actor_ref.ask(Fail(KeyError("asked")))
        assert actor.actor_ref.ask(Add(0), block=True) == 1
        actor.post(Fail(ValueError("told")))
        with pytest.raises(pykka.ActorDeadError):
            actor.actor_ref.ask(Add(0), timeout=LIMIT_S)
        assert actor.said == ["started", "failed"]
    assert isinstance(caught.value.__cause__, ValueError)
    assert not rt.leftovers


@EVERYWHERE
def test_an_actor_that_cannot_start_is_reported_and_answers_nobody(way: Way) -> None:
    class Stillborn(Counter):
        def on_start(self) -> None:
            raise ValueError("no start")

    with pytest.raises(ActorFailed, match="no start"), way.runtime() as rt:
        actor = rt.start(Stillborn, name="stillborn")
        with pytest.raises(pykka.ActorDeadError):
            actor.actor_ref.ask(Add(0), timeout=LIMIT_S)


@EVERYWHERE
def test_an_ask_after_the_end_is_answered(way: Way) -> None:
    """Stock pykka hangs when the question comes between the end of the loop and the stopped flag being looked at."""
    with way.runtime() as rt:
        actor = rt.start(Counter, name="counter")
        actor.actor_ref.stop()
        # As if the flag had been looked at before the stop.
        actor.actor_ref.actor_stopped = threading.Event()
        with pytest.raises(pykka.ActorDeadError, match="counter stopped before it handled Add"):
            actor.actor_ref.ask(Add(1), timeout=LIMIT_S)
        actor.actor_ref.tell(Add(2))
        assert actor.dead == [Add(2)]


@EVERYWHERE
def test_asking_in_a_work_queue_is_refused_and_elsewhere_answered(way: Way) -> None:
    with way.runtime() as rt:
        one, two = rt.start(Counter, name="one"), rt.start(Counter, name="two")
        if way.dispatch == "workqueue":
            with pytest.raises(WrongContext, match=r"the answer of an actor.*carries the actors of a work queue"):
                one.actor_ref.ask(AskOther(two), timeout=LIMIT_S)
        else:
            assert one.actor_ref.ask(AskOther(two), timeout=LIMIT_S) == 2
        assert one.actor_ref.ask(Add(0), timeout=LIMIT_S) == 1


@VIRTUALLY
def test_an_interrupt_in_an_actor_reaches_the_main_task_and_no_foreign_actor(way: Way) -> None:
    class Stock(pykka.ThreadingActor):
        pass

    foreign = Stock.start()
    actors: list[Counter] = []
    try:
        with pytest.raises(KeyboardInterrupt), way.runtime() as rt:
            actors.append(rt.start(Counter, name="counter"))
            actors[0].post(Fail(KeyboardInterrupt()))
            rt.world.sleep(1)
            pytest.fail("the main task slept on")
        assert foreign.is_alive()
        assert actors[0].said == ["started", "failed"]
        assert not rt.leftovers
    finally:
        foreign.stop()


@NATIVELY
def test_an_interrupt_in_an_actor_is_reported_when_the_runtime_is_left(way: Way) -> None:
    with pytest.raises(ActorFailed, match="KeyboardInterrupt"), way.runtime() as rt:
        actor = rt.start(Counter, name="counter")
        entity = rt.scheduler(MockBackend()).entity()
        actor.post(Fail(KeyboardInterrupt()))
        assert finished([entity.submit(0)])
    assert not rt.leftovers


@EVERYWHERE
@pytest.mark.parametrize("hook", ["on_start", "on_stop"])
def test_an_interrupt_in_a_hook_ends_one_actor_only(way: Way, hook: str) -> None:
    def interrupted(_self: Actor) -> None:
        raise KeyboardInterrupt

    bad = type("Bad", (Counter,), {hook: interrupted})
    with pytest.raises((KeyboardInterrupt, ActorFailed)), way.runtime() as rt:
        actor = rt.start(bad, name="bad")
        entity = rt.scheduler(MockBackend()).entity()
        if hook == "on_stop":
            actor.actor_ref.stop()
        assert finished([entity.submit(0)])
    assert not rt.leftovers


@dataclass(frozen=True, slots=True)
class Bind:
    value: str


@dataclass(frozen=True, slots=True)
class Look:
    pass


class Bound(Actor):
    """Binds context variables, its own and structlog's, and tells what it finds bound."""

    def on_bind(self, message: Bind) -> None:
        WHO.set(message.value)
        structlog.contextvars.bind_contextvars(who=message.value)

    def on_look(self, _message: Look) -> tuple[str, object]:
        return WHO.get(), structlog.contextvars.get_contextvars().get("who")

    messages: ClassVar = {Bind: on_bind, Look: on_look}


@EVERYWHERE
def test_what_an_actor_binds_it_finds_again_and_nobody_else(way: Way) -> None:
    with way.runtime() as rt:
        actors = [rt.start(Bound, name=name) for name in "abc"]
        for actor in actors[:2]:
            actor.post(Bind(actor.name))
        assert [actor.actor_ref.ask(Look()) for actor in actors] == [("a", "a"), ("b", "b"), ("nobody", None)]
    assert WHO.get() == "nobody"


@EVERYWHERE
def test_the_logger_of_an_actor_knows_its_name(way: Way) -> None:
    with way.runtime() as rt:
        actor = rt.start(Counter, name="counter")
        assert actor.log is actor.log
        with structlog.testing.capture_logs() as logs:
            actor.log.warning("hello")
    assert logs == [{"actor": "counter", "event": "hello", "log_level": "warning"}]


@EVERYWHERE
def test_an_unknown_message_stops_nobody(way: Way) -> None:
    with way.runtime() as rt:
        actor = rt.start(Counter, name="counter")
        actor.post("what?")
        assert actor.actor_ref.ask(Add(1), timeout=LIMIT_S) == 2


def test_an_actor_that_never_answers_is_left_behind_and_reported() -> None:
    with Way("virtual", "thread").runtime() as rt:
        actor = rt.start(Counter, name="stuck")
        stuck = Fence()
        actor.post(WaitFor(stuck))
        actor.post(Add(1))
        rt.world.sleep(LIMIT_S / 2)
    assert actor.said[0] == "started"


class Waits(Actor):
    """Waits for ever."""

    def on_wait(self, message: WaitFor) -> None:
        message.fence.wait()

    messages: ClassVar = {WaitFor: on_wait}


def test_an_actor_that_waits_for_ever_is_unwound_and_reported() -> None:
    stuck = Fence()
    with Way("virtual", "thread").runtime() as rt:
        rt.start(Waits, name="stuck").post(WaitFor(stuck))
        rt.world.sleep(1)
    assert rt.leftovers.tasks == ("stuck",)
    with Way("virtual", "thread").runtime() as rt:
        assert finished([rt.scheduler(MockBackend()).entity().submit(1)])
