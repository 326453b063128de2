"""A number for what has happened so far, the same for all schedules that differ only in the order of unrelated steps.

Each step is hashed together with the steps that it comes after: the one before in its task, and those before on the
same thing. So the last hash of a task stands for the whole past of that task, and the last hashes of all tasks stand
for the partial order of all steps. Two schedules with the same partial order have brought the program to the same
state.

Two looks at a thing are unrelated, any other two steps on it are not. A jump of the clock comes after everything and
before everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fencepost.sync.controlled import CLOCK, Step

__all__ = ["Past"]

LOOKS: Final = frozenset({"look", "read"})


class Past:
    """The partial order of the steps that it was shown."""

    def __init__(self) -> None:
        self._seen = 0
        self._last = [0]
        self._changes: dict[int, int] = {}
        self._looks: dict[int, int] = {}

    def fingerprint(self, steps: Sequence[Step]) -> int:
        """Take in what was added to `steps` since the last call, and return the hash of it all."""
        for index in range(self._seen, len(steps)):
            who, action, thing = steps[index]
            if who == CLOCK:
                self._jump()
            elif action in LOOKS:
                self._look(who, action, thing)
            else:
                self._change(who, action, thing)
        self._seen = len(steps)
        return hash(tuple(self._last))

    def _jump(self) -> None:
        past = hash(tuple(self._last))
        self._last = [hash((past, task)) for task in range(len(self._last))]

    def _look(self, who: int, action: str, thing: int) -> None:
        step = self._last[who] = hash((self._last[who], action, thing, self._changes.get(thing, 0)))
        # A sum, since looks may come in any order.
        self._looks[thing] = self._looks.get(thing, 0) + step

    def _change(self, who: int, action: str, thing: int) -> None:
        past = (self._last[who], action, thing, self._changes.get(thing, 0), self._looks.pop(thing, 0))
        step = self._last[who] = self._changes[thing] = hash(past)
        if action == "spawn":
            self._last.append(hash((step, len(self._last))))
