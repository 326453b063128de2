"""A group of queues that a reset killed, and that no word told of its innocence.

The product says what it thinks of a queue in the step that bans it; the model has the state as a client asks for it.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell

__all__ = ["BUG"]


class Group:
    """Queues that are lost together: by a fault, a job that runs for too long, or a reset that others have caused."""

    def __init__(self) -> None:
        self._dead = Cell("dead", value=False)
        self._faulted = Cell("faulted", value=False)
        self._timed_out = Cell("timed out", value=False)
        self._innocent = Cell("innocent", value=False)

    def lose(self) -> None:
        """End it, as it could not be taken off the hardware for a reset."""
        self.absolve()
        self._dead.store(value=True)

    def absolve(self) -> None:
        """Note that it did nothing wrong; before anybody can see that it is dead."""
        self._innocent.store(value=True)

    def query(self) -> None:
        """Find out why nothing runs any more. The client."""
        if self._dead.load():
            reasons = [cell for cell in (self._faulted, self._timed_out, self._innocent) if cell.load()]
            assert reasons, "the group is dead, and nothing says why"


class GroupAsItWas(Group):
    """Knows no word for it."""

    def absolve(self) -> None:
        pass


def model(group: Group, runtime: Runtime) -> None:
    """Lose a group in a reset while its client asks for its state."""
    runtime.spawn(group.lose, "reset")
    runtime.spawn(group.query, "client")


BUG = Bug(
    name="innocent-group-not-told",
    title=None,
    fix="4181576d85c6 (panthor), date and title not known",
    symptom="a client finds its queues dead, and nothing of what the kernel says explains it",
    interleaving="a reset has to take a group off the hardware and cannot; the group is ended, though it did nothing"
    " wrong; the client asks what it did, and the answer is nothing, as for one that lives",
    repair="say that it is innocent, and only then let it be seen dead",
    broken=lambda runtime: model(GroupAsItWas(), runtime),
    fixed=lambda runtime: model(Group(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
