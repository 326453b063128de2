"""The runtime on pykka, and its actors.

    job, messages                       what is submitted, and what actors say to each other
    inbox, future  <-  dispatch  <-  actor        how an actor is carried
    procedure                           how an actor waits in the middle of what it does, without blocking
    backend, recovery                   what a scheduler needs from below: the contract that `hw` fulfils
    resources                           pools that jobs take from before they run, for backends whose jobs need that
    entity_actor, scheduler_actor, timeout_handler      who decides, in which context
    entity, scheduler, reset_domain  <-  runtime        what a client holds
    cgroups                             groups of clients, and who of them gets how much

The path of a job: `Entity.submit` -> EntityActor resolves what it depends on -> SchedulerActor chooses it and hands
it to the backend -> its hardware fence posts back -> SchedulerActor signals its finished fence and frees it.
"""

from __future__ import annotations

from fencepost.actors.actor import Actor
from fencepost.actors.backend import Backend, JobChecker, MessageProcessor, Preparer
from fencepost.actors.cgroups.card import Card
from fencepost.actors.cgroups.cgroup import Cgroup
from fencepost.actors.cgroups.client import Client
from fencepost.actors.cgroups.hierarchy import Cgroups
from fencepost.actors.cgroups.process import Process
from fencepost.actors.entity import Entity
from fencepost.actors.fault_log import FaultRecord
from fencepost.actors.job import Job
from fencepost.actors.procedure import Steps, Until, UntilSignaled
from fencepost.actors.recovery import Device, PartOfDevice, Recoverable, Recovery, RecoveryRecord, Status
from fencepost.actors.reset_domain import ResetDomain
from fencepost.actors.resources import Resources, Turn
from fencepost.actors.runtime import Runtime
from fencepost.actors.scheduler import Scheduler
from fencepost.actors.static_message import StaticMessage
from fencepost.actors.statistics import EntityStatus, Leftovers, ResetStatistics, RuntimeStatistics

__all__ = [
    "Actor",
    "Backend",
    "Card",
    "Cgroup",
    "Cgroups",
    "Client",
    "Device",
    "Entity",
    "EntityStatus",
    "FaultRecord",
    "Job",
    "JobChecker",
    "Leftovers",
    "MessageProcessor",
    "PartOfDevice",
    "Preparer",
    "Process",
    "Recoverable",
    "Recovery",
    "RecoveryRecord",
    "ResetDomain",
    "ResetStatistics",
    "Resources",
    "Runtime",
    "RuntimeStatistics",
    "Scheduler",
    "StaticMessage",
    "Status",
    "Steps",
    "Turn",
    "Until",
    "UntilSignaled",
]
