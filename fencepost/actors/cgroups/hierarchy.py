"""The control groups of a runtime, and who is in them."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from fencepost.actors.cgroups.account import Account
from fencepost.actors.cgroups.card import Card
from fencepost.actors.cgroups.cgroup import Cgroup
from fencepost.actors.cgroups.client import Client
from fencepost.actors.cgroups.controllers import CONTROLLERS
from fencepost.actors.cgroups.driver_table import new_driver
from fencepost.actors.cgroups.drm_state import DrmState, is_in
from fencepost.actors.cgroups.messages import Closed, Governed, Released, Reweighted
from fencepost.actors.cgroups.process import Process
from fencepost.errors import BadInput, WrongState
from fencepost.policies.cgroups.rfc_priority import RfcPriority
from fencepost.policies.group import Group

if TYPE_CHECKING:
    from fencepost.actors.cgroups.drivers import Driver
    from fencepost.actors.runtime import Runtime
    from fencepost.actors.scheduler import Scheduler

__all__ = ["Cgroups"]

NS_PER_US: Final = 1_000


class Cgroups:
    """The hierarchy of control groups of a runtime: `rt.cgroups`.

        card = rt.cgroups.card("card0", [scheduler])
        group = rt.cgroups.root.mkdir("browser")
        group.write("drm.weight", "200")
        client = card.open("browser")
        group.attach(client)
        client.entity([scheduler]).submit(duration_us=1000)
        group.read("drm.stat")

    At first there is the root alone, whose children have the drm controller; groups below them have it when their
    parent enables it, as everywhere in cgroup v2.

    Files and memberships change at once, in the caller, and the actor of the controller is told by a message, in the
    order of the changes; so that a reader finds what was written, and nobody waits for a controller.

    Client context, by any number of threads.

    `lock` protects the tree, what is written in its files, and who is in which group. Taken after what a client holds,
    before the inbox of the controller's actor and the lock of the accounts. (kernel: cgroup_mutex)

    Attributes:
        root: the group that everybody starts in.
        faithful: whether the controller has the faults of the first posting.
        priorities: how important groups are. Written under the lock; who reads without it is told behind each change.
        actor: of the controller.
    """

    def __init__(self, runtime: Runtime) -> None:
        world = runtime.world
        self.lock = world.lock()
        self.runtime = runtime
        self._cards: dict[str, Card] = {}
        self._processes: dict[int, Process] = {}
        self._last_pid = self._last_client = 0
        self.root = Cgroup(self, "", None, DrmState(Group(), Account(world.lock())))
        self.root.enabled = True
        self.faithful = runtime.controller.endswith("-faithful")
        self.priorities = RfcPriority(faithful=self.faithful)
        self.actor = runtime.start(CONTROLLERS[runtime.controller], self, name="cgroups")

    def lookup(self, path: str) -> Cgroup:
        """Find a group by its path from the root, with or without the first slash; `/` is the root.

        Raises:
            OSError: ENOENT when there is none.
        """
        group = self.root
        with self.lock:
            for name in path.split("/"):
                if name:
                    child = group.children.get(name)
                    if child is None:
                        raise OSError(errno.ENOENT, f"{path}: {group.path} has no group {name!r}")
                    group = child
        return group

    def card(
        self,
        name: str,
        schedulers: Sequence[Scheduler] = (),
        *,
        driver: str | type[Driver] = "generic",
        engines: Mapping[str, int] | None = None,
    ) -> Card:
        """Make known a device, which clients can open then.

        Args:
            name: as in per-device lines of control files: one word, such as `card0`.
            schedulers: those of its engines.
            driver: what its driver is like: generic, i915, amdgpu, xe; or one of your own.
            engines: how many there are of each class. None counts the schedulers of each.

        Raises:
            BadInput: for an unknown driver, a count outside of 1 to 64, a name that is taken or is no word.
        """
        if name.split() != [name] or name == "default":
            raise BadInput("card", repr(name), "one word, not `default`")
        made_by = new_driver(driver) if isinstance(driver, str) else driver
        with self.lock:
            if name in self._cards:
                raise BadInput("card", repr(name), "a name that no other card has")
            card = Card(self, name, len(self._cards), driver=made_by, schedulers=schedulers, engines=engines)
            self._cards = {**self._cards, name: card}
        return card

    def process(self, name: str) -> Process:
        """Start a process, in the root."""
        with self.lock:
            return self._process_locked(name)

    def _process_locked(self, name: str) -> Process:
        self._last_pid += 1
        process = Process(self, self._last_pid, name, self.root)
        self._processes[process.pid] = self.root.processes[process.pid] = process
        return process

    # For cards, clients and processes.

    def open(self, card: Card, name: str, process: Process | None) -> Client:
        """See `Card.open`."""
        with self.lock:
            opener = process or self._process_locked(name)
            client = Client(self, card, name, self._last_client + 1, opener, alone=process is None)
            opener.admit_locked(client)
            self._last_client += 1
            self._govern_locked(client, self._governing(opener))
        return client

    def close(self, client: Client) -> None:
        """Take a client out of its process, and the hierarchy. By the client."""
        with self.lock:
            client.process.dismiss_locked(client)
            self.actor.post(Closed(client))

    def hand_over(self, client: Client, process: Process) -> None:
        """See `Client.hand_over`."""
        with self.lock:
            if client.closed:
                raise WrongState(f"{client} was closed: it cannot be handed over")
            if process is client.process:
                return
            process.admit_locked(client)
            client.process.dismiss_locked(client)
            client.process = process
            self._govern_locked(client, self._governing(process))

    def leave(self, process: Process) -> None:
        """Take a process out of its group. By the process, when it exits."""
        with self.lock:
            if process.group is not None:
                del process.group.processes[process.pid], self._processes[process.pid]
                process.group = None

    # For groups and their files, under the lock.

    def control_locked(self, child: Cgroup) -> None:
        """Give a group the controller, as its parent has it."""
        assert child.parent is not None
        above = child.parent.governing_locked()
        child.drm = DrmState(Group(child.name, above.group), above.account.below())
        self._govern_below_locked(child, child.drm)

    def release_locked(self, child: Cgroup) -> None:
        """Take the controller from a group; its settings are lost, and its clients are governed as the parent's."""
        assert child.parent is not None
        assert child.drm is not None
        state, child.drm = child.drm, None
        self._govern_below_locked(child, child.governing_locked())
        state.group.remove()
        self.priorities.forget(state.group)
        self.actor.post(Released(state))

    def _govern_below_locked(self, group: Cgroup, state: DrmState) -> None:
        """Have a state govern what is in a group and below: none of these has one of its own."""
        for process in group.processes.values():
            self.govern_locked(process, state)
        for child in group.children.values():
            self._govern_below_locked(child, state)

    def govern_locked(self, process: Process, state: DrmState) -> None:
        """Have a state govern the clients of a process from now on."""
        for client in process.clients_locked():
            self._govern_locked(client, state)

    def _govern_locked(self, client: Client, state: DrmState) -> None:
        client.govern_locked(state)
        self.tell_governed_locked(client)

    def tell_governed_locked(self, client: Client) -> None:
        """Tell the controller where a client is, which is new or has something new."""
        self.actor.post(Governed(client))

    @staticmethod
    def _governing(process: Process) -> DrmState:
        assert process.group is not None
        return process.group.governing_locked()

    def tell_weights_locked(self, state: DrmState, cards: Iterable[Card]) -> None:
        """Tell the controller what a group weighs now, on some cards."""
        self.actor.post(Reweighted(state, tuple((card, state.weight_on(card.name)) for card in cards)))

    def process_locked(self, pid: int) -> Process | None:
        """Return the process of a number, or None."""
        return self._processes.get(pid)

    # For the controller, and drivers.

    @property
    def cards(self) -> Mapping[str, Card]:
        """The devices, by name. Any context."""
        # Replaced, not changed, when one is added.
        return self._cards

    @property
    def root_group(self) -> Group:
        """What the policies know of the root."""
        return self.root.governing_locked().group

    @property
    def clients(self) -> list[Client]:
        """All clients that are open. Any context."""
        with self.lock:
            return self.clients_locked()

    def clients_locked(self) -> list[Client]:
        """Return all clients that are open."""
        return [client for process in self._processes.values() for client in process.clients_locked()]

    def states_locked(self) -> Iterator[DrmState]:
        """Yield what the controller keeps for each group that it controls."""
        groups = [self.root]
        for group in groups:
            if group.drm is not None:
                yield group.drm
            groups.extend(group.children.values())

    def active_us(self, account: Account) -> int:
        """Return for how long whole classes of engines, together, have been busy for an account."""
        return sum(
            -(-used_ns // (self._cards[card].engines.get(engine_class, 1) * NS_PER_US))
            for (card, engine_class), used_ns in account.used_ns().items()
        )

    def clients_below(self, group: Group) -> list[Client]:
        """Return the clients that a group governs, or one below it. Any context."""
        return [client for client in self.clients if is_in(client.group, group)]

    def used_ns_on(self, card: str) -> dict[str, int]:
        """Return the GPU time that all clients have used of a card, by engine class. Any context."""
        used_ns = self.root.governing_locked().account.used_ns()
        return {engine_class: ns for (place, engine_class), ns in used_ns.items() if place == card}
