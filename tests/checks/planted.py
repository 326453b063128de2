"""Seven bugs that were planted between two real actors, and each without its bug."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from fencepost.actors import Actor, Runtime
from fencepost.checks import Kind, Model
from fencepost.fences import Fence
from fencepost.sync import Gate, Lock, Waiter, current

__all__ = ["PLANTED", "Planted"]


@dataclass(frozen=True, slots=True)
class Planted:
    """A model with a bug, and without it; what is found, and under which clock policy."""

    broken: Model
    fixed: Model
    kind: Kind
    timers: str = "never"


@dataclass(frozen=True, slots=True)
class Go:
    """Do your part."""


def go_on(actors: list[Actor]) -> None:
    """Have the actors do their parts at the same time, and wait until they have."""
    for answer in [actor.actor_ref.ask(Go(), block=False) for actor in actors]:
        answer.get()


# Lost update: a counter is read and written in two steps.


class Shared:
    """A counter. The lock protects the number."""

    def __init__(self) -> None:
        self.lock = current().lock()
        self._number = 0

    def get(self) -> int:
        with self.lock:
            return self._number

    def set(self, number: int) -> None:
        with self.lock:
            self._number = number

    def add(self) -> None:
        with self.lock:
            self._number += 1


class ReadsThenWrites(Actor):
    def __init__(self, dispatch: Any, name: str, shared: Shared) -> None:  # noqa: ANN401
        super().__init__(dispatch, name)
        self.shared = shared

    def go(self, _message: Go) -> None:
        self.shared.set(self.shared.get() + 1)

    messages: ClassVar = {Go: go}


class Adds(ReadsThenWrites):
    def go(self, _message: Go) -> None:
        self.shared.add()

    messages: ClassVar = {Go: go}


def lost_update(actor_class: type[ReadsThenWrites], runtime: Runtime) -> None:
    shared = Shared()
    go_on([runtime.start(actor_class, shared, name=name) for name in "AB"])
    assert shared.get() == 2


# Check, then act: both see a pending fence and both believe to have signalled it.


class Signals(Actor):
    def __init__(self, dispatch: Any, name: str, fence: Fence, believers: list[str]) -> None:  # noqa: ANN401
        super().__init__(dispatch, name)
        self.fence = fence
        self.believers = believers

    def go(self, _message: Go) -> None:
        if self.fence.signal():
            self.believers.append(self.name)

    messages: ClassVar = {Go: go}


class ChecksThenSignals(Signals):
    def go(self, _message: Go) -> None:
        if not self.fence.signaled:
            self.fence.signal()
            self.believers.append(self.name)

    messages: ClassVar = {Go: go}


def check_then_act(actor_class: type[Signals], runtime: Runtime) -> None:
    fence, believers = Fence(name="done"), list[str]()
    go_on([runtime.start(actor_class, fence, believers, name=name) for name in "AB"])
    assert len(believers) == 1


# Missed wake-up: a sleeper looks, and only then lets others know that it sleeps.


class Bell:
    """Rings once. The lock protects both fields."""

    def __init__(self) -> None:
        self.lock: Lock = current().lock()
        self.rung = False
        self.sleeper: Waiter | None = None

    def ring(self) -> None:
        with self.lock:
            self.rung = True
            sleeper = self.sleeper
        if sleeper is not None:
            sleeper.wake()

    def wait(self, when_ns: int | None) -> bool:
        """Look and lie down in one step; False when the time came first."""
        waiter = current().waiter()
        with self.lock:
            if self.rung:
                return True
            self.sleeper = waiter
        return waiter.wait(when_ns, "the bell")


class CarelessBell(Bell):
    def wait(self, when_ns: int | None) -> bool:
        with self.lock:
            if self.rung:
                return True
        waiter = current().waiter()
        with self.lock:
            self.sleeper = waiter
        return waiter.wait(when_ns, "the bell")


class Ringer(Actor):
    def __init__(self, dispatch: Any, name: str, bell: Bell) -> None:  # noqa: ANN401
        super().__init__(dispatch, name)
        self.bell = bell

    def go(self, _message: Go) -> None:
        self.bell.ring()

    messages: ClassVar = {Go: go}


class Sleeper(Actor):
    def __init__(self, dispatch: Any, name: str, bell: Bell, time_out_ns: int | None) -> None:  # noqa: ANN401
        super().__init__(dispatch, name)
        self.bell = bell
        self.when_ns = time_out_ns

    def go(self, _message: Go) -> None:
        assert self.bell.wait(self.when_ns), "slept through the bell"

    messages: ClassVar = {Go: go}


def missed_wake_up(bell_class: type[Bell], time_out_ns: int | None, runtime: Runtime) -> None:
    bell = bell_class()
    go_on([runtime.start(Sleeper, bell, time_out_ns, name="sleeper"), runtime.start(Ringer, bell, name="ringer")])


# Lock order: two locks, taken in two orders.


class TakesTwo(Actor):
    def __init__(self, dispatch: Any, name: str, first: Lock, second: Lock) -> None:  # noqa: ANN401
        super().__init__(dispatch, name)
        self.first, self.second = first, second

    def go(self, _message: Go) -> None:
        with self.first, self.second:
            pass

    messages: ClassVar = {Go: go}


def lock_order(*, crossed: bool) -> Model:
    def model(runtime: Runtime) -> None:
        one, other = current().lock(), current().lock()
        a = runtime.start(TakesTwo, one, other, name="A")
        b = runtime.start(TakesTwo, *((other, one) if crossed else (one, other)), name="B")
        go_on([a, b])

    return model


# Ask cycle: each asks the other while it is asked itself.


@dataclass(frozen=True, slots=True)
class Question:
    """What an actor asks its peer."""


class Asks(Actor):
    peer: Actor

    def __init__(self, dispatch: Any, name: str) -> None:  # noqa: ANN401
        super().__init__(dispatch, name)
        self.answers = Gate(f"the end of {name}")

    def go(self, _message: Go) -> None:
        self.peer.actor_ref.ask(Question())
        self.answers.open()

    def answer(self, _message: Question) -> int:
        return 42

    messages: ClassVar = {Go: go, Question: answer}


class Tells(Asks):
    def go(self, _message: Go) -> None:
        self.peer.post(Question())

    def answer(self, _message: Question) -> int:
        assert isinstance(self.peer, Tells)
        self.peer.answers.open()
        return 42

    messages: ClassVar = {Go: go, Question: answer}


def ask_cycle(actor_class: type[Asks], runtime: Runtime) -> None:
    a, b = runtime.start(actor_class, name="A"), runtime.start(actor_class, name="B")
    a.peer, b.peer = b, a
    a.post(Go())
    b.post(Go())
    a.answers.wait()
    b.answers.wait()


# Watchdog: the time-out and the completion of a job both end it.


class Work:
    """A piece of work that ends once. The lock protects the list."""

    def __init__(self) -> None:
        self.lock = current().lock()
        self.ends: list[str] = []

    def ended(self) -> bool:
        with self.lock:
            return bool(self.ends)

    def end(self, by: str) -> None:
        with self.lock:
            self.ends.append(by)

    def end_once(self, by: str) -> None:
        with self.lock:
            if not self.ends:
                self.ends.append(by)


class Careless(Actor):
    """Looks, and then ends the work."""

    def __init__(self, dispatch: Any, name: str, work: Work) -> None:  # noqa: ANN401
        super().__init__(dispatch, name)
        self.work = work
        self.over = Gate(f"the part of {name}")

    def go(self, _message: Go) -> None:
        if not self.work.ended():
            self.work.end(self.name)
        self.over.open()

    messages: ClassVar = {Go: go}


class Careful(Careless):
    def go(self, _message: Go) -> None:
        self.work.end_once(self.name)
        self.over.open()

    messages: ClassVar = {Go: go}


def watchdog(actor_class: type[Careless], runtime: Runtime) -> None:
    """The completion takes 50 us, the watchdog barks after 100: only a clock that runs ahead brings them together."""
    work = Work()
    device = runtime.start(actor_class, work, name="device")
    dog = runtime.start(actor_class, work, name="watchdog")
    timers = runtime.world.timers
    timers.call_at(50_000, lambda: device.post(Go()))
    timers.call_at(100_000, lambda: dog.post(Go()))
    device.over.wait()
    dog.over.wait()
    assert len(work.ends) == 1


def given(function: Callable[..., None], *args: object) -> Model:
    return lambda runtime: function(*args, runtime)


PLANTED: Mapping[str, Planted] = {
    "lost update": Planted(given(lost_update, ReadsThenWrites), given(lost_update, Adds), Kind.ASSERTION),
    "check then act": Planted(given(check_then_act, ChecksThenSignals), given(check_then_act, Signals), Kind.ASSERTION),
    "missed wake-up": Planted(
        given(missed_wake_up, CarelessBell, None), given(missed_wake_up, Bell, None), Kind.DEADLOCK
    ),
    "missed wake-up with a time-out": Planted(
        given(missed_wake_up, CarelessBell, 1000), given(missed_wake_up, Bell, 1000), Kind.ASSERTION
    ),
    "lock order": Planted(lock_order(crossed=True), lock_order(crossed=False), Kind.DEADLOCK),
    "ask cycle": Planted(given(ask_cycle, Asks), given(ask_cycle, Tells), Kind.DEADLOCK),
    "watchdog": Planted(given(watchdog, Careless), given(watchdog, Careful), Kind.ASSERTION, "slack100"),
}
