"""What can go wrong below the driver, on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from fencepost.errors import BadInput
from fencepost.hw.guc.messages import FromFirmware
from fencepost.sync import NS_PER_S, current
from fencepost.sync.native import process_lock

if TYPE_CHECKING:
    from fencepost.actors import Job
    from fencepost.hw.guc.hardware import Hardware
    from fencepost.hw.guc.queue import GucQueue

__all__ = ["Faults", "Match"]

Match: TypeAlias = Callable[[FromFirmware], bool]
"""Chooses messages of the firmware: `lambda message: isinstance(message, ScheduleDone)`."""

Deliver: TypeAlias = Callable[[FromFirmware], object]


@dataclass(slots=True, eq=False)
class Rule:
    """What happens to the next `count` messages that match; `act` gets the message and how to deliver it."""

    match: Match
    act: Callable[[FromFirmware, Deliver], object]
    count: int


class Faults:
    """Tampers with what the firmware says, and breaks what is below it. Made with its device; any context.

    Of several rules the first that matches a message applies.

    `_lock` protects the fields; a leaf.

    Attributes:
        broken_reload: the firmware cannot be started again, so that the next reset of the device fails.
    """

    def __init__(self) -> None:
        self._lock = process_lock()
        self._rules: list[Rule] = []
        self._held: FromFirmware | None = None
        self._hardware: Hardware | None = None
        self._dies_after: int | None = None
        self.broken_reload = False

    def attach(self, hardware: Hardware) -> None:
        """Get to know what to break. By the device."""
        self._hardware = hardware

    # What the firmware says.

    def drop(self, match: Match, count: int = 1) -> None:
        """Lose messages."""
        self._add(match, lambda _message, _deliver: None, count)

    def delay(self, match: Match, by_s: float, count: int = 1) -> None:
        """Deliver messages late; others overtake them."""

        def act(message: FromFirmware, deliver: Deliver) -> None:
            when_ns = current().now_ns() + round(by_s * NS_PER_S)
            current().timers.call_at(when_ns, lambda: deliver(message))

        self._add(match, act, count)

    def duplicate(self, match: Match, count: int = 1) -> None:
        """Deliver messages twice."""

        def act(message: FromFirmware, deliver: Deliver) -> None:
            deliver(message)
            deliver(message)

        self._add(match, act, count)

    def reorder(self, match: Match, count: int = 1) -> None:
        """Deliver a message behind the one that comes after it."""
        self._add(match, self._hold, count)

    def _hold(self, message: FromFirmware, deliver: Deliver) -> None:
        with self._lock:
            before, self._held = self._held, message
        if before is not None:
            deliver(before)

    def _add(self, match: Match, act: Callable[[FromFirmware, Deliver], object], count: int) -> None:
        if count < 1:
            raise BadInput("count", str(count), "at least 1")
        with self._lock:
            self._rules.append(Rule(match, act, count))

    def pass_on(self, message: FromFirmware, deliver: Deliver) -> None:
        """Deliver a message, or do to it what was asked for. By the firmware."""
        rule = self._rule_for(message)
        if rule is not None:
            rule.act(message, deliver)
            return
        deliver(message)
        with self._lock:
            held, self._held = self._held, None
        if held is not None:
            deliver(held)

    def _rule_for(self, message: FromFirmware) -> Rule | None:
        with self._lock:
            for rule in self._rules:
                if rule.match(message):
                    rule.count -= 1
                    if not rule.count:
                        self._rules.remove(rule)
                    return rule
        return None

    # The firmware itself.

    def kill_firmware(self, after: int = 0) -> None:
        """Have the firmware take and say nothing any more, after so many more messages, until it is started again."""
        with self._lock:
            self._dies_after = after

    def alive(self) -> bool:
        """Say whether the firmware lives, and count one message towards its death. By the firmware."""
        with self._lock:
            if self._dies_after is None:
                return True
            alive = self._dies_after > 0
            self._dies_after -= alive
        if not alive:
            self._freeze()
        return alive

    def _freeze(self) -> None:
        with self._engines() as contexts:
            contexts.frozen = True

    def revive(self) -> bool:
        """Start the firmware again; False when it cannot be. By the reset of the device."""
        with self._lock:
            self._dies_after = None
        return not self.broken_reload

    # Engines and jobs.

    def hang(self, job: Job) -> None:
        """Have an armed job that has not come to the hardware never end, nor give way to others."""
        self._engines().hang(job)

    def page_fault(self, job: Job) -> None:
        """Have an armed job that has not come to the hardware access foreign memory when it executes."""
        self._engines().fault(job)

    def reset_engine(self, engine: str) -> bool:
        """Reset an engine under what it executes; False when that is nothing."""
        with self._engines() as contexts:
            return contexts.reset_engine(engine)

    def fail_engine(self, engine: str) -> None:
        """Have an engine stand still."""
        with self._engines() as contexts:
            contexts.fail_engine(engine)

    def fault(self, queue: GucQueue | None) -> None:
        """Have the firmware tell of a fault, of a queue that it knows, or of nobody knows whom."""
        with self._engines() as contexts:
            context = None if queue is None else contexts.contexts.get(queue.context.number)
            if context is not None:
                contexts.fault(context)
                return
        self._engines().fault_unknown()

    def _engines(self) -> Hardware:
        if self._hardware is None:
            raise BadInput("the device", "no queues yet", "one, before anything can go wrong")
        return self._hardware
