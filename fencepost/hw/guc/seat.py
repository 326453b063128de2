"""An engine and the context that has it, as the firmware keeps account of them."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

from fencepost.hw.guc.emission import Emission
from fencepost.hw.guc.messages import ContextId, Policies

__all__ = ["Context", "Seat"]

UNSET: Final = Policies(priority=0, quantum_us=0, preempt_timeout_us=0)
NS_PER_US: Final = 1000


@dataclass(slots=True, eq=False)
class Context:
    """What the firmware knows of a context.

    Attributes:
        id: its number, and which registration of that number it is.
        engines: where it may run.
        ring: its batches in memory, oldest first; the host writes there without a message.
        policies: how it is scheduled.
        enabled: it runs when there is something in its ring.
        disabling: it is to say when it is off its engine.
        halted: it was reset or has faulted, and runs no more.
        turn: its place in the order of waiting, None while it does not wait.
    """

    id: ContextId
    engines: tuple[str, ...]
    ring: deque[Emission]
    policies: Policies = UNSET
    enabled: bool = False
    disabling: bool = False
    halted: bool = False
    turn: int | None = None

    @property
    def runnable(self) -> bool:
        """True when it could use an engine."""
        return self.enabled and not self.halted and bool(self.ring)


@dataclass(slots=True, eq=False)
class Seat:
    """An engine. It is *free*, or a context has it; that may be *asked* to yield.

    Attributes:
        name: of the engine.
        context: which has it, or None.
        start_ns: when the stretch began that runs now.
        asked: the context is to yield.
        switch_ns: when it can, by a point of preemption; None for not before its batch ends.
        reset_ns: when patience is over; None for never.
        failed: the engine stands still.
        completed: how many batches came to their end.
        busy_ns: how long it executed, by client, without the stretch that runs now.
    """

    name: str
    context: Context | None = None
    start_ns: int = 0
    asked: bool = False
    switch_ns: int | None = None
    reset_ns: int | None = None
    failed: bool = False
    completed: int = 0
    busy_ns: Counter[str] = field(default_factory=Counter[str])
    _quantum_end_ns: int | None = None

    def enter(self, context: Context, now_ns: int) -> None:
        """Have it."""
        self.context = context
        quantum_us = context.policies.quantum_us
        self._quantum_end_ns = now_ns + round(quantum_us * NS_PER_US) if quantum_us else None

    def leave(self) -> Context:
        """Have it no more."""
        context, self.context = self.context, None
        assert context is not None
        self.withdraw()
        return context

    def ask(self, now_ns: int) -> None:
        """Ask the context to yield."""
        assert self.context is not None
        self.asked = True
        granularity_ns = self.context.ring[0].granularity_ns
        if granularity_ns:
            points = -(-(now_ns - self.start_ns) // granularity_ns)
            self.switch_ns = self.start_ns + points * granularity_ns
        patience_us = self.context.policies.preempt_timeout_us
        self.reset_ns = now_ns + round(patience_us * NS_PER_US) if patience_us else None

    def withdraw(self) -> None:
        """Ask it no more."""
        self.asked = False
        self.switch_ns = self.reset_ns = None

    def quantum_over(self, now_ns: int) -> bool:
        """Say whether an equal may have it."""
        return self._quantum_end_ns is not None and now_ns >= self._quantum_end_ns

    def decisions(self, *, equal_waits: bool) -> list[int]:
        """Return when the firmware will have something to decide about it."""
        if self.asked:
            return [when for when in (self.switch_ns, self.reset_ns) if when is not None]
        return [self._quantum_end_ns] if equal_waits and self._quantum_end_ns is not None else []
