"""The dma-fence family: promises that work will be complete.

    fence       one promise: callbacks, sleepers, an error, a timestamp
    polled      a fence that is asked, too
    hooked      a fence that asks its owner
    context     timelines of fences, and which of two is later
    several     waiting for any of several, signalling all
    timeline    fences at the points of a counter that software moves
    container   a fence that is complete when others are
    array       a container of several: all of them, or any
    chain       a container of the points of a timeline
    unwrap      what is inside of containers, and one fence for many
    sync_file   a fence as a file descriptor
    syncobj     a slot for a fence that may be waited for before there is one, or a timeline of points
    ww_lock, locking  locks of which a task may take any number, and taking many
    reservation, usage  the fences of a buffer: who uses it, for what
    user_fence  a number in memory that programs wait for; no fence
    preempt_fence, preemption  the promise to leave the hardware, and how work keeps it again and again
    long_running  fences of work that may run for ever
    publication, promise, faulting  what fences tell observers: who finds them, what is behind them

Usable alone, without a scheduler. Only `fencepost.sync` stands below.
"""

from __future__ import annotations

from fencepost.fences.array import FenceArray
from fencepost.fences.chain import FenceChain
from fencepost.fences.container import ContainerFence
from fencepost.fences.context import context_alloc, is_later, is_later_or_same, later
from fencepost.fences.faulting import FaultingWork
from fencepost.fences.fence import Fence, get_stub
from fencepost.fences.hooked import HookedFence
from fencepost.fences.interrupt import Interrupt
from fencepost.fences.locking import locked
from fencepost.fences.long_running import is_long_running, long_running_context
from fencepost.fences.preempt_fence import PreemptFence
from fencepost.fences.preemption import Preemption, PreemptState
from fencepost.fences.private_stub import private_stub
from fencepost.fences.promise import Unsubmitted, promise
from fencepost.fences.publication import publish
from fencepost.fences.reservation import Reservation
from fencepost.fences.several import wait_any
from fencepost.fences.sync_file import FenceInfo, SyncFile, SyncFileInfo
from fencepost.fences.syncobj import Syncobj
from fencepost.fences.syncobj_eventfd import register_eventfd
from fencepost.fences.syncobj_file import SyncobjFile
from fencepost.fences.syncobj_flags import CreateFlags, ExportFlags, ImportFlags, QueryFlags, WaitFlags
from fencepost.fences.syncobj_table import SyncobjTable
from fencepost.fences.syncobj_wait import wait_points
from fencepost.fences.timeline import Timeline
from fencepost.fences.unwrap import merge, unwrap
from fencepost.fences.usage import Usage
from fencepost.fences.user_fence import Compare, UserFence
from fencepost.fences.ww_lock import AcquireContext, WwLock

__all__ = [
    "AcquireContext",
    "Compare",
    "ContainerFence",
    "CreateFlags",
    "ExportFlags",
    "FaultingWork",
    "Fence",
    "FenceArray",
    "FenceChain",
    "FenceInfo",
    "HookedFence",
    "ImportFlags",
    "Interrupt",
    "PreemptFence",
    "PreemptState",
    "Preemption",
    "QueryFlags",
    "Reservation",
    "SyncFile",
    "SyncFileInfo",
    "Syncobj",
    "SyncobjFile",
    "SyncobjTable",
    "Timeline",
    "Unsubmitted",
    "Usage",
    "UserFence",
    "WaitFlags",
    "WwLock",
    "context_alloc",
    "get_stub",
    "is_later",
    "is_later_or_same",
    "is_long_running",
    "later",
    "locked",
    "long_running_context",
    "merge",
    "private_stub",
    "promise",
    "publish",
    "register_eventfd",
    "unwrap",
    "wait_any",
    "wait_points",
]
