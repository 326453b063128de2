"""How tests search the product: each access to what its locks protect is a step, so a lock that is missing shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fencepost.actors import Entity, Runtime, Scheduler
from fencepost.actors.entity_queue import EntityQueue
from fencepost.actors.inbox import ThreadInbox
from fencepost.actors.job import FinishedFence
from fencepost.actors.resources import Resources
from fencepost.actors.scheduler_actor import SchedulerActor
from fencepost.checks import Model, explore
from fencepost.fences import (
    AcquireContext,
    Fence,
    FenceArray,
    FenceChain,
    HookedFence,
    Interrupt,
    Preemption,
    Reservation,
    SyncFile,
    Syncobj,
    SyncobjTable,
    Timeline,
    UserFence,
    WwLock,
)
from fencepost.fences.awaited_points import AwaitedPoints
from fencepost.fences.chain_line import ChainLine
from fencepost.fences.fence_list import FenceList
from fencepost.fences.syncobj_wait import PointWait
from fencepost.fences.timeline import TimelinePoint
from fencepost.fences.ww_lock import LockWait
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.memory import Binding, Notifier, Region, RwLock
from fencepost.policies import Node
from fencepost.policies.resources import Grab, Request
from fencepost.sync import Gate, Task, Timer, Timers

__all__ = ["assert_clean", "joined"]


FIELDS: Final[Mapping[type, str]] = {
    Fence: "_state _callbacks _waiters _error _timestamp_ns _context _signaller",
    HookedFence: "_enabled",
    FinishedFence: "parent _deadline_ns",
    Gate: "_open _waiters",
    Timeline: "_reached _closed _points _queue",
    Timer: "_function",
    Timers: "_heap _armed _sleeper _task _stopped",
    Entity: "_recalled _scheduler _schedulers _only_scheduler _attached"
    " _last_armed _last_pushed _unpushed _pushed armed",
    ThreadInbox: "closed",
    EntityQueue: "done",
    Node: "priority",
    SchedulerActor: "completed errored cancelled running credits_in_use",
    Runtime: "_actors _entities _schedulers _clients _leaving _entities_made _armed_by_the_gone",
    Scheduler: "lost_jobs",
    Resources: "_turns _stocks",
    Grab: "told _requests _lines",
    Request: "held waits started",
    FenceChain: "_prev _jump _armed _missing _followers _deadline_ns",
    ChainLine: "_nodes",
    FenceArray: "_missing _polled _unwatched",
    WwLock: "_holder _context _waits",
    AcquireContext: "_held _waiter wounded",
    LockWait: "over",
    FenceList: "_slots _index capacity",
    Reservation: "_fences _promised",
    Syncobj: "_fence _awaited",
    AwaitedPoints: "_by_point _heap",
    SyncobjTable: "_syncobjs _last_handle",
    PointWait: "_found _to_do _waiter",
    Interrupt: "_pending",
    SyncFile: "_descriptor _closed",
    TimelinePoint: "_deadline_ns",
    UserFence: "_cell _failed",
    Preemption: "_state _fence _next",
    RwLock: "_writes _holds",
    Region: "used_bytes _lru",
    Notifier: "_sequence",
    Binding: "valid stale",
    ClockedEngine: "_executions _terminated_early _timer _signalling",
}
"""What the product keeps under its locks or, as the comments there tell, reads without them on purpose."""


def assert_clean(
    model: Model,
    *,
    schedules: int = 200,
    timers: str = "never",
    strategy: str = "mix",
    seed: int = 1,
    fields: Mapping[type, str] = FIELDS,
) -> None:
    """Search a model, and fail with the report of what was found."""
    report = explore(model, schedules=schedules, timers=timers, strategy=strategy, seed=seed, fields=fields)
    assert not report.found, str(report)


def joined(*tasks: Task) -> None:
    """Wait until all of these have ended."""
    for task in tasks:
        task.join()
