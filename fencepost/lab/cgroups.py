"""The control groups of a run: as a scenario says them, made in a tree, and tried out before anything starts."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from fencepost.actors import Runtime
from fencepost.actors.cgroups import DRIVERS, Cgroup, Cgroups, Client, Driver
from fencepost.actors.cgroups.controllers import run_queue_under
from fencepost.actors.cgroups.files import FILES
from fencepost.errors import BadInput
from fencepost.lab.wsim.refusal import quoted

__all__ = [
    "CARD",
    "CgroupSetup",
    "ChangeSetup",
    "DriverName",
    "Move",
    "Write",
    "driver_for",
    "goes_with",
    "make_change",
    "make_groups",
    "no_effect",
    "try_out",
]

CARD: Final = "card0"
"""What per-device lines of control files call the GPU of a run."""

DriverName: TypeAlias = Literal["i915", "amdgpu", "xe"]

DRM_FILES: Final = tuple(name for name in FILES if name.startswith("drm."))
"""What a scenario may write; the other files are for who builds the tree."""

MOST_NAMED: Final = 12
"""How many groups a message lists."""


@dataclass(frozen=True, slots=True)
class Write:
    """A text for a control file.

    Attributes:
        where: how the person knows it, for messages.
        group: the path of the group.
        file: such as `drm.weight`.
        text: what is written.
    """

    where: str
    group: str
    file: str
    text: str

    def __str__(self) -> str:
        return f"{self.group}/{self.file}={self.text}"


@dataclass(frozen=True, slots=True)
class Move:
    """A client that goes to another group.

    Attributes:
        where: how the person knows it, for messages.
        client: its name.
        group: the path of the group.
    """

    where: str
    client: str
    group: str

    def __str__(self) -> str:
        return f"{self.client} -> {self.group}"


@dataclass(frozen=True, slots=True)
class CgroupSetup:
    """A group.

    Attributes:
        where: how the person knows it, for messages.
        path: from the root, such as `A/B`. Its parent comes before it.
        writes: what is written in its files at first.
    """

    where: str
    path: str
    writes: tuple[Write, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeSetup:
    """What is changed at a time, in seconds after the start of the run."""

    at_s: float
    change: Write | Move


def driver_for(controller: str, submission: str) -> DriverName:
    """Return the driver that a controller was made for."""
    if controller == "v8":
        return "amdgpu" if submission == "ring" else "xe"
    return "i915"


def no_effect(controller: str, driver: str, submission: str) -> str | None:
    """Say why a controller changes nothing for such clients; None when it does, or is none."""
    operations = DRIVERS[driver]
    if controller == "hweight" and submission != "ring":
        return "it divides what entities share, and each queue of a firmware has one"
    if controller in {"rfc-budget", "rfc-budget-faithful", "v6"} and not operations.budget_supported:
        return f"the driver {driver} takes no budgets"
    if controller == "v8" and operations.update_weights is Driver.update_weights:
        return f"the driver {driver} takes no weights"
    if controller == "v8" and driver == "amdgpu" and submission != "ring":
        return "amdgpu weighs what entities share, and each queue of a firmware has one"
    return None


def goes_with(policy: str, controller: str, submission: str) -> bool:
    """Say whether there can be both: a controller that orders what a ring runs changes the policy fair."""
    if submission != "ring":
        return True
    try:
        run_queue_under(controller, policy)
    except BadInput:
        return False
    return True


# In a tree.


def make_groups(tree: Cgroups, groups: Sequence[CgroupSetup]) -> None:
    """Make groups, each with the controller, and write their files. Client context.

    Raises:
        BadInput: for a name that no group can have, or what a file refuses.
    """
    for group in groups:
        above, _, name = group.path.rpartition("/")
        parent = tree.lookup(above)
        if not parent.enabled:
            parent.write("cgroup.subtree_control", "+drm")
        try:
            parent.mkdir(name)
        except OSError as error:
            raise BadInput(group.where, f"{quoted(name)} ({_in_words(error)})", "a name for a group") from error
    for group in groups:
        for write in group.writes:
            _checked_write(tree, write)


def make_change(tree: Cgroups, change: Write | Move, clients: Mapping[str, Client]) -> None:
    """Do what is due. Client context. Raises OSError: as the file, or ESRCH for a client that has left."""
    if isinstance(change, Write):
        tree.lookup(change.group).write(change.file, change.text)
    else:
        tree.lookup(change.group).attach(clients[change.client])


# For trial.


def try_out(
    groups: Sequence[CgroupSetup],
    members: Iterable[tuple[str, str, str]],
    changes: Iterable[Write | Move],
    engines: Mapping[str, int],
) -> None:
    """Make groups, clients and changes in a tree that is thrown away.

    Args:
        groups: parents before their children.
        members: where the person named a client's group, the client and the path.
        changes: those to come. What is refused does not depend on those before it.
        engines: by class.

    Raises:
        BadInput: for the first that is refused: with what the file or the group would have said.
    """
    with Runtime("virtual", events=False) as runtime:
        tree = runtime.cgroups
        card = tree.card(CARD, engines=engines)
        make_groups(tree, groups)
        clients: dict[str, Client] = {}
        for where, client, path in members:
            group = _group(tree, where, path, groups)
            clients[client] = card.open(client)
            _checked_attach(group, where, clients[client])
        for change in changes:
            group = _group(tree, change.where, change.group, groups)
            if isinstance(change, Write):
                _checked_write(tree, change)
            elif change.client in clients:
                _checked_attach(group, change.where, clients[change.client])
            else:
                raise BadInput(change.where, f"client {quoted(change.client)}", _one_of(clients))


def _group(tree: Cgroups, where: str, path: str, groups: Sequence[CgroupSetup]) -> Cgroup:
    try:
        return tree.lookup(path)
    except OSError:
        known = [group.path for group in groups]
        raise BadInput(where, f"group {quoted(path)}", _one_of(known) if known else "a group made by a table") from None


def _checked_attach(group: Cgroup, where: str, client: Client) -> None:
    try:
        group.attach(client)
    except OSError as error:
        raise BadInput(where, f"{group.path} ({_in_words(error)})", "a group without groups in it") from error


def _checked_write(tree: Cgroups, write: Write) -> None:
    if write.file not in DRM_FILES:
        raise BadInput(write.where, f"file {quoted(write.file)}", _one_of(DRM_FILES))
    try:
        tree.lookup(write.group).write(write.file, write.text)
    except OSError as error:
        # A file says what it expected; whoever else refuses says only what was in the way.
        found, _, expected = (error.strerror or "").rpartition(", expected ")
        reason = errno.errorcode[error.errno or 0] if found else _in_words(error)
        expected = expected if found else "a file that the group has"
        raise BadInput(write.where, f"{quoted(write.text)} ({reason})", expected) from error


def _in_words(error: OSError) -> str:
    return f"{errno.errorcode[error.errno or 0]}: {error.strerror}"


def _one_of(names: Iterable[str]) -> str:
    first = [*names]
    more = ", ..." if len(first) > MOST_NAMED else ""
    return f"one of {', '.join(first[:MOST_NAMED])}{more}"
