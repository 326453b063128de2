"""Where events go: a bounded ring of tuples, cheap enough to be left on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from fencepost.errors import BadInput
from fencepost.events.kinds import FIELDS, Event

__all__ = ["EventRing", "as_dict", "new_ring"]

DEFAULT_CAPACITY = 1 << 16


class EventRing:
    """The last events of a runtime, each recorded in about 0.1 us by any task.

    Whoever records keeps `record` itself (or None when events are off), so that off costs one comparison:

        if self._record is not None:
            self._record((now_ns, JOB_DONE, ring, context, seqno, error))

    Events of different tasks stand in the order of their appends; sort by time for another one.

    Args:
        capacity: how many are kept, the oldest being dropped; None keeps all.
    """

    def __init__(self, capacity: int | None = DEFAULT_CAPACITY) -> None:
        self._events: deque[Event] = deque(maxlen=capacity)
        self.record: Callable[[Event], None] = self._events.append

    @property
    def full(self) -> bool:
        """True when older events may have been dropped."""
        return len(self._events) == self._events.maxlen

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Event]:
        """Go through a copy, so that recording may go on meanwhile."""
        return iter(self._events.copy())

    def of(self, *kinds: str) -> list[Event]:
        """Return the events of these kinds, oldest first."""
        return [event for event in self if event[1] in kinds]


def as_dict(event: Event) -> dict[str, Any]:
    """Return an event with its fields by name, for logs and tests."""
    return {"time_ns": event[0], "kind": event[1], **dict(zip(FIELDS[event[1]], event[2:], strict=True))}


def new_ring(events: bool | int | None) -> EventRing | None:  # noqa: FBT001 - one option with four kinds of values
    """Make a ring as an option asks for it. See `Runtime`. Raises BadInput for a negative number."""
    if events is True:
        return EventRing()
    if events is False:
        return None
    if events is not None and events < 0:
        raise BadInput("events", str(events), "True, False, None or a number of events to keep")
    return EventRing(events)
