"""User queues: programs write packets into rings and ring doorbells; firmware maps the queues to hardware slots.

    packet  <-  ring                                what a user writes, and where
    doorbell, misfortune                            how the firmware hears of it, or does not
    protected_fences                                kernel fences of what a queue has written
    packet, ring, doorbell, protected_fences  <-  mqd      a queue, as the firmware knows it
    mqd  <-  slots, suspicion  <-  firmware         who has a slot, and who hangs
    fence_timer                                     what a driver has left to do
    queue  <-  process  <-  mes                     what a person makes

The way of a packet: `UserQueue.submit` writes, publishes, rings -> `Firmware` puts what it finds before an engine
-> the engine executes (`hw.guc.contexts`) -> `Mqd.walk` writes the user fence and signals the kernel fence, as an irq.
"""

from __future__ import annotations

from fencepost.hw.user_queue.doorbell import DOORBELL_SIZE, DOORBELLS, PAGE_SIZE
from fencepost.hw.user_queue.mes import Mes
from fencepost.hw.user_queue.misfortune import Misfortune
from fencepost.hw.user_queue.mqd import QueueState
from fencepost.hw.user_queue.packet import Packet, UserWrite
from fencepost.hw.user_queue.process import Process
from fencepost.hw.user_queue.queue import UserQueue

__all__ = [
    "DOORBELLS",
    "DOORBELL_SIZE",
    "PAGE_SIZE",
    "Mes",
    "Misfortune",
    "Packet",
    "Process",
    "QueueState",
    "UserQueue",
    "UserWrite",
]
