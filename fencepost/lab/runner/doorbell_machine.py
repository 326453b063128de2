"""A GPU with user queues, as the machine of a run: each context of a client is a queue of its own."""

from __future__ import annotations

import errno

from fencepost.actors import Entity, Job, RecoveryRecord, Runtime, Status
from fencepost.hw.user_queue import Mes, Process
from fencepost.lab.runner.doorbell_entity import DoorbellEntity, NoBackend, Registrar
from fencepost.lab.runner.engines import EngineNames
from fencepost.lab.runner.guc_machine import check_choices
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.policies import Health, Priority
from fencepost.sync import NS_PER_S, current

__all__ = ["DoorbellMachine"]

PREEMPT_US = 100
RING_SIZE = 256
"""More than the batches that a client may have on an engine."""


class DoorbellMachine:
    """A GPU to whose engines clients write themselves. See `Machine`.

    The policy and the credit limit of the setup have nothing to hold: jobs go into the ring as they come, and the
    firmware chooses among queues. Dependencies are waited for in the ring. All contexts of a client are queues of one
    process. A bond holds as with `GucMachine`.
    """

    def __init__(self, setup: Setup, runtime: Runtime) -> None:
        check_choices(setup)
        engines = {name: count for name, count in setup.engines.items() if count}
        self._mes = Mes(runtime, engines, preempt_us=PREEMPT_US, hang_timeout_s=setup.timeout_s)
        self.engines = tuple(name for names in self._mes.engines.values() for name in names)
        self.statistics = self._mes.statistics
        self._runtime = runtime
        runtime.scheduler_class, runtime.entity_class = Registrar, DoorbellEntity
        self._registrar = runtime.scheduler(NoBackend(), "user queues")
        # Protects what follows, which clients and the firmware change; a leaf.
        self._lock = runtime.world.lock()
        self._processes: dict[str, Process] = {}
        self._entities: dict[DoorbellEntity, None] = {}
        self._records: list[RecoveryRecord] = []

    def entity(self, setup: ClientSetup, name: str, choice: EngineNames) -> Entity:
        with self._lock:
            process = self._processes.get(setup.name)
        if process is None:
            # A client has one task, and the first of its entities are made by one.
            process = self._mes.process(setup.name)
            with self._lock:
                self._processes[setup.name] = process
        # Before the entity: that one cannot be undone.
        queue = process.queue(
            choice, name, size=RING_SIZE, priority=setup.priority, lost=lambda error: self._lose(entity, error)
        )
        entity = self._runtime.entity([self._registrar], name, priority=setup.priority, client=setup.name)
        assert isinstance(entity, DoorbellEntity)
        entity.connect(queue, PREEMPT_US)
        with self._lock:
            self._entities[entity] = None
        return entity

    def retire(self, entity: Entity) -> None:
        with self._lock:
            del self._entities[ours(entity)]
        entity.fini()

    def terminate(self, job: Job) -> None:
        ours(job.entity).terminate(job)

    def engines_of(self, job: Job) -> EngineNames:
        mqd = ours(job.entity).user_queue.mqd
        with self._mes.hardware as contexts:
            emission = mqd.emissions.get(job.finished.seqno)
            seat = None if emission is None else contexts.executing(emission)
        return mqd.identity.engines if seat is None else (seat.name,)

    def set_priority(self, entity: Entity, priority: Priority) -> None:
        entity.set_priority(priority)
        ours(entity).user_queue.set_priority(priority)

    def recoveries(self) -> tuple[RecoveryRecord, ...]:
        with self._lock:
            return tuple(self._records)

    def disband(self) -> None:
        for entity in self._all():
            entity.kill()

    def kill(self, client: str) -> None:
        for entity in self._all():
            if entity.client == client:
                entity.kill()

    def page_fault(self, job: Job) -> None:
        ours(job.entity).user_queue.fault(job.finished.seqno)

    def reset_engine(self, engine: str) -> bool:
        return self._mes.reset_engine(engine)

    def suspend(self, client: str, for_s: float) -> bool:
        process = self._processes[client]
        process.hold()
        current().timers.call_at(current().now_ns() + round(for_s * NS_PER_S), process.release)
        return any(entity.client == client for entity in self._all())

    def kill_firmware(self) -> None:
        raise NotImplementedError("user queues do not outlive their firmware: a setup that asks for it is refused")

    def unplug(self) -> None:
        self._mes.unplug()
        self._record("gpu", None, Status.ENODEV)

    def _lose(self, entity: Entity, error: int) -> None:
        """Note that a queue is lost: its context is banned before its jobs end, so that the client finds it dead."""
        lost = ours(entity)
        if error == -errno.ENODEV:
            lost.ban(Health.INNOCENT, error)
            return
        lost.ban(Health.GUILTY, -errno.ECANCELED)
        self._record(lost.name, (lost.context + 1, lost.user_queue.mqd.ring.rptr.load() + 1), Status.RESET)

    def _record(self, what: str, job: tuple[int, int] | None, status: Status) -> None:
        now_ns = current().now_ns()
        with self._lock:
            self._records.append(RecoveryRecord(what, job, status, now_ns, now_ns))

    def _all(self) -> list[DoorbellEntity]:
        with self._lock:
            return list(self._entities)


def ours(entity: Entity) -> DoorbellEntity:
    """Return an entity as what it is."""
    assert isinstance(entity, DoorbellEntity)
    return entity
