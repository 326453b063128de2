"""The machine of a run and the clients on it, made and unmade by the main task."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from fencepost.actors import Entity, Runtime
from fencepost.actors.cgroups import Client as DrmClient
from fencepost.lab.runner.cgroups import Groups
from fencepost.lab.runner.client import Client
from fencepost.lab.runner.context_queue import ContextQueue
from fencepost.lab.runner.cycles import Cycles
from fencepost.lab.runner.engines import EngineNames
from fencepost.lab.runner.faults import Faults
from fencepost.lab.runner.losses import Losses
from fencepost.lab.runner.machines import MACHINES
from fencepost.lab.runner.objects import Objects
from fencepost.lab.runner.plan import Place, Plan, choices
from fencepost.lab.runner.soft_fences import SoftFences
from fencepost.lab.runner.submission import Submission
from fencepost.lab.runner.watch import Watch
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.lab.wsim import Workload
from fencepost.sync import NS_PER_S

__all__ = ["Crew"]


class Crew:
    """A machine, and all clients with their entities.

    Life cycle: *made* -> *started* (a task for each client) -> *ended*, or *disbanded* so that they end.

    Everything is made before the first client starts, so that all numbers are the same each time.

    Args:
        setup: what to make.
        plans: of the clients, in their order.
        runtime: in which, entered.
        watch: over the clients.
        grouped: whether they are in control groups.

    Attributes:
        machine: the device and its schedulers.
        faults: what goes wrong with it.
        groups: the control groups of the clients, if they have any.
        clients: in the order of the setup.
        contexts: the fence contexts of its jobs and fences, in the order they were made.
        owners: fence context of finished fences -> name of the client.
    """

    def __init__(
        self, setup: Setup, plans: Mapping[Workload, Plan], runtime: Runtime, watch: Watch, *, grouped: bool
    ) -> None:
        self.machine = MACHINES[setup.submission](setup, runtime)
        self.groups = Groups(setup, runtime) if grouped else None
        self.clients: list[Client] = []
        self.contexts: list[int] = []
        self.owners: dict[int, str] = {}
        self._setup = setup
        self._runtime = runtime
        self._watch = watch
        objects = {workload: Objects() for workload in plans}
        for client in setup.clients:
            self.clients.append(self._client(client, plans[client.workload], objects[client.workload]))
        self.faults = Faults(
            setup.faults, self.machine, self.clients, self.machine.engines, seed=setup.seed, over=watch.alone
        )

    def start(self) -> int:
        """Start the clients; return when that was, on the world's clock."""
        began_ns = self._runtime.world.now_ns()
        duration_s = self._setup.duration_s
        last_start_ns = None if duration_s is None else began_ns + round(duration_s * NS_PER_S)
        for client in self.clients:
            start_ns = began_ns + round(client.setup.start_s * NS_PER_S)
            self._runtime.spawn(partial(client.run, start_ns, last_start_ns), client.setup.name)
        if self._setup.faults:
            self._runtime.spawn(partial(self.faults.run, began_ns), "faults")
        if self.groups is not None and self._setup.changes:
            self._runtime.spawn(partial(self.groups.run, began_ns, self._watch.alone), "changes")
        return began_ns

    def disband(self) -> None:
        """End what the clients wait for, so that they end. Blocks until nothing is on the hardware."""
        self._watch.end_all()
        for client in self.clients:
            self.machine.kill(client.setup.name)
        # After that: a killed job waits for what it depends on to the end, and a client that is stuck signals nothing.
        for client in self.clients:
            client.close()
        self.machine.disband()

    def _client(self, setup: ClientSetup, plan: Plan, objects: Objects) -> Client:
        steps = setup.workload.steps
        losses = Losses()
        drm = None if self.groups is None else self.groups.open(setup)
        queues = {place: self._queue(setup, place, plan, losses, drm) for place in dict.fromkeys(plan.places.values())}
        soft_fences = SoftFences(setup.name, steps)
        self.contexts.extend(soft_fences.contexts.values())
        submission = Submission(
            setup=setup,
            plan=plan,
            queues=queues,
            objects=objects,
            soft_fences=soft_fences,
            engines_of=self.machine.engines_of,
            seed=self._setup.seed,
        )
        cycles = Cycles(setup.name, steps, self._runtime.events)
        return Client(
            setup=setup,
            plan=plan,
            queues=queues,
            submission=submission,
            soft_fences=soft_fences,
            cycles=cycles,
            losses=losses,
            terminate=self.machine.terminate,
            set_priority=self.machine.set_priority,
            watch=self._watch,
            drm=drm,
        )

    def _queue(
        self, setup: ClientSetup, place: Place, plan: Plan, losses: Losses, drm: DrmClient | None
    ) -> ContextQueue:
        name = f"{setup.name}.{place.ctx}.{'|'.join(place.engines)}"

        def make() -> dict[EngineNames, Entity]:
            entities: dict[EngineNames, Entity] = {}
            for choice in choices(place, plan):
                bonded = "" if choice == place.engines else f".{'|'.join(choice)}"
                entities[choice] = entity = self.machine.entity(setup, f"{name}{bonded}", choice)
                self.owners[entity.context + 1] = setup.name
                if drm is not None:
                    drm.adopt(entity, partial(self.machine.set_priority, entity))
            return entities

        queue = ContextQueue(make, self.machine.retire, losses)
        for entity in queue.entities.values():
            self.contexts.extend((entity.context, entity.context + 1))
        return queue
