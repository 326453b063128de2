"""What a client notes about its cycles, and when the next one begins."""

from __future__ import annotations

from collections.abc import Sequence

from fencepost.events import EventRing
from fencepost.events.kinds import CYCLE, PERIOD_MISSED
from fencepost.lab.wsim import Batch, Delay, Period, Step, Sync

__all__ = ["Cycles"]


class Cycles:
    """The account of one client's cycles. Belongs to the client's task; anybody may read `count`.

    A cycle that comes in time for its period step, behind which no step takes time, ends exactly at the end of the
    period: so the lateness of a wake-up does not move the cycles that follow.

    Attributes:
        count: complete cycles.
        missed: periods whose end had passed before their step.
        times_ns: how long each cycle took, the waits for the ends of periods not included.
        start_ns: when the current cycle began.
    """

    def __init__(self, client: str, steps: Sequence[Step], events: EventRing | None) -> None:
        self.count = 0
        self.missed = 0
        self.times_ns: list[int] = []
        self.start_ns = 0
        self._client = client
        self._record = None if events is None else events.record
        self._last_timed = max(
            (index for index, step in enumerate(steps) if isinstance(step, Batch | Delay | Sync | Period)), default=None
        )
        self._waited_ns = 0
        self._exact_end_ns: int | None = None

    def begin(self, now_ns: int) -> None:
        """Begin a cycle: the first one."""
        self.start_ns = now_ns
        self._waited_ns = 0
        self._exact_end_ns = None

    def period(self, index: int, period_us: int, now_ns: int) -> int | None:
        """Come to a period step; return until when to wait, None when it is missed."""
        end_ns = self.start_ns + 1000 * period_us
        if now_ns > end_ns:
            self.missed += 1
            if self._record is not None:
                self._record((now_ns, PERIOD_MISSED, self._client, now_ns - end_ns))
            return None
        self._waited_ns += end_ns - now_ns
        if index == self._last_timed:
            self._exact_end_ns = end_ns
        return end_ns

    def end(self, now_ns: int) -> None:
        """End a cycle and begin the next one."""
        end_ns = now_ns if self._exact_end_ns is None else self._exact_end_ns
        self.times_ns.append(end_ns - self.start_ns - self._waited_ns)
        self.count += 1
        if self._record is not None:
            self._record((now_ns, CYCLE, self._client, self.start_ns, end_ns))
        self.begin(end_ns)
