"""The vocabulary of what happens, and what each event carries.

An event is a plain tuple: `(time_ns, kind, *fields)`, with the fields named in `FIELDS`. A job is `context` and
`seqno` of its finished fence, as in the kernel's gpu_scheduler events.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

__all__ = [
    "BATCH",
    "CYCLE",
    "ENTITY_KILLED",
    "FIELDS",
    "FIRMWARE_MESSAGE",
    "JOB_ADD_DEP",
    "JOB_DONE",
    "JOB_QUEUE",
    "JOB_REQUEUED",
    "JOB_RUN",
    "JOB_TIMEDOUT",
    "JOB_UNSCHEDULABLE",
    "PERIOD_MISSED",
    "PRIORITY_SET",
    "QUEUE_IDLE",
    "RECOVERED",
    "Event",
]

Event: TypeAlias = tuple[Any, ...]

JOB_QUEUE: Final = "job_queue"
"""A job was pushed to its entity. The counts are before it was added.

(kernel: drm_sched_job_queue)
"""
JOB_ADD_DEP: Final = "job_add_dep"
"""A dependency of a pushed job, once for each.

(kernel: drm_sched_job_add_dep)
"""
JOB_UNSCHEDULABLE: Final = "job_unschedulable"
"""The head job of an entity begins to wait for an unsignalled fence.

(kernel: drm_sched_job_unschedulable)
"""
JOB_RUN: Final = "job_run"
"""A job is handed to its backend. The credits include its own.

(kernel: drm_sched_job_run)
"""
JOB_DONE: Final = "job_done"
"""A job is complete, or has failed, or was killed: its finished fence signals next, with the same time.

(kernel: drm_sched_job_done)
"""
JOB_TIMEDOUT: Final = "job_timedout"
"""The oldest job of a ring has had its time, or a fault was reported: a recovery begins as soon as it can.

(kernel: drm_sched_job_timedout)
"""
JOB_REQUEUED: Final = "job_requeued"
"""A job that was on the hardware, and to be lost in a recovery, runs again from its start."""
QUEUE_IDLE: Final = "queue_idle"
"""A client waited until the jobs of an entity were complete, up to this one, and was told an error, or 0 for none."""
RECOVERED: Final = "recovered"
"""A recovery has ended. The job is the one that was reported, 0:0 for an unplugged device."""
BATCH: Final = "batch"
"""An engine executed a stretch of a job; one job has several when it was preempted."""
ENTITY_KILLED: Final = "entity_killed"
"""An entity was killed that had jobs, so many, which will never run."""
PRIORITY_SET: Final = "priority_set"
"""The priority of an entity was changed."""
FIRMWARE_MESSAGE: Final = "firmware_message"
"""A message to the firmware was put into the channel (h2g), or one from it is handled (g2h). The number is that of the
context, 0 for none."""
CYCLE: Final = "cycle"
"""A client went once through its workload."""
PERIOD_MISSED: Final = "period_missed"
"""A client came too late for the end of its period."""

FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        JOB_QUEUE: ("ring", "entity", "client", "context", "seqno", "queued_jobs", "credits_in_use"),
        JOB_ADD_DEP: ("context", "seqno", "on_context", "on_seqno"),
        JOB_UNSCHEDULABLE: ("context", "seqno", "on_context", "on_seqno"),
        JOB_RUN: ("ring", "entity", "client", "context", "seqno", "queued_jobs", "credits_in_use"),
        JOB_DONE: ("ring", "context", "seqno", "error"),
        JOB_TIMEDOUT: ("ring", "context", "seqno"),
        JOB_REQUEUED: ("ring", "context", "seqno", "idempotent"),
        QUEUE_IDLE: ("entity", "context", "seqno", "error"),
        RECOVERED: ("ring", "context", "seqno", "status", "begin_ns"),
        BATCH: ("engine", "client", "context", "seqno", "start_ns", "end_ns"),
        ENTITY_KILLED: ("entity", "jobs"),
        PRIORITY_SET: ("entity", "priority"),
        FIRMWARE_MESSAGE: ("direction", "message", "guc_id"),
        CYCLE: ("client", "start_ns", "end_ns"),
        PERIOD_MISSED: ("client", "late_ns"),
    }
)
