"""How anything waits: worlds, and the few primitives they are made of.

The only package that knows threads, queues, greenlets and clocks. Everybody else takes from `current()`:

    lock      mutual exclusion for a few lines
    waiter    one sleep of one task, ended by a wake or a deadline
    mailbox   many senders, one receiver
    timers    functions called at points in time, in irq context
    spawn     a new task

`Gate` and `WaitQueue` are built on these and work in every world. Order of locks: whatever a caller holds, then a lock
of this package.
"""

from __future__ import annotations

from fencepost.sync.gate import Gate
from fencepost.sync.native import NativeWorld
from fencepost.sync.order import ArrivalOrder, Order
from fencepost.sync.primitives import Empty, Lock, Mailbox, Waiter
from fencepost.sync.resource import Claim, Holdings, Resource
from fencepost.sync.task import Task
from fencepost.sync.timers import Timer, Timers
from fencepost.sync.wait_queue import WaitQueue
from fencepost.sync.world import NS_PER_S, Ambient, World, current, deadline_ns, now_ns

__all__ = [
    "NS_PER_S",
    "ArrivalOrder",
    "Claim",
    "Empty",
    "Gate",
    "Holdings",
    "Lock",
    "Mailbox",
    "NativeWorld",
    "Order",
    "Resource",
    "Task",
    "Timer",
    "Timers",
    "WaitQueue",
    "Waiter",
    "World",
    "current",
    "deadline_ns",
    "now_ns",
    "world",
]

# Every thread lives in the native world until it enters another.
Ambient.world = NativeWorld()


def world(name: str) -> World:
    """Make a new world: native or virtual.

    Raises ValueError for another name. Greenlet is imported only when a virtual world is asked for.
    """
    if name == "native":
        return NativeWorld()
    if name == "virtual":
        from fencepost.sync.virtual import VirtualWorld  # noqa: PLC0415 - see above

        return VirtualWorld()
    raise ValueError(f"a world called {name!r}, expected native or virtual")
