"""A group of queues of which every member tore down the whole.

The product has no groups of queues; the model is one, and the time-out handlers of its members.
"""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell, Counter

__all__ = ["BUG"]

MEMBERS: Final = ("first", "second")


class Group:
    """Queues that are scheduled together, so that they are lost together."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._banned = Cell("group banned", value=False)
        self._tear_downs = Counter("tear-downs", 0)

    def timed_out(self, member: str) -> None:
        """Handle the time-out of a member, or what another's made of it."""
        if not self.ban(member):
            self.tear_down(member)

    def ban(self, member: str) -> bool:
        """Let nobody use the group any more; returns whether that was so before."""
        del member
        return self._banned.exchange(value=True)

    def tear_down(self, member: str) -> None:
        """Take the group off the hardware, and have the jobs of the others ended by their own handlers."""
        assert self._tear_downs.add(1) == 1, f"the {member} member tears the group down, which was torn down already"
        for other in MEMBERS:
            if other != member:
                self._runtime.spawn(lambda other=other: self.timed_out(other), other)  # type: ignore[misc]


class GroupAsItWas(Group):
    """Remembers which members are banned."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime)
        self._banned_members = {member: Cell(f"{member} banned", value=False) for member in MEMBERS}

    def ban(self, member: str) -> bool:
        return self._banned_members[member].exchange(value=True)


def model(group_class: type[Group], runtime: Runtime) -> None:
    """Let one member time out."""
    group_class(runtime).timed_out(MEMBERS[0])


BUG = Bug(
    name="group-torn-down-by-each-member",
    title=None,
    fix="8b81c76885e8 (xe), date and title not known",
    symptom="one hang in a group of queues brings a storm of recoveries",
    interleaving="a member times out; its handler takes the group off the hardware and triggers those of the others,"
    " each of which does it all again",
    repair="ban the group, and let who has done that tear it down",
    broken=lambda runtime: model(GroupAsItWas, runtime),
    fixed=lambda runtime: model(Group, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
