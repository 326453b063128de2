"""Memory of the GPU: buffers that move, address spaces, and what happens when something is not there.

    placement  <-  region, buffer  <-  shrinker, manager       who has which memory, and who makes room
    rw_lock  <-  notifier                                      memory of a process, and who is told that it goes
    binding, manager, notifier  <-  vm                         what the GPU finds where
    blocking_actor, vm  <-  fault_handler                      who brings what it does not find
    blocking_actor, vm  <-  residency                          who keeps work off while something is missing

Order of locks: that of a `Vm`, that of the memory of a process, reservations. Whoever holds one of them may wait for
fences, so none of them may be wanted in a signalling section.
"""

from __future__ import annotations

from fencepost.hw.memory.binding import Binding
from fencepost.hw.memory.buffer import BufferObject
from fencepost.hw.memory.fault_handler import FaultHandler
from fencepost.hw.memory.manager import MemoryManager
from fencepost.hw.memory.notifier import Notifier, ProcessMemory
from fencepost.hw.memory.placement import PAGE_BYTES, Placement
from fencepost.hw.memory.region import Region
from fencepost.hw.memory.residency import Queues, Residency
from fencepost.hw.memory.rw_lock import MmapLock, RwLock, VmLock
from fencepost.hw.memory.shrinker import MemoryPressure, Shrinker
from fencepost.hw.memory.vm import Vm

__all__ = [
    "PAGE_BYTES",
    "Binding",
    "BufferObject",
    "FaultHandler",
    "MemoryManager",
    "MemoryPressure",
    "MmapLock",
    "Notifier",
    "Placement",
    "ProcessMemory",
    "Queues",
    "Region",
    "Residency",
    "RwLock",
    "Shrinker",
    "Vm",
    "VmLock",
]
