"""Mutants that change nothing anybody could notice, each with the reason. They do not count."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["EQUIVALENT"]

EQUIVALENT: Final[Mapping[str, str]] = MappingProxyType(
    {
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
        "actors/reset_domain.py drop lock in ResetDomain.schedulers": (
            "a copy of the list, made in one step; where no lock of the interpreter makes it one, this lock does"
        ),
        "actors/reset_domain.py drop lock in ResetDomain.records": "as the one before",
        "actors/reset_domain.py drop lock in ResetDomain.count": "it reads one number",
        "actors/reset_domain.py drop lock in ResetDomain.resets": (
            "it adds two numbers, neither of which ever falls: the sum is one that there was in the meantime"
        ),
        "actors/reset_domain.py counts = self._counts before the lock in ResetDomain.statistics": (
            "it is another name for the dictionary, which is always the same; what is in it is read later"
        ),
        "actors/reset_domain.py drop lock in ResetDomain.snapshot": "it reads one reference",
        "actors/reset_domain.py drop lock in ResetDomain.clear_snapshot": "it writes one reference",
        "actors/reset_domain.py drop lock in ResetDomain.keep_snapshot": "it writes one reference",
        "actors/reset_domain.py drop lock in ResetDomain.join": (
            "an append to a list is one step anyway, and nobody takes anything off that list"
        ),
        "actors/runtime.py drop lock in Runtime.spawn": (
            "an append to a list is one step anyway, and nobody takes anything off that list"
        ),
        "actors/runtime.py drop lock in Runtime._stop": (
            "each removal from the dictionary is one step anyway, of another key, and nobody walks through that"
            " dictionary but by a copy made in one step"
        ),
        "fences/fence.py self._state = SIGNALED before task.no_block = outer in Fence._run": (
            "all callbacks have run by then, and whoever has read the state before is on the list that is taken, and"
            " woken, after this"
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
