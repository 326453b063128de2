"""What a device looked like when its first recovery began: plain values, fit for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from fencepost.events import EventRing, as_dict
from fencepost.fences import Fence
from fencepost.sync import current

if TYPE_CHECKING:
    from fencepost.actors.entity_queue import EntityQueue
    from fencepost.actors.job import Job
    from fencepost.actors.scheduler import Scheduler

__all__ = ["Snapshot", "take_snapshot"]

Snapshot: TypeAlias = dict[str, Any]
"""What `json.dumps` takes."""

LAST_EVENTS: Final = 64


def take_snapshot(
    name: str,
    schedulers: Iterable[Scheduler],
    pending: Mapping[Scheduler, tuple[Job, ...]],
    events: EventRing | None,
) -> Snapshot:
    """Look at a device.

    Args:
        name: of the device.
        schedulers: of the device.
        pending: the jobs on the hardware of those that are stopped; the others are not looked into.
        events: the last of them are taken in.
    """
    queues = {job.queue.context: job for jobs in pending.values() for job in jobs}
    return {
        "device": name,
        "time_ns": current().now_ns(),
        "schedulers": [_scheduler(scheduler, pending.get(scheduler)) for scheduler in schedulers],
        "queues": [_queue(job.queue, job.entity.client) for job in queues.values()],
        "events": [] if events is None else _last(events),
    }


def _scheduler(scheduler: Scheduler, pending: tuple[Job, ...] | None) -> Snapshot:
    return {
        "name": scheduler.name,
        "stopped": pending is not None,
        "credits_in_use": scheduler.actor.credits_in_use,
        "credit_limit": scheduler.credit_limit,
        "pending": [_job(job) for job in pending or ()],
    }


def _queue(queue: EntityQueue, client: str) -> Snapshot:
    return {
        "name": queue.name,
        "context": queue.context,
        "client": client,
        "vm": queue.vm,
        "priority": queue.priority.name,
        "health": queue.health.value,
        "hangs": queue.hangs,
        "waiting_jobs": len(queue.jobs),
    }


def _job(job: Job) -> Snapshot:
    finished = job.finished
    return {
        "entity": job.queue.name,
        "seqno": finished.seqno,
        "credits": job.credits,
        "submit_ns": job.submit_ns,
        "start_ns": job.start_ns,
        "idempotent": job.idempotent,
        "karma": job.karma,
        "requeues": job.requeues,
        "finished": _fence(finished),
        "hardware": None if finished.parent is None else _fence(finished.parent),
    }


def _fence(fence: Fence) -> Snapshot:
    return {
        "name": fence.name,
        "context": fence.context,
        "seqno": fence.seqno,
        "signaled": fence.signaled,
        "error": fence.error,
    }


def _last(events: EventRing) -> list[Snapshot]:
    kept = list(events)
    return [as_dict(event) for event in islice(kept, max(0, len(kept) - LAST_EVENTS), None)]
