"""A GPU whose firmware schedules, as the machine of a run: each context of a client is a queue of its own."""

from __future__ import annotations

from fencepost.actors import Entity, Job, RecoveryRecord, Runtime
from fencepost.errors import BadInput
from fencepost.hw.guc import Guc, GucQueue
from fencepost.lab.runner.engines import EngineNames
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.policies import POLICIES, Priority
from fencepost.sync import NS_PER_S, current

__all__ = ["GucMachine"]


class GucMachine:
    """A GPU whose firmware chooses among the contexts of all clients. See `Machine`.

    The policy of the setup has nothing to choose from: a queue has one entity. Priorities are the firmware's. A bond
    holds if its master may run where the bond says: the firmware chooses an engine only when the batch starts.
    """

    def __init__(self, setup: Setup, runtime: Runtime) -> None:
        check_choices(setup)
        self._guc = Guc({name: count for name, count in setup.engines.items() if count})
        self.engines = tuple(name for names in self._guc.engines.values() for name in names)
        self.terminate = self._guc.terminate
        self.engines_of = self._guc.engines_of
        self.statistics = self._guc.statistics
        self._runtime = runtime
        self._credit_limit = setup.credit_limit
        self._timeout_s = setup.timeout_s
        # Protects the queues, which clients make and put away while something goes wrong with others; a leaf.
        self._lock = runtime.world.lock()
        self._queues: dict[Entity, GucQueue] = {}

    def entity(self, setup: ClientSetup, name: str, choice: EngineNames) -> Entity:
        queue = self._guc.queue(
            self._runtime,
            choice,
            name,
            priority=setup.priority,
            client=setup.name,
            credit_limit=self._credit_limit,
            timeout_s=self._timeout_s,
        )
        with self._lock:
            self._queues[queue.entity] = queue
        return queue.entity

    def retire(self, entity: Entity) -> None:
        with self._lock:
            queue = self._queues.pop(entity)
        queue.close()
        entity.fini()

    def set_priority(self, entity: Entity, priority: Priority) -> None:
        entity.set_priority(priority)
        with self._lock:
            queue = self._queues.get(entity)
        # A controller may come to one that is put away meanwhile.
        if queue is not None:
            queue.set_policies(priority=priority)

    def recoveries(self) -> tuple[RecoveryRecord, ...]:
        return self._guc.domain.records if self._all() else ()

    def disband(self) -> None:
        for queue in self._all():
            queue.scheduler.fini()

    def kill(self, client: str) -> None:
        for queue in self._of(client):
            queue.kill()
            queue.entity.kill()

    def page_fault(self, job: Job) -> None:
        self._guc.faults.page_fault(job)

    def reset_engine(self, engine: str) -> bool:
        return self._guc.faults.reset_engine(engine)

    def suspend(self, client: str, for_s: float) -> bool:
        queues = self._of(client)
        for queue in queues:
            queue.suspend()
            current().timers.call_at(current().now_ns() + round(for_s * NS_PER_S), queue.resume)
        return bool(queues)

    def kill_firmware(self) -> None:
        self._guc.faults.kill_firmware()

    def unplug(self) -> None:
        self._guc.domain.unplug()

    def _all(self) -> list[GucQueue]:
        with self._lock:
            return list(self._queues.values())

    def _of(self, client: str) -> list[GucQueue]:
        return [queue for queue in self._all() if queue.entity.client == client]


def check_choices(setup: Setup) -> None:
    """Raise BadInput for a policy that there is not, and for a recovery: the firmware and its driver have their own."""
    if setup.policy not in POLICIES:
        raise BadInput("policy", repr(setup.policy), f"one of {', '.join(POLICIES)}")
    if setup.recovery is not None:
        raise BadInput("recovery", setup.recovery, f"none with submission {setup.submission}: it has a way of its own")
