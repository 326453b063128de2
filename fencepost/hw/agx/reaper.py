"""Who frees the memory of commands, so that nobody on the way of a fence has to."""

from __future__ import annotations

from typing import ClassVar

from fencepost.actors import Actor
from fencepost.hw.agx.messages import Garbage

__all__ = ["Reaper"]


class Reaper(Actor):
    """Frees commands that the firmware is done with: a work queue of its own, outside of any signalling section."""

    def on_garbage(self, message: Garbage) -> None:
        """Free commands."""
        for command in message.commands:
            assert command.done
            command.freed = True

    messages: ClassVar = {Garbage: on_garbage}
