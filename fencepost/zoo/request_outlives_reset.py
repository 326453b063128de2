"""A request that a reset had lost, and that the driver went on to believe pending.

The product's reset empties its channel; the model has the one request bit of a firmware that acknowledges by changing
it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from fencepost.actors import Actor, Runtime
from fencepost.actors.dispatch import Dispatch
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell, Counter
from fencepost.zoo.wait_queue import WaitQueue

__all__ = ["BUG"]


@dataclass(frozen=True, slots=True)
class Flush:
    """Driver -> firmware: flush the caches. `resets` is how many there had been when it was sent."""

    resets: int


class Firmware(Actor):
    """Flushes caches, one request at a time."""

    def __init__(self, dispatch: Dispatch, name: str) -> None:
        super().__init__(dispatch, name)
        self._resets = Counter("resets", 0)
        self._pending = Cell("request bit", value=False)
        self._changed = WaitQueue("the request bit")

    def on_flush(self, message: Flush) -> None:
        """Acknowledge a request, unless a reset has lost it."""
        if message.resets == self._resets.load():
            self.clear_pending()

    messages: ClassVar = {Flush: on_flush}

    def flush(self) -> None:
        """Have the caches flushed, if nobody has asked for that yet; block until it is done. The driver."""
        if not self._pending.exchange(value=True):
            self.post(Flush(self._resets.load()))
        self._changed.wait(lambda: not self._pending.load())

    def reset(self) -> None:
        """Start the firmware anew. The driver."""
        self._resets.add(1)
        self.forget_requests()

    def forget_requests(self) -> None:
        """Expect nothing of before; a reset flushes the caches, too."""
        self.clear_pending()

    def clear_pending(self) -> None:
        self._pending.store(value=False)
        self._changed.wake_all()


class FirmwareAsItWas(Firmware):
    """Leaves the bit to an answer."""

    def forget_requests(self) -> None:
        pass


def model(firmware_class: type[Firmware], runtime: Runtime) -> None:
    """Reset the firmware while somebody has caches flushed."""
    firmware = runtime.start(firmware_class, name="firmware")
    runtime.spawn(firmware.reset, "reset")
    firmware.flush()


BUG = Bug(
    name="request-outlives-reset",
    title=None,
    fix="3c0a60195b37 (panthor), date and title not known",
    symptom="what was pending at a reset is pending after it; who waits for that does so up to his limit; here"
    " there is none",
    interleaving="a flush is under way, and fails; the device is reset, and the firmware that starts anew knows of no"
    " request; the bit of the flush stays set, so that nobody asks again, and nobody will answer",
    repair="forget in a reset what is pending",
    broken=lambda runtime: model(FirmwareAsItWas, runtime),
    fixed=lambda runtime: model(Firmware, runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
