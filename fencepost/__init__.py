"""A laboratory for GPU scheduling and for the races in it.

The Linux DRM scheduler's world - schedulers, entities, jobs, fences, time-outs, firmware queues, cgroup controllers -
as pykka actors, with fences signalled across threads. The same actors run on real threads and the wall clock, in one
fixed order and virtual time, or in an order that a search chooses.

Each layer knows only those below it:

    lab        what a person starts: workloads, scenarios, reports, the command line
    zoo        the historic bugs, one step put back to how it was
    checks     what watches: happens-before, lock order, invariants; and what searches
    hw         what stands below the driver: engines, rings, firmware, memory, doorbells
    actors     who says so, in which thread: scheduler, entity, time-outs, cgroups
    policies   who decides what runs next: pure, without locks and threads
    fences     the dma-fence family
    events     what happened: one vocabulary, a ring, the exporters
    sync       how anything waits: worlds, locks, mailboxes, timers, clocks
    errors     every exception
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from fencepost import actors, errors, events, fences, hw, policies, sync
from fencepost.actors import Actor, Backend, Entity, Job, Runtime, Scheduler
from fencepost.policies import Priority

if TYPE_CHECKING:
    from fencepost import checks, zoo

__all__ = [
    "Actor",
    "Backend",
    "Entity",
    "Job",
    "Priority",
    "Runtime",
    "Scheduler",
    "__version__",
    "actors",
    "checks",
    "errors",
    "events",
    "fences",
    "hw",
    "policies",
    "sync",
    "zoo",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> ModuleType:
    """Import the rooms that search when somebody asks for them: they bring greenlets, which nobody else needs."""
    if name in {"checks", "zoo"}:
        return importlib.import_module(f"fencepost.{name}")
    raise AttributeError(f"module 'fencepost' has no attribute {name!r}")
