"""Processes whose memory is wanted: their queues leave all devices, the memory moves, and all of it comes back.

    device_queues  <-  counts           the queues on each device, and how often they are evicted there
    worker                              who takes the time that this takes
    counts, worker  <-  compute_process the fence that others wait for, and who answers for it

Order of locks: that of a `Vm`, reservations, a process, its counts.
"""

from __future__ import annotations

from fencepost.hw.eviction.compute_process import ComputeProcess
from fencepost.hw.eviction.counts import EvictionCounts
from fencepost.hw.eviction.device_queues import DeviceQueues
from fencepost.hw.eviction.worker import EvictionWorker

__all__ = ["ComputeProcess", "DeviceQueues", "EvictionCounts", "EvictionWorker"]
