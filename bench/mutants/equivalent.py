"""Mutants that change nothing anybody could notice, each with the reason. They do not count."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["EQUIVALENT"]

EQUIVALENT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "actors/actor.py self._settings.append(None) before self._flag.set() in OwnFlag.set": (
            "only who sets the flag looks at its own copy, and not in between"
        ),
        "actors/entity.py job.state = ARMED before scheduled.finished = finished in Entity._arm_locked": (
            "whoever looks at the state without the lock goes on to the scheduler of the job, written before both"
        ),
        "actors/entity.py job.state = PUSHED before self._last_pushed = job.finished in Entity._push_locked": (
            "both are written under the lock, and who reads the one without it does not look at the other"
        ),
        "actors/entity_actor.py job.scheduler.actor.post(Killed(job)) before self._previous = job.finished"
        " in EntityActor._end": "nobody but the actor reads what was before, and the message tells nothing of it",
        "actors/job.py drop lock in FinishedFence.set_parent": (
            "the scheduler writes the parent and then reads the deadline, the client the other way about: one of them"
            " sees both. That is so where all agree on the order of writes, as here; the lock is for where they do not"
        ),
        "actors/runtime.py drop lock in Runtime.spawn": (
            "an append to a list is one step anyway, and nobody takes anything off that list"
        ),
        "actors/runtime.py drop lock in Runtime._stop": (
            "each removal from the dictionary is one step anyway, of another key, and nobody walks through that"
            " dictionary but by a copy made in one step"
        ),
        "actors/scheduler.py self.actor.post(SetTimeout(timeout_s)) before self.timeout_s = timeout_s"
        " in Scheduler.set_timeout": "the actor takes the time from the message, and clients come after both",
        "actors/stoppable.py drop self._timer.end() in Stoppable._time_oldest": (
            "when its time is up there is no job to report, or nobody who would look at it; the next job begins it anew"
        ),
        "actors/timeout_handler.py self._stopped.wake_all() before self.pending[scheduler] = message.pending"
        " in TimeoutHandler.on_stopped": (
            "the wake-up is a message to the actor that wakes, and nobody else looks at what is pending"
        ),
        "fences/fence.py self._state = SIGNALED before task.no_block = outer in Fence._run": (
            "all callbacks have run by then, and whoever has read the state before is on the list that is taken, and"
            " woken, after this"
        ),
        "hw/guc/channel.py self._stopped = True before self.epoch += 1 in Channel.stop": (
            "both are written under the lock, and nobody reads the one without it"
        ),
        "hw/guc/channel.py self._stopped = self._broken = False before self.epoch += 1 in Channel.start": (
            "as the one before"
        ),
        "sync/virtual.py look once whether not self.order in VirtualWorld._choose": (
            "a jump of the clock always ends a sleep, and where there is none the interrupt lets the main task run"
        ),
        "sync/virtual.py self._main.sleep.end_sleep() before self._main.summons = error in VirtualWorld.interrupt": (
            "a virtual world is one thread, and the end of a sleep only puts the task in line: nobody runs in between"
        ),
        "sync/virtual_primitives.py self._line.wake_one() before self.holder = None in VirtualLock.release": (
            "as the one before: who is woken takes the lock when it runs, and nobody runs before the release is over"
        ),
        "sync/virtual_primitives.py self.end_sleep() before self.woken = True in VirtualWaiter.wake": (
            "as the one before: the sleeper runs only when the waker has come to a wait of its own"
        ),
    }
)
"""`Mutant.key` -> why."""
