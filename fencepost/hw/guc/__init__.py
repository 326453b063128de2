"""A GPU whose firmware schedules, and the driver above it.

    messages, emission  <-  seat  <-  waiting  <-  contexts     which context has which engine, in hardware time
    contexts  <-  hardware                          the same in a world: lock, timer, who is told
    channel, faults, replies  <-  firmware          the way there and back, and what goes wrong on it
    queue_state, fence_irq  <-  driver_context, suspension, tdr  <-  queue     the driver's side of one context
    gt_reset  <-  guc                               the device

The way of a job: the queue's scheduler -> `GucQueue.run_job` writes it into the ring and asks the firmware to look ->
an engine executes it and writes its number -> `FenceIrq` signals its hardware fence -> the scheduler completes it.
"""

from __future__ import annotations

from fencepost.hw.guc.channel import Channel, ChannelStatistics
from fencepost.hw.guc.faults import Faults
from fencepost.hw.guc.guc import Guc
from fencepost.hw.guc.queue import GucQueue
from fencepost.hw.guc.queue_state import Bit, QueueState

__all__ = ["Bit", "Channel", "ChannelStatistics", "Faults", "Guc", "GucQueue", "QueueState"]
