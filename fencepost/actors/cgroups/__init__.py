"""Control groups: who shares GPU time with whom, as cgroup v2 has it.

    text, account, drm_state                    what is written, what was used, what a group has of the controller
    process, client, card, fdinfo               who opens what; driver operations: generic, i915, amdgpu, xe
    core_files, drm_files  <-  files  <-  cgroup  <-  hierarchy         the tree and its files, under one lock
    messages, group_scheduler  <-  controller   what the actors are told, and what they do about it
    priority_controller, scan_controller  <-  budget_controllers, weight_controller  <-  controllers        by name

A write or a move counts at once, for whoever reads, and is charged so. Behind it a message goes to the actor of the
controller, which tells schedulers and drivers; a scheduler changes its run queue in its own actor, between two jobs.
"""

from __future__ import annotations

from fencepost.actors.cgroups.card import Card
from fencepost.actors.cgroups.cgroup import Cgroup
from fencepost.actors.cgroups.client import Client
from fencepost.actors.cgroups.controller import CgroupController
from fencepost.actors.cgroups.controllers import CONTROLLERS
from fencepost.actors.cgroups.driver_table import DRIVERS
from fencepost.actors.cgroups.drivers import Driver
from fencepost.actors.cgroups.hierarchy import Cgroups
from fencepost.actors.cgroups.process import Process

__all__ = [
    "CONTROLLERS",
    "DRIVERS",
    "Card",
    "Cgroup",
    "CgroupController",
    "Cgroups",
    "Client",
    "Driver",
    "Process",
]
