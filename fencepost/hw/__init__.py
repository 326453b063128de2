"""What stands below the driver: devices that execute jobs.

    execution, arbiter  <-  engine                the rule: what runs when, in hardware time
    engine, statistics  <-  clocked_engine        the same in a world: lock, timer, fences
    access  <-  execution                         what a batch wants of memory, and what it waits for where that is not
    batch, clocked_engine  <-  ring               the backend of a scheduler
    clocked_engine  <-  halt  <-  gpu_recovery    what is done about hangs and faults
    gpu_recovery, ring  <-  gpu_ring              a ring that is recovered together with others
    engine_classes, gpu_ring  <-  gpu             engines, and the rings that feed them
    ring  <-  mock                                a ring with an engine of its own, which completes jobs when told
    access  <-  memory                            buffers that move, address spaces, page faults, residency
    memory, clocked_engine  <-  mapping           one buffer on several GPUs, and the calls that map it
    agx                                           a GPU whose firmware knows queues, and stops the world
    guc                                           a GPU whose firmware schedules contexts, and the driver above it
    guc, arbiter  <-  user_queue                  a GPU whose engines programs write to themselves: rings and doorbells

Hardware time is computed, not slept: only the signal of a fence waits for the clock.
"""

from __future__ import annotations

from fencepost.hw.agx import Agx
from fencepost.hw.batch import Batch
from fencepost.hw.engine_classes import DEFAULT_ENGINES, MAX_INSTANCES, parse_engines
from fencepost.hw.gpu import Gpu
from fencepost.hw.gpu_ring import GpuRing
from fencepost.hw.guc import Guc, GucQueue
from fencepost.hw.memory import FaultHandler, MemoryManager, Residency, Vm
from fencepost.hw.mock import MockBackend
from fencepost.hw.ring import Ring
from fencepost.hw.statistics import EngineStatistics, GpuStatistics
from fencepost.hw.user_queue import Mes

__all__ = [
    "DEFAULT_ENGINES",
    "MAX_INSTANCES",
    "Agx",
    "Batch",
    "EngineStatistics",
    "FaultHandler",
    "Gpu",
    "GpuRing",
    "GpuStatistics",
    "Guc",
    "GucQueue",
    "MemoryManager",
    "Mes",
    "MockBackend",
    "Residency",
    "Ring",
    "Vm",
    "parse_engines",
]
