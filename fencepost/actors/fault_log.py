"""What happened to jobs in recoveries, for whoever wants to be told: optional, bounded, beside the errors of fences."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from fencepost.policies import Health

__all__ = ["FaultLog", "FaultRecord"]

CAPACITY: Final = 256


@dataclass(frozen=True, slots=True)
class FaultRecord:
    """A job was killed by a recovery, or sent to run again.

    Attributes:
        time_ns: when that was decided.
        scheduler: where it was.
        entity, client, vm: whose it is.
        job: context and seqno of its finished fence.
        error: what it ends with; 0 when it runs again.
        health: what its queue is told from then on.
    """

    time_ns: int
    scheduler: str
    entity: str
    client: str
    vm: str
    job: tuple[int, int]
    error: int
    health: Health


class FaultLog:
    """Keeps the last records that nobody has read, and counts those it had to drop.

    A record is there before the fence of its job signals: whoever sees the error finds the reason. Adding one takes
    a slot and nothing else. Not locked: its domain does that.

    Attributes:
        dropped: how many were overwritten unread.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._records: deque[FaultRecord] = deque(maxlen=capacity)
        self.dropped = 0

    def add(self, record: FaultRecord) -> None:
        """Keep a record, in the place of the oldest if need be."""
        self.dropped += len(self._records) == self._records.maxlen
        self._records.append(record)

    def take(self) -> tuple[FaultRecord, ...]:
        """Return what was not read yet, oldest first, and keep it no more."""
        records = tuple(self._records)
        self._records.clear()
        return records
