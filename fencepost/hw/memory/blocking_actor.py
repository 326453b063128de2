"""An actor that blocks in the middle of what it does, for locks, memory and fences."""

from __future__ import annotations

from fencepost.actors import Actor
from fencepost.actors.dispatch import Dispatch, WorkQueueDispatch
from fencepost.errors import WrongState

__all__ = ["BlockingActor"]


class BlockingActor(Actor):
    """An actor with a task of its own, which may block wherever a client may.

    Raises WrongState in a work queue, whose workers have others to carry.
    """

    def __init__(self, dispatch: Dispatch, name: str) -> None:
        if isinstance(dispatch, WorkQueueDispatch):
            raise WrongState(
                f"{name} blocks, which no actor of a work queue may: make its runtime with dispatch='thread'"
            )
        super().__init__(dispatch, name)
