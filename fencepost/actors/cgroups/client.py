"""A client: an open device, with the entities that were made through it and the GPU time they have used."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fencepost.actors.cgroups.drm_state import DrmState
from fencepost.actors.cgroups.fdinfo import fdinfo
from fencepost.actors.cgroups.group_scheduler import GroupSchedulerActor
from fencepost.actors.entity import Entity
from fencepost.actors.entity_queue import EntityQueue
from fencepost.errors import WrongState
from fencepost.policies import Priority
from fencepost.policies.group import Group

if TYPE_CHECKING:
    from fencepost.actors.cgroups.card import Card
    from fencepost.actors.cgroups.hierarchy import Cgroups
    from fencepost.actors.cgroups.process import Process
    from fencepost.actors.scheduler import Scheduler

__all__ = ["Adopted", "Client"]


@dataclass(frozen=True, slots=True)
class Adopted:
    """An entity of a client, as its driver sees it.

    Attributes:
        queue: what schedulers know of it.
        priority: what it was made with.
        engine_classes: where it may run.
        set_priority: what changes that.
    """

    queue: EntityQueue
    priority: Priority
    engine_classes: frozenset[str]
    set_priority: Callable[[Priority], object]


class Client:
    """Whoever has opened a device, and all it does there. Made by `Card.open`.

    (kernel: struct drm_file)

    Life cycle: *open* -> *closed* (`close`: its entities are destroyed, and it is in no group).

    What its entities use is charged to it, and to the group of its process. All that changes is protected by the lock
    of the hierarchy; schedulers read `group` without it, and are told behind each change to look again.

    Attributes:
        name: what reports call it.
        number: its `drm-client-id`, one for each client of a runtime.
        card: what it has opened.
        process: whose it is.
        closed: whether it was closed. Anybody may read it.
        group: whose settings count for it.
        controller: what its driver deals with, by name.
        faithful: whether that has the faults of the first posting, and the driver so too.
        operations: what its driver does for it at the word of a controller.
    """

    def __init__(self, cgroups: Cgroups, card: Card, name: str, number: int, process: Process, *, alone: bool) -> None:
        self.name = name
        self.number = number
        self.card = card
        self.process = process
        self.closed = False
        self.group: Group = cgroups.root.governing_locked().group
        self._cgroups = cgroups
        self._account = cgroups.root.governing_locked().own.below()
        self._entities: dict[Entity, Adopted] = {}
        # The process that was made for it, and exits with it.
        self._own = process if alone else None
        self._entity_numbers = itertools.count(1)
        self.controller: str = cgroups.runtime.controller
        self.faithful: bool = cgroups.faithful
        self.operations = card.driver(self)

    def entity(
        self, schedulers: Sequence[Scheduler], name: str | None = None, *, priority: Priority = Priority.NORMAL
    ) -> Entity:
        """Make an entity of its own. Client context; see `Runtime.entity`. Raises also as `adopt`."""
        if name is None:
            name = f"{self.name}.{next(self._entity_numbers)}"
        entity = self._cgroups.runtime.entity(schedulers, name, priority=priority, client=self.name)
        self.adopt(entity)
        return entity

    def adopt(self, entity: Entity, set_priority: Callable[[Priority], object] | None = None) -> None:
        """Take an entity in that was made elsewhere and has had no jobs. Client context.

        Args:
            entity: whose jobs it pays for from now on.
            set_priority: how its driver changes the priority; None is by `Entity.set_priority`.

        Raises:
            ValueError: one of its schedulers knows groups, and is not of the card: nobody would tell it of them. So its
                schedulers must not be changed for such later.
            WrongState: when the client was closed, or the entity has had jobs.
        """
        for scheduler in entity.schedulers:
            if isinstance(scheduler.actor, GroupSchedulerActor) and scheduler not in self.card.schedulers:
                raise ValueError(f"{entity} may run on {scheduler}, expected one of {self.card}'s")
        with self._cgroups.lock:
            if self.closed or entity.armed:
                raise WrongState(
                    f"{self} cannot have {entity}: {'it was closed' if self.closed else 'it has had jobs'}"
                )
            self._entities[entity] = Adopted(
                entity.belong_to(self),
                entity.priority,
                frozenset(scheduler.engine_class for scheduler in entity.schedulers),
                set_priority or entity.set_priority,
            )
            self._cgroups.tell_governed_locked(self)

    @property
    def entities(self) -> tuple[Entity, ...]:
        """The entities it has, in the order they came. Any context."""
        with self._cgroups.lock:
            return tuple(self._entities)

    def hand_over(self, process: Process) -> None:
        """Have it belong to another process: who opened it did so for that one. Client context.

        Raises OSError: ESRCH when that process has exited; WrongState when the client was closed.
        (kernel: drm_file_update_pid)
        """
        self._cgroups.hand_over(self, process)

    def close(self, flush_s: float = 1.0) -> None:
        """Give its jobs `flush_s` to get to the hardware, then end its entities, and leave. Client context; idempotent.

        Blocks as `Entity.destroy`.
        """
        with self._cgroups.lock:
            self.closed = True
        for entity in self.entities:
            entity.destroy(flush_s)
        self._cgroups.close(self)
        if self._own is not None:
            self._own.exit()

    # Usage.

    def charge(self, engine_class: str, used_ns: int) -> None:
        """Count GPU time of a job that is complete. By the scheduler that ran it."""
        self._account.charge((self.card.name, engine_class), used_ns)

    def used_ns(self) -> dict[str, int]:
        """Return the GPU time of its jobs that are complete, by engine class. Any context.

        Never less than before. A job that still runs counts when it ends.
        """
        return {engine_class: used_ns for (_, engine_class), used_ns in self._account.used_ns().items()}

    def active_us(self) -> int:
        """Return for how long whole classes of engines, together, were busy with its jobs. Any context."""
        return self._cgroups.active_us(self._account)

    def fdinfo(self) -> str:
        """Tell what it has used, in the format of /proc/PID/fdinfo. Any context. See `fdinfo`."""
        return fdinfo(self)

    # For the hierarchy and the controller.

    def govern_locked(self, state: DrmState) -> None:
        """Have these settings count for it, and this account be charged, from now on."""
        self.group = state.group
        self._account.move(state.own)

    def queues(self) -> list[EntityQueue]:
        """Return what its entities are to schedulers. Any context."""
        return [entity.queue for entity in self._adopted()]

    def set_priorities(self, priority_of: Callable[[Adopted], Priority]) -> None:
        """Change how important its entities are, where that is another than before. By its driver."""
        for entity in self._adopted():
            priority = priority_of(entity)
            if priority is not entity.queue.priority:
                entity.set_priority(priority)

    def set_cgroup_weight(self, weight: int) -> None:
        """Change what its entities weigh, in 1024ths, from their next place in the run queue on. By its driver."""
        # Not by a message, as with a priority: see `Entity.set_priority`.
        for entity in self._adopted():
            entity.queue.cgroup_weight = weight

    def _adopted(self) -> list[Adopted]:
        with self._cgroups.lock:
            return list(self._entities.values())

    def drop(self, entity: Entity) -> None:
        """Forget an entity that has come to its end. By the entity."""
        with self._cgroups.lock:
            self._entities.pop(entity, None)

    def __repr__(self) -> str:
        return f"<Client {self.number} {self.name}>"
