"""A course of action that waits in between, inside an actor that must not block.

A handler that has to wait for an answer is written as a generator: it yields what it waits for, and gets back whether
that came in time. Meanwhile the actor takes other messages. So a recovery of ten steps reads from top to bottom, on an
actor that shares its thread with a thousand others.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeAlias, TypeVar

from fencepost.fences import Fence
from fencepost.sync import NS_PER_S, Timer, WaitQueue, current

if TYPE_CHECKING:
    from fencepost.actors.actor import Actor

__all__ = ["Awaitable", "Procedure", "Resume", "Steps", "Until", "UntilSignaled"]

R = TypeVar("R")


class Awaitable(Protocol):
    """What a step can wait for.

    Attributes:
        timeout_s: for how long; None means without a limit.
    """

    @property
    def timeout_s(self) -> float | None: ...

    def met(self) -> bool:
        """Say whether there is nothing to wait for any more."""
        ...

    def watch(self, wake: Callable[[], object]) -> None:
        """Have `wake` called when `met` may have become true, from now on."""
        ...

    def unwatch(self, wake: Callable[[], object]) -> None:
        """Call `wake` no more."""
        ...


Steps: TypeAlias = Generator[Awaitable, bool, R]
"""A procedure as it is written: `in_time = yield Until(...)`, and at the end `return result`."""


@dataclass(frozen=True, slots=True)
class Until:
    """Wait until a condition holds that changes with a wake-up of `queue`."""

    condition: Callable[[], bool]
    queue: WaitQueue
    timeout_s: float | None = None

    def met(self) -> bool:
        return self.condition()

    def watch(self, wake: Callable[[], object]) -> None:
        self.queue.add(wake)

    def unwatch(self, wake: Callable[[], object]) -> None:
        self.queue.remove(wake)


class UntilSignaled:
    """Wait until a fence has signalled."""

    __slots__ = ("_callback", "fence", "timeout_s")

    def __init__(self, fence: Fence, timeout_s: float | None = None) -> None:
        self.fence = fence
        self.timeout_s = timeout_s
        self._callback: Callable[[Fence], object] | None = None

    def met(self) -> bool:
        return self.fence.signaled

    def watch(self, wake: Callable[[], object]) -> None:
        def call(_fence: Fence) -> None:
            wake()

        self._callback = call
        self.fence.add_callback(call)

    def unwatch(self, wake: Callable[[], object]) -> None:  # noqa: ARG002 - it is watched once
        if self._callback is not None:
            self.fence.remove_callback(self._callback, wait=False)


@dataclass(frozen=True, slots=True)
class Resume:
    """Wake-up or timer -> the actor of a procedure: look again. `turn` tells which wait it was for."""

    procedure: Procedure[object]
    turn: int


class Procedure(Generic[R]):
    """Carries steps on inside of an actor, which must take `Resume` and hand it to `resume`.

    Life cycle: *made* -> *under way* -> *ended* (`then` was called with the result), or *given up* (`close`). All
    methods are called by the actor. An exception in the steps is one of the actor.

    Args:
        actor: who carries it.
        steps: what is to be done.
        then: gets the result.
    """

    __slots__ = ("_actor", "_awaited", "_deadline_ns", "_steps", "_then", "_timer", "_turn", "_wake")

    def __init__(self, actor: Actor, steps: Steps[R], then: Callable[[R], object]) -> None:
        self._actor = actor
        self._steps = steps
        self._then = then
        self._turn = 0
        self._awaited: Awaitable | None = None
        self._wake: Callable[[], object] = _nothing
        self._deadline_ns: int | None = None
        self._timer: Timer | None = None

    def start(self) -> None:
        """Go through the steps until one must wait."""
        self._proceed(None)

    def resume(self, turn: int) -> None:
        """Look again at what is awaited; a wake-up for an earlier wait changes nothing."""
        awaited = self._awaited
        if awaited is None or turn != self._turn:
            return
        met = awaited.met()
        if met or (self._deadline_ns is not None and current().now_ns() >= self._deadline_ns):
            self._end_wait(awaited)
            self._proceed(met)

    def close(self) -> None:
        """Give up, in the middle of whatever it waits for."""
        if self._awaited is not None:
            self._end_wait(self._awaited)
        self._steps.close()

    def _proceed(self, answer: bool | None) -> None:  # noqa: FBT001 - what the generator is sent
        while True:
            try:
                # The first call must send None, which the type of a generator does not know.
                awaited = next(self._steps) if answer is None else self._steps.send(answer)
            except StopIteration as end:
                self._then(end.value)
                return
            if not awaited.met() and self._wait(awaited):
                return
            answer = True

    def _wait(self, awaited: Awaitable) -> bool:
        """Begin to wait; False when it came true meanwhile."""
        self._turn += 1
        self._awaited = awaited
        message = Resume(self, self._turn)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - of any result
        self._wake = wake = lambda: self._actor.post(message)
        awaited.watch(wake)
        if awaited.met():
            self._end_wait(awaited)
            return False
        if awaited.timeout_s is not None:
            self._deadline_ns = current().now_ns() + round(awaited.timeout_s * NS_PER_S)
            self._timer = current().timers.call_at(self._deadline_ns, wake)
        return True

    def _end_wait(self, awaited: Awaitable) -> None:
        self._awaited = self._deadline_ns = None
        awaited.unwatch(self._wake)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _nothing() -> None:
    """Wake nobody."""
