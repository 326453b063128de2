"""A reset domain as its clients see it: the schedulers whose hardware is recovered together."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, ClassVar, Final

from fencepost.actors.messages import Unplug
from fencepost.actors.recovery import RecoveryRecord, Status
from fencepost.actors.timeout_handler import TimeoutHandler
from fencepost.sync import current

if TYPE_CHECKING:
    from fencepost.actors.runtime import Runtime
    from fencepost.actors.scheduler import Scheduler

__all__ = ["ResetDomain"]

RECORDS: Final = 256


class ResetDomain:
    """The schedulers of a device, or of the part of it that a reset concerns. Made by `Runtime.reset_domain`.

    Time-outs in it are handled one at a time. (kernel: the schedulers that share a timeout_wq)

    Life cycle: *present* -> *gone* (`unplug`, or a recovery that ended so).

    `_lock` protects the schedulers, the records and the counts; a leaf.

    Attributes:
        name: what reports call it.
    """

    handler_class: ClassVar[type[TimeoutHandler]] = TimeoutHandler
    """What its actor is; a subclass may differ in one step."""

    def __init__(self, runtime: Runtime, name: str) -> None:
        self.name = name
        self._lock = current().lock()
        self._schedulers: list[Scheduler] = []
        self._records: deque[RecoveryRecord] = deque(maxlen=RECORDS)
        self._counts: Counter[Status] = Counter()
        self.actor = self.handler_class(runtime.dispatch, self, runtime.events)

    @property
    def schedulers(self) -> tuple[Scheduler, ...]:
        """Its schedulers, in the order they were made. Any context."""
        with self._lock:
            return tuple(self._schedulers)

    @property
    def records(self) -> tuple[RecoveryRecord, ...]:
        """The last recoveries, oldest first. Any context."""
        with self._lock:
            return tuple(self._records)

    def count(self, status: Status) -> int:
        """Return how many recoveries ended with `status`. Any context."""
        with self._lock:
            return self._counts[status]

    def unplug(self) -> None:
        """Take the device away, behind the recoveries that were reported before: all jobs end with -ENODEV.

        Never blocks; any context; idempotent.
        """
        self.actor.post(Unplug())

    def join(self, scheduler: Scheduler) -> None:
        """Take a scheduler in. By the runtime that makes it."""
        with self._lock:
            self._schedulers.append(scheduler)

    def note(self, record: RecoveryRecord) -> None:
        """Count a recovery. By its handler."""
        with self._lock:
            self._records.append(record)
            self._counts[record.status] += 1

    def __repr__(self) -> str:
        return f"<ResetDomain {self.name}, {len(self.schedulers)} schedulers>"
