"""Somebody who looks at who holds what, each time a job has to wait: in every world, and without observers."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Any

from fencepost.actors.resources import Resources
from fencepost.checks.observers import log_stall
from fencepost.checks.waits import Stall
from fencepost.policies.resources import Account
from fencepost.sync import current

__all__ = ["ResourceWatch"]


class ResourceWatch(abc.ABC):
    """Judges one `Resources`, which is given it as a watch. What is wrong is in a subclass.

    `_lock` protects what was found, and what the judgement goes by; before that of the resources.

    Args:
        on_stall: called with each report, by the actor that found it and without a lock; logs it, since nobody may ever
            come by to ask.

    Attributes:
        found: the reports, oldest first.
    """

    def __init__(self, on_stall: Callable[[Stall], object] = log_stall) -> None:
        self.found: list[Stall] = []
        self._lock = current().lock()
        self._on_stall = on_stall

    @abc.abstractmethod
    def judge(self, account: Account[Any]) -> Stall | None:
        """Say what is wrong with an account, or None. Of accounts, each is later than the one before."""

    def __call__(self, resources: Resources) -> None:
        with self._lock:
            stall = self.judge(resources.account())
            if stall is not None:
                self.found.append(stall)
        if stall is not None:
            self._on_stall(stall)
