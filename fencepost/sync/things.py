"""The things that tasks of a controlled world act upon: their numbers, and what reports call them.

A number does not depend on what other tasks did meanwhile, so it is the same in equivalent schedules: it is made of
the number of the task that made the thing, and of how many that task had made.
"""

from __future__ import annotations

import inspect
from types import FrameType
from typing import TYPE_CHECKING, Final

from fencepost.sync.controlled_primitives import ControlledFlag, ControlledMailbox, ControlledWaiter

if TYPE_CHECKING:
    from fencepost.sync.controlled import ControlledTask

__all__ = ["FIELD", "TASKS", "Things", "first_number"]

TASKS: Final = 0
"""What a spawn acts upon: the numbers of the tasks. A join and an end act upon the task's own number."""

THINGS_OF_A_TASK: Final = 16
"""So many bits of a thing's number count what its maker has made; above them is the maker."""

FIELD: Final = 1 << 60
"""Added to the number of a guard for the fields under it."""


def first_number(task: int) -> int:
    """Return the number after which those of what a task makes begin."""
    return (task + 1) << THINGS_OF_A_TASK


class Things(dict[int, tuple[object, object]]):
    """What has been numbered -> the thing, and who made it where that is known.

    Attributes:
        task_names: the names of the tasks, by number.
    """

    def __init__(self) -> None:
        super().__init__()
        self.task_names = ["main"]
        self._numbers: dict[int, int] = {}

    def number_of(self, thing: object, toucher: ControlledTask) -> int:
        """Number a thing that was not made by the world, when somebody first takes a step on it."""
        number = self._numbers.get(id(thing))
        if number is None:
            toucher.latest_thing += 1
            number = self._numbers[id(thing)] = toucher.latest_thing
            # Kept, so that no other thing gets its identity.
            self[number] = (thing, None)
        return number

    def remember(self, number: int, thing: object) -> None:
        """Note what has this number, and who made it. By what gives the number, called by the making of the thing."""
        self[number] = (thing, maker_of(inspect.currentframe()))

    def name_of(self, number: int) -> str:
        """Say what has this number, for a person."""
        if number < 1 << THINGS_OF_A_TASK:
            return self.task_names[number] if number else ""
        if number >= FIELD:
            return f"what {self.name_of(number - FIELD)} protects"
        maker = self.task_names[(number >> THINGS_OF_A_TASK) - 1]
        thing, owner = self.get(number, (None, None))
        if isinstance(thing, ControlledWaiter):
            return maker
        if isinstance(thing, ControlledMailbox | ControlledFlag):
            return thing.name
        if id(thing) in self._numbers:
            return words_for(thing)
        return f"lock {maker}.{number & ((1 << THINGS_OF_A_TASK) - 1)}{said_of(owner)}"


def maker_of(frame: FrameType | None) -> object:
    """Return who made the thing that is remembered in `frame`: an object, or the name of a function."""
    for _ in range(3):
        # Past `remember`, `new_number` and the thing's own making.
        frame = None if frame is None else frame.f_back
    return None if frame is None else frame.f_locals.get("self", frame.f_code.co_qualname)


def said_of(owner: object) -> str:
    """Say whose a lock is."""
    if owner is None:
        return ""
    return f" ({owner.rpartition('.')[2] if isinstance(owner, str) else words_for(owner)})"


def words_for(thing: object) -> str:
    """Name a thing by class and name: it may be locked just now, or half made, and could not say what it is."""
    name = getattr(thing, "name", "")
    seqno = getattr(thing, "seqno", None)
    return f"{type(thing).__name__}{f' {name}' if name else ''}{f':{seqno}' if seqno else ''}"
