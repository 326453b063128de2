"""The tree of control groups as one engine sees it: who is below whom, who is held back, and what they have used."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from fractions import Fraction
from typing import Any, TypeAlias

from fencepost.policies.cgroups.cap import Cap
from fencepost.policies.cgroups.level import Level, Share
from fencepost.policies.fair import Fair
from fencepost.policies.group import DEFAULT_WEIGHT, Group
from fencepost.policies.run_queue import RunQueue

__all__ = ["Branch", "GroupStatistics", "Leaf", "Place", "Waiting"]

Waiting: TypeAlias = "tuple[int, int, Branch]"
"""Until when a branch is held back; a number that tells equals apart; the branch."""


@dataclasses.dataclass(frozen=True, slots=True)
class GroupStatistics:
    """What a group, with all below it, has had of an engine.

    Attributes:
        runtime_ns: GPU time of its finished jobs.
        running: jobs that were taken and have not come back.
        throttled: how often it was held back by its cap.
        throttled_ns: for how long, not counting the present time.
    """

    runtime_ns: int
    running: int
    throttled: int
    throttled_ns: int


class Place(Share, ABC):
    """A node of that tree; `parent` is None for the root alone."""

    __slots__ = ("parent",)

    def __init__(self, parent: Branch | None, weight: int) -> None:
        super().__init__(weight)
        self.parent = parent

    @property
    @abstractmethod
    def can_run(self) -> bool:
        """Whether something of it can run."""


class Leaf(Place):
    """The entities that are in a group itself, in the order of the `fair` policy."""

    __slots__ = ("nodes",)

    parent: Branch

    def __init__(self, parent: Branch) -> None:
        super().__init__(parent, DEFAULT_WEIGHT)
        self.nodes = RunQueue[Any](Fair())

    @property
    def can_run(self) -> bool:
        return self.nodes.any_ready


class Branch(Place):
    """A group: one of the siblings in its parent, and the level of those within.

    Attributes:
        level: its children, and its own entities as one more of them.
        own: those entities.
        cap: how much it may use, or None.
        waiting: until when it is held back, or None.
        runtime_ns: GPU time of its finished jobs, and of those below.
    """

    __slots__ = ("_throttled", "_throttled_ns", "_throttled_since_ns", "cap", "level", "own", "runtime_ns", "waiting")

    def __init__(self, parent: Branch | None, group: Group | None, now_ns: int) -> None:
        super().__init__(parent, DEFAULT_WEIGHT if group is None else group.weight)
        self.level = Level[Place]()
        self.own = Leaf(self)
        self.cap: Cap | None = None
        self.waiting: Waiting | None = None
        self.runtime_ns = 0
        self._throttled = 0
        self._throttled_ns = 0
        self._throttled_since_ns = 0
        if group is not None and group.max_share is not None:
            self.cap = Cap(group.max_share, now_ns)

    @property
    def can_run(self) -> bool:
        return self.waiting is None and self.level.first() is not None

    def hold_back(self, cap: Cap, number: int, now_ns: int) -> Waiting:
        """Let nothing of it run until the cap has something again."""
        if self.waiting is None:
            self._throttled += 1
            self._throttled_since_ns = now_ns
        self.waiting = waiting = (cap.refilled_ns, number, self)
        return waiting

    def release(self, now_ns: int) -> None:
        """Let it run again; nothing happens when it is not held back."""
        if self.waiting is not None:
            self.waiting = None
            self._throttled_ns += now_ns - self._throttled_since_ns

    def set_max_share(self, share: Fraction | None, now_ns: int) -> None:
        """Give it another cap, with all that one allows at once, or none."""
        self.cap = None if share is None else Cap(share, now_ns)
        self.release(now_ns)

    def statistics(self) -> GroupStatistics:
        """Tell what it has had."""
        return GroupStatistics(self.runtime_ns, self.running, self._throttled, self._throttled_ns)
