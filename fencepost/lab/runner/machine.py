"""What the clients of a run share: a device, schedulers for it, and the ways in which it can go wrong."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Protocol

from fencepost.actors import Entity, Job, RecoveryRecord, Runtime
from fencepost.hw import Gpu, GpuStatistics
from fencepost.lab.runner.engines import EngineNames
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.policies import Priority

__all__ = ["Machine", "RingMachine"]


class Machine(Protocol):
    """A device with its driver, as one way of submission has it. Made by the main task, before the clients start.

    Attributes:
        engines: the names of its engines, in order.
    """

    engines: tuple[str, ...]

    def terminate(self, job: Job, /) -> None:
        """End a job, as if its batch had been told to stop. Any context."""
        ...

    def engines_of(self, job: Job, /) -> EngineNames:
        """Name the engines that a pushed job may run on, or the one it runs on. Any context."""
        ...

    def statistics(self) -> GpuStatistics:
        """Count what the engines did. Any context."""
        ...

    def entity(self, setup: ClientSetup, name: str, choice: EngineNames) -> Entity:
        """Make an entity of a client whose jobs may go to any engine of `choice`. Client context."""
        ...

    def retire(self, entity: Entity) -> None:
        """Put away an entity that is dead. Client context; blocks until its last job has ended."""
        ...

    def set_priority(self, entity: Entity, priority: Priority) -> None:
        """Change how important an entity is. Client context."""
        ...

    def recoveries(self) -> tuple[RecoveryRecord, ...]:
        """Return what its driver did about hangs. Any context."""
        ...

    def disband(self) -> None:
        """End all that is on the hardware. Client context; blocks until it has ended."""
        ...

    # What can go wrong with it; any context but irq.

    def kill(self, client: str) -> None:
        """Kill the entities of a client."""
        ...

    def page_fault(self, job: Job) -> None:
        """Have an armed job fault when it runs."""
        ...

    def reset_engine(self, engine: str) -> bool:
        """Reset an engine under what runs on it; False when nothing does."""
        ...

    def suspend(self, client: str, for_s: float) -> bool:
        """Take the queues of a client off the hardware for a while; False when it has none there."""
        ...

    def kill_firmware(self) -> None:
        """Have the firmware answer nothing any more."""
        ...

    def unplug(self) -> None:
        """Take the device away."""
        ...


class RingMachine:
    """A GPU whose driver feeds each engine through one ring, with one scheduler. See `Machine`."""

    def __init__(self, setup: Setup, runtime: Runtime) -> None:
        engines = {name: count for name, count in setup.engines.items() if count}
        self._gpu = Gpu(engines, recovery=setup.recovery or "engine_reset")
        self.engines = tuple(name for names in self._gpu.engines.values() for name in names)
        self.terminate = self._gpu.terminate
        self.engines_of = engines_of
        self.statistics = self._gpu.statistics
        self._runtime = runtime
        self._domain = None if setup.timeout_s is None else runtime.reset_domain("gpu")
        scheduler = partial(
            runtime.scheduler,
            policy=setup.policy,
            credit_limit=setup.credit_limit,
            timeout_s=setup.timeout_s,
            domain=self._domain,
        )
        self._schedulers = {name: scheduler(self._gpu.ring(name), name=name) for name in self.engines}
        self._entities: dict[Entity, None] = {}

    def entity(self, setup: ClientSetup, name: str, choice: EngineNames) -> Entity:
        schedulers = [self._schedulers[engine] for engine in choice]
        entity = self._runtime.entity(schedulers, name, priority=setup.priority, client=setup.name)
        self._entities[entity] = None
        return entity

    def retire(self, entity: Entity) -> None:
        del self._entities[entity]
        entity.fini()

    def set_priority(self, entity: Entity, priority: Priority) -> None:
        entity.set_priority(priority)

    def recoveries(self) -> tuple[RecoveryRecord, ...]:
        return () if self._domain is None else self._domain.records

    def disband(self) -> None:
        for scheduler in self._schedulers.values():
            scheduler.fini()

    def kill(self, client: str) -> None:
        kill_all(self._entities, client)

    def page_fault(self, job: Job) -> None:
        self._gpu.fault(job)

    def reset_engine(self, engine: str) -> bool:
        return self._gpu.reset(engine)

    def suspend(self, client: str, for_s: float) -> bool:
        raise NotImplementedError("rings cannot be suspended: a setup that asks for it is refused")

    def kill_firmware(self) -> None:
        raise NotImplementedError("rings have no firmware: a setup that asks for it is refused")

    def unplug(self) -> None:
        if self._domain is not None:
            self._domain.unplug()


def engines_of(job: Job) -> EngineNames:
    """Name the engine of a job: its ring is named after that."""
    return (job.scheduler.name,)


def kill_all(entities: Iterable[Entity], client: str) -> None:
    """Kill the entities of a client, among some to which others may be added meanwhile."""
    for entity in list(entities):
        if entity.client == client:
            entity.kill()
