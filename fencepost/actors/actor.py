"""The base of every actor: pykka's, with its inbox, future and loop start replaced where pykka says they may be."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from functools import cached_property
from types import TracebackType
from typing import Any, ClassVar, Final, cast

import pykka
import structlog

from fencepost.actors.dispatch import Dispatch
from fencepost.actors.future import Future
from fencepost.actors.inbox import Drained, Letter, SlicedInbox, ThreadInbox
from fencepost.sync import Gate, current
from fencepost.sync.observer import signalling
from fencepost.sync.primitives import Flag
from fencepost.sync.tracking import tracked

__all__ = ["Actor", "Farewell"]


class Stop:
    """Runtime -> actor: stop when you have handled what came before."""


STOP: Final = Stop()


@tracked("_set_up")
class Actor(pykka.Actor):
    """One message at a time, in the order of the mailbox.

    Life cycle: *made* -> *started* -> *stopped*. A runtime makes and starts it (`Runtime.start`) and stops it when it
    is left. An exception that leaves a handler stops the actor; the runtime raises it when it is left.

    A subclass lists what it takes in `messages`. A handler is in actor context: it may block only where its docstring
    says so, and in the workqueue dispatch not at all.

    Args:
        dispatch: who carries it.
        name: what reports call it.
    """

    messages: ClassVar[Mapping[type, Callable[[Any, Any], object]]] = {}
    """What it takes: message class -> handler, called as `handler(self, message)`. What it returns answers an `ask`."""

    signals: ClassVar[bool] = False
    """Whether fences of others need it to go on, so that all it does is a signalling section."""

    post: Callable[[object], None]
    """Send it a message: `actor.post(message)`. Never blocks; any context. After its end that is a dead letter."""

    actor_inbox: ThreadInbox  # pyright: ignore[reportIncompatibleVariableOverride] - set once, by pykka

    def __init__(self, dispatch: Dispatch, name: str) -> None:
        # What pykka's would make takes longer than all the rest, and is not wanted: a random name, which no registry
        # knows, and an event of the real threads, where a search must see who looks at the flag, and when.
        self.name = self.actor_urn = name
        self._dispatch = dispatch
        self._context = contextvars.copy_context()
        self._set_up = False
        self.actor_inbox = self._create_actor_inbox()  # pyright: ignore[reportIncompatibleVariableOverride]
        self.actor_stopped = flag = cast("Any", current().flag(f"the stop of {name}"))
        self._actor_ref = pykka.ActorRef(self)
        self.actor_stopped = cast("Any", OwnFlag(flag))
        self.post = self.actor_inbox.post
        if self.signals and current().observed is not None:
            # Where nobody watches, no message costs more for it.
            self._handle_receive = self._handle_in_section  # type: ignore[method-assign]

    @cached_property
    def log(self) -> Any:  # noqa: ANN401 - structlog types its bound loggers so
        """The logger for control-plane events and errors, bound to this actor."""
        return structlog.get_logger("fencepost").bind(actor=self.name)

    def on_dead_letter(self, message: object) -> None:
        """Deal with a message that came too late, in its sender's context; ignored unless a subclass knows better."""

    def start_loop(self) -> None:
        """Begin to take messages. By the runtime, once."""
        self._start_actor_loop()

    def end(self, farewell: Farewell) -> None:
        """Have it stop when it has handled what came before, and say farewell then. Never blocks; any context."""
        self.actor_inbox.put(Letter(STOP, farewell))

    # What the dispatch calls.

    def carry(self) -> None:
        """Take messages until stopped; blocks between them."""
        self._actor_loop()

    def carry_slice(self, letters: int) -> None:
        """Take up to `letters` messages, in the actor's own context variables; never blocks."""
        inbox = self.actor_inbox
        assert isinstance(inbox, SlicedInbox)
        inbox.left = letters
        try:
            if not self._set_up:
                self._set_up = True
                self._context.run(self._actor_loop_setup)
            self._context.run(self._actor_loop_running)
            # Only a stop gets here; later slices find the loop's condition false and close again, which does nothing.
            self._actor_loop_teardown()
        except Drained:
            pass
        finally:
            inbox.end_slice()

    # pykka's extension points.

    def _create_actor_inbox(self) -> ThreadInbox:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride]
        # Static in pykka, but called on the instance: the inbox must know whom to hand to the workers.
        return self._dispatch.inbox(self)

    @staticmethod
    def _create_future() -> Future[Any]:
        return Future()

    def _start_actor_loop(self) -> None:
        self._dispatch.start(self)

    def _actor_loop_setup(self) -> None:
        try:
            super()._actor_loop_setup()
        except BaseException as error:  # noqa: BLE001 - as in `_handle_receive`; a worker has other actors to carry
            self._interrupted(error)

    def _actor_loop_teardown(self) -> None:
        self.actor_inbox.close()

    def _handle_receive(self, message: Any) -> Any:  # noqa: ANN401 - as in pykka
        try:
            handler = self.messages.get(message.__class__)
            if handler is not None:
                return handler(self, message)
            return self._leave() if message is STOP else super()._handle_receive(message)
        except Exception:
            raise
        except BaseException as error:  # noqa: BLE001 - pykka would stop every actor of the process, also foreign ones
            self._interrupted(error)

    def _handle_in_section(self, message: object) -> object:
        with signalling():
            return type(self)._handle_receive(self, message)  # noqa: SLF001 - its own

    def _leave(self) -> None:
        """Stop now. As pykka would, but for looking for it among all actors of the process, where it is not."""
        self.actor_stopped.set()
        try:
            self.on_stop()
        except Exception as error:  # noqa: BLE001 - whatever a subclass does wrongly
            self._handle_failure(type(error), error, error.__traceback__)

    def _interrupted(self, error: BaseException) -> None:
        """End by an exception that asks the whole program to end (KeyboardInterrupt)."""
        # First, since the rest may let others run.
        current().interrupt(error)
        self.actor_stopped.set()
        self.on_failure(type(error), error, error.__traceback__)

    def _handle_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super()._handle_failure(exception_type, exception_value, traceback)
        if exception_value is not None:
            current().failures.append(exception_value)

    def __str__(self) -> str:
        return self.name


class Farewell:
    """What so many actors, one at least, answer to, each at its end.

    `_lock` protects the count; a leaf.
    """

    def __init__(self, actors: int) -> None:
        self._lock = current().lock()
        self._left = actors
        self._gate = Gate(f"the end of {actors} actors")

    def wait_until(self, when_ns: int | None) -> bool:
        """Block until all have ended; False when the world's clock reached `when_ns` first."""
        return self._gate.wait_until(when_ns)

    def set(self, value: object = None) -> None:  # noqa: ARG002 - as in pykka
        """Note that one has ended."""
        with self._lock:
            self._left -= 1
            last = not self._left
        if last:
            self._gate.open()

    def set_exception(self, exc_info: object = None) -> None:  # noqa: ARG002 - as in pykka
        """Note that one had ended before."""
        self.set()


class OwnFlag:
    """A flag as its only setter sees it: what nobody else can change, it looks at without a step.

    Attributes:
        is_set: says whether it was set. Of a list, since pykka asks before each message, and that is no call in Python.
    """

    __slots__ = ("_flag", "_settings", "is_set")

    def __init__(self, flag: Flag) -> None:
        self._flag = flag
        self._settings: list[None] = []
        self.is_set = self._settings.__len__

    def set(self) -> None:
        """Set it, for good."""
        self._flag.set()
        self._settings.append(None)
