"""A reset domain as its clients see it: the schedulers whose hardware is recovered together."""

from __future__ import annotations

import errno
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from fencepost.actors.fault_log import FaultLog, FaultRecord
from fencepost.actors.messages import Recover, Unplug
from fencepost.actors.recovery import Recovery, RecoveryRecord, Status, StatusSteps
from fencepost.actors.snapshot import Snapshot, take_snapshot
from fencepost.actors.statistics import ResetStatistics
from fencepost.actors.timeout_handler import TimeoutHandler
from fencepost.events.kinds import JOB_REQUEUED
from fencepost.policies import Health
from fencepost.policies.recovery import Action, Fate, Verdict
from fencepost.sync import current

if TYPE_CHECKING:
    from fencepost.actors.entity_queue import EntityQueue
    from fencepost.actors.job import Job
    from fencepost.actors.runtime import Runtime
    from fencepost.actors.scheduler import Scheduler

__all__ = ["ResetDomain"]

RECORDS: Final = 256


class ResetDomain:
    """The schedulers of a device, or of the part of it that a reset concerns. Made by `Runtime.reset_domain`.

    Time-outs in it are handled one at a time. (kernel: the schedulers that share a timeout_wq)

    Life cycle: *present* -> *gone* (`unplug`, or a recovery that ended so).

    An address space is the queues that name it, of all schedulers here. A banned one is none any more: an entity that
    is made under its name later is in a new one.

    `_lock` protects all that is written here; a leaf.

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
        self._counts: Counter[Status | Action | Health] = Counter()
        self._recovery_ns = self._longest_ns = 0
        self._faults = FaultLog()
        self._vms: dict[str, set[EntityQueue]] = {}
        self._snapshot: Snapshot | None = None
        self._wedged = False
        self._events = runtime.events
        self._record = None if runtime.events is None else runtime.events.record
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

    @property
    def resets(self) -> int:
        """How often something was reset. Any context."""
        with self._lock:
            return self._counts[Status.RESET] + self._counts[Status.WEDGED]

    def statistics(self) -> ResetStatistics:
        """Count what the recoveries came to. Any context."""
        with self._lock:
            counts = self._counts
            return ResetStatistics(
                resets=counts[Status.RESET] + counts[Status.WEDGED],
                spurious=counts[Status.NO_HANG],
                killed_jobs=counts[Action.KILL],
                requeued_jobs=counts[Action.REQUEUE],
                guilty_queues=counts[Health.GUILTY],
                innocent_queues=counts[Health.INNOCENT] + counts[Health.UNKNOWN],
                dropped_faults=self._faults.dropped,
                recovery_ns=self._recovery_ns,
                longest_ns=self._longest_ns,
            )

    def read_faults(self) -> tuple[FaultRecord, ...]:
        """Return the fault records that nobody has read, oldest first. Any context.

        Those of a job are there before its fence signals with the error.
        """
        with self._lock:
            return self._faults.take()

    @property
    def snapshot(self) -> Snapshot | None:
        """What the device looked like when something hung first, fit for JSON. Any context.

        Kept until `clear_snapshot`; later hangs do not replace it. (kernel: devcoredump)
        """
        with self._lock:
            return self._snapshot

    def clear_snapshot(self) -> None:
        """Make room for the next. Any context."""
        with self._lock:
            self._snapshot = None

    @property
    def wedged(self) -> bool:
        """True once the hardware could not be recovered. Any context."""
        return self._wedged

    @property
    def gone(self) -> bool:
        """True once the device was taken away, or a recovery found that it was. Any context."""
        return self.count(Status.ENODEV) > 0

    def recover(self, steps: Callable[[Recovery], StatusSteps]) -> None:
        """Have the handler carry out a recovery of the device, behind what was reported before.

        Never blocks; any context.
        """
        self.actor.post(Recover(steps))

    def unplug(self) -> None:
        """Take the device away, behind the recoveries that were reported before: all jobs end with -ENODEV.

        Never blocks; any context; idempotent.
        """
        self.actor.post(Unplug())

    # For the runtime, its entities, and the handler.

    def join(self, scheduler: Scheduler) -> None:
        """Take a scheduler in. By the runtime that makes it."""
        with self._lock:
            self._schedulers.append(scheduler)

    def note(self, record: RecoveryRecord) -> None:
        """Count a recovery. By its handler."""
        took_ns = record.end_ns - record.begin_ns
        with self._lock:
            self._records.append(record)
            self._counts[record.status] += 1
            self._recovery_ns += took_ns
            self._longest_ns = max(self._longest_ns, took_ns)

    def admit(self, queue: EntityQueue) -> None:
        """Take a queue into its address space. By its entity; idempotent."""
        with self._lock:
            self._vms.setdefault(queue.vm, set()).add(queue)
            if self._wedged:
                queue.ban(Health.INNOCENT, -errno.EIO)

    def dismiss(self, queue: EntityQueue) -> None:
        """Forget a queue that has come to its end. By its entity."""
        with self._lock:
            queues = self._vms.get(queue.vm, set())
            queues.discard(queue)
            if not queues:
                self._vms.pop(queue.vm, None)

    def ban_vm(self, vm: str, health: Health) -> None:
        """Ban all queues of an address space. In a recovery."""
        with self._lock:
            for queue in self._vms.pop(vm, ()):
                queue.ban(health)

    def wedge(self) -> None:
        """Ban all queues, those to come too. In a recovery."""
        with self._lock:
            self._wedged = True
            for queues in self._vms.values():
                for queue in queues:
                    queue.ban(Health.INNOCENT, -errno.EIO)

    def note_fate(self, record: FaultRecord, fate: Fate, *, idempotent: bool) -> None:
        """Count what becomes of a job, and tell who wants to know. In a recovery, before its fence signals."""
        with self._lock:
            self._counts[fate.action] += 1
            self._faults.add(record)
        if self._record is not None and fate.action is Action.REQUEUE:
            self._record((record.time_ns, JOB_REQUEUED, record.scheduler, *record.job, idempotent))

    def note_verdict(self, verdict: Verdict) -> None:
        """Count the bans. In a recovery."""
        with self._lock:
            self._counts.update(verdict.contexts.values())
            self._counts.update(verdict.vms.values())

    def keep_snapshot(self, pending: Mapping[Scheduler, tuple[Job, ...]]) -> None:
        """Take the snapshot, unless one is there. In a recovery, where `pending` stand still."""
        if self.snapshot is None:
            taken = take_snapshot(self.name, self.schedulers, pending, self._events)
            with self._lock:
                self._snapshot = taken

    def __repr__(self) -> str:
        return f"<ResetDomain {self.name}, {len(self.schedulers)} schedulers>"
