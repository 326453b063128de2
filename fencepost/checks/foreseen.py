"""What no published fence may depend on: what nobody has submitted, or nobody has to do.

Behind a fence is what `promise` said of it, what is inside of it, and what is behind those. A dependency that nobody
told of is not seen, but for a wait: see `promise_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator

from fencepost.actors.job import NEW, Job
from fencepost.checks.pending import is_pending, known_of
from fencepost.fences.faulting import FaultingWork
from fencepost.fences.fence import Fence
from fencepost.fences.long_running import is_long_running
from fencepost.fences.promise import Unsubmitted
from fencepost.fences.unwrap import unwrap
from fencepost.fences.user_fence import UserFence

__all__ = ["objections"]


def objections(fence: Fence) -> Iterator[str]:
    """Say what `fence` depends on and must not, each by the whole way to it."""
    for way in ways_from(fence):
        objection = objection_to(way[-1])
        if objection is not None:
            between = (f"{each!r}, which completes only after " for each in way[1:-1])
            end = f"{way[-1]!r}, which {objection}"
            yield f"which {objection}" if len(way) == 1 else f"which completes only after {''.join(between)}{end}"


def ways_from(fence: Fence) -> Iterator[tuple[object, ...]]:
    """Yield the way to each thing that a fence depends on and that is not complete, itself first."""
    seen: set[int] = set()
    ways: list[tuple[object, ...]] = [(fence,)]
    while ways:
        way = ways.pop()
        last = way[-1]
        if id(last) in seen:
            continue
        seen.add(id(last))
        if not isinstance(last, Fence):
            yield way
        elif is_pending(last):
            yield way
            ways += [(*way, leaf) for leaf in unwrap(last)]
            known = known_of(last)
            ways += [(*way, other) for other in (() if known is None else known.after)]


def objection_to(thing: object) -> str | None:
    """Say what is wrong with a thing that a fence depends on; None where nothing is."""
    if isinstance(thing, UserFence):
        return "nobody has to write"
    if isinstance(thing, Unsubmitted) or (isinstance(thing, Job) and thing.state is NEW):
        return "was not submitted"
    if isinstance(thing, FaultingWork):
        return "may need memory that is free only once fences have signalled"
    if isinstance(thing, Fence) and is_long_running(thing):
        return "is long-running"
    return None
