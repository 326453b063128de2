"""Waits for what nobody has to bring about, by those who hold something that others may need for it.

A user fence is written when a program likes, and a long-running fence signals when its work ends, if it does. Who holds
a lock meanwhile stops everybody who wants that, the memory management among them. (kernel: drm-vm-bind-async, which
forbids it for memory fences; and the proposal to annotate long-running fences.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fencepost.checks.broken_rule import BrokenRule, Tell
from fencepost.checks.lock_order import kinds_held
from fencepost.checks.poison import deed
from fencepost.fences.fence import Fence
from fencepost.fences.long_running import is_long_running
from fencepost.fences.several import AnyOf
from fencepost.fences.user_fence import UserFence

if TYPE_CHECKING:
    from fencepost.checks.observers import TaskWatch

__all__ = ["UnboundedWaits"]

RULE: Final = "wait that may never end, with something held"


class UnboundedWaits:
    """Watches what is held over such waits."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def waiting(self, watch: TaskWatch, on: object) -> None:
        """Note that a task is about to wait."""
        held = kinds_held(watch.held)
        if held and may_never_end(on):
            did = deed(f"{on} was waited for")
            self._tell(BrokenRule(RULE, f"{did}, holding {', '.join(held)}", (did,)))


def may_never_end(on: object) -> bool:
    """Say whether a wait for this has no end that anybody answers for."""
    fences = on.fences if isinstance(on, AnyOf) else (on,)
    return any(isinstance(each, UserFence) or (isinstance(each, Fence) and is_long_running(each)) for each in fences)
