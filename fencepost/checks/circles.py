"""Circles of waits through what no task does: fences, jobs, engines, page faults.

    fence J:1 => job J:1 => fault at 0x10000 => H => reclaim => fence J:1

Each thing points to what must happen first: a task to what it waits for; a lock to who holds it; the fence of a job to
the job and to the actor that signals it; any other fence to who promised it, and to what that said it comes after (see
`promise`); a job to its fault, or to the engine if another one's fault keeps that; a fault to the task that handles it.
All that a thing points to must happen, so whoever is in a circle waits for ever, unless somebody breaks it, as a reset
does.

Not seen: what nobody told of, such as who will write a user fence or open a gate; waits for one of several fences.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from fencepost.actors import Job
from fencepost.actors.job import FinishedFence
from fencepost.checks.pending import is_pending, known_of
from fencepost.fences.fence import Fence
from fencepost.fences.ww_lock import LockWait
from fencepost.hw.access import AccessFault
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.memory.rw_lock import RwWait
from fencepost.hw.ring import Ring
from fencepost.sync import Task
from fencepost.sync.observed import ObservedLock

if TYPE_CHECKING:
    from fencepost.checks.observers import TaskWatch

__all__ = ["Circle", "find_circle", "in_words"]

Circle = tuple[object, ...]
"""Each waits for the next, and the last for the first."""


def find_circle(watches: Iterable[TaskWatch]) -> Circle | None:
    """Return a circle of waits, none of which has a time-out; None when there is none. Any context.

    It looks without locks, at what may change meanwhile: a circle that is there twice is one.
    """
    watches = tuple(watches)
    tasks = {watch.task.name: watch.task for watch in watches}
    patient = [watch.task for watch in watches if watch.deadline_ns is None and watch.task.waiting_on is not None]
    impatient: set[object] = {watch.task for watch in watches if watch.deadline_ns is not None}
    done: set[object] = set(impatient)
    for task in patient:
        circle = circle_from(task, tasks, done)
        if circle is not None:
            return from_its_fence(circle)
    return None


def circle_from(start: object, tasks: Mapping[str, Task], done: set[object]) -> Circle | None:
    """Go on from a thing, but not into what is done; return the first circle."""
    way: list[object] = [start]
    turns: list[Iterator[object]] = [iter(needs(start, tasks))]
    while way:
        following = next(turns[-1], None)
        if following is None:
            done.add(way.pop())
            turns.pop()
        elif following in way:
            return tuple(way[way.index(following) :])
        elif following not in done:
            way.append(following)
            turns.append(iter(needs(following, tasks)))
    return None


def needs(thing: object, tasks: Mapping[str, Task]) -> list[object]:
    """Return what must happen before a thing can, as far as that is known."""
    found: list[object | None] = []
    match thing:
        case Task():
            found = [thing.waiting_on]
        case ObservedLock():
            holder = thing.holder
            found = [None if holder is None else holder.task]
        case LockWait():
            found = [thing.holder]
        case RwWait():
            found = [*thing.holders]
        case Fence() if is_pending(thing):
            found = needs_of_fence(thing, tasks)
        case Job():
            ring = thing.scheduler.backend
            found = [ring.obstacle_of(thing) if isinstance(ring, Ring) else None]
        case ClockedEngine():
            found = [thing.stalled_job()]
        case AccessFault():
            found = [thing.handler]
        case _:
            pass
    return [each for each in found if each is not None]


def needs_of_fence(fence: Fence, tasks: Mapping[str, Task]) -> list[object | None]:
    """Return what a pending fence needs, but not the callbacks that it runs."""
    found: list[object | None] = []
    if isinstance(fence, FinishedFence):
        ring = fence.scheduler.backend
        found = [ring.obstacle_before(fence) if isinstance(ring, Ring) else None, tasks.get(fence.scheduler.name)]
    known = known_of(fence)
    if known is not None:
        found += [tasks.get(known.by), *(other for other in known.after if isinstance(other, Fence))]
    return found


def from_its_fence(circle: Circle) -> Circle:
    """Begin a circle with a fence, if there is one in it."""
    first = next((index for index, each in enumerate(circle) if isinstance(each, Fence)), 0)
    return circle[first:] + circle[:first]


def in_words(circle: Circle) -> str:
    """Say who waits for what."""
    words = [word for thing in circle for word in words_for(thing)]
    return " => ".join([*words, words[0]])


def words_for(thing: object) -> Iterator[str]:
    """Name a thing; a task also by what it is at."""
    match thing:
        case Task():
            yield thing.name
            if thing.errand:
                yield thing.errand
        case Fence():
            yield f"fence {thing.name or 'anonymous'}:{thing.seqno}"
        case Job():
            yield f"job {thing.entity.name}:{thing.finished.seqno}"
        case LockWait() | RwWait():
            yield f"{thing.lock.kind} {thing.lock.name}"
        case ClockedEngine():
            yield f"engine {thing.name}"
        case AccessFault():
            yield f"fault at {thing.address:#x}"
        case _:
            yield str(thing)
