"""The machine of a run and the clients on it, made and unmade by the main task."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from fencepost.actors import Entity, Runtime
from fencepost.hw import Gpu
from fencepost.lab.runner.client import Client
from fencepost.lab.runner.context_queue import ContextQueue
from fencepost.lab.runner.cycles import Cycles
from fencepost.lab.runner.engines import EngineNames
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
    """A GPU, a scheduler for each of its engines, and all clients with their entities.

    Life cycle: *made* -> *started* (a task for each client) -> *ended*, or *disbanded* so that they end.

    Everything is made before the first client starts, so that all numbers are the same each time.

    Args:
        setup: what to make.
        plans: of the clients, in their order.
        runtime: in which, entered.
        watch: over the clients.

    Attributes:
        gpu: the hardware.
        clients: in the order of the setup.
        contexts: the fence contexts of its jobs and fences, in the order they were made.
    """

    def __init__(self, setup: Setup, plans: Mapping[Workload, Plan], runtime: Runtime, watch: Watch) -> None:
        self.gpu = Gpu({name: count for name, count in setup.engines.items() if count})
        self.clients: list[Client] = []
        self.contexts: list[int] = []
        self._setup = setup
        self._runtime = runtime
        self._watch = watch
        self._entities: list[Entity] = []
        self._schedulers = {
            name: runtime.scheduler(
                self.gpu.ring(name), name=name, policy=setup.policy, credit_limit=setup.credit_limit
            )
            for names in self.gpu.engines.values()
            for name in names
        }
        objects = {workload: Objects() for workload in plans}
        for client in setup.clients:
            self.clients.append(self._client(client, plans[client.workload], objects[client.workload]))

    def start(self) -> int:
        """Start the clients; return when that was, on the world's clock."""
        began_ns = self._runtime.world.now_ns()
        duration_s = self._setup.duration_s
        last_start_ns = None if duration_s is None else began_ns + round(duration_s * NS_PER_S)
        for client in self.clients:
            start_ns = began_ns + round(client.setup.start_s * NS_PER_S)
            self._runtime.spawn(partial(client.run, start_ns, last_start_ns), client.setup.name)
        return began_ns

    def disband(self) -> None:
        """End what the clients wait for, so that they end. Blocks until nothing is on the hardware."""
        self._watch.end_all()
        for entity in self._entities:
            entity.kill()
        # After that: a killed job waits for what it depends on to the end, and a client that is stuck signals nothing.
        for client in self.clients:
            client.close()
        for scheduler in self._schedulers.values():
            scheduler.fini()

    def _client(self, setup: ClientSetup, plan: Plan, objects: Objects) -> Client:
        steps = setup.workload.steps
        queues = {place: self._queue(setup, place, plan) for place in dict.fromkeys(plan.places.values())}
        soft_fences = SoftFences(setup.name, steps)
        self.contexts.extend(soft_fences.contexts.values())
        submission = Submission(
            setup=setup,
            plan=plan,
            queues=queues,
            objects=objects,
            soft_fences=soft_fences,
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
            gpu=self.gpu,
            watch=self._watch,
        )

    def _queue(self, setup: ClientSetup, place: Place, plan: Plan) -> ContextQueue:
        name = f"{setup.name}.{place.ctx}.{'|'.join(place.engines)}"
        entities: dict[EngineNames, Entity] = {}
        for choice in choices(place, plan):
            bonded = "" if choice == place.engines else f".{'|'.join(choice)}"
            entities[choice] = self._runtime.entity(
                [self._schedulers[engine] for engine in choice],
                f"{name}{bonded}",
                priority=setup.priority,
                client=setup.name,
            )
        for entity in entities.values():
            self.contexts.extend((entity.context, entity.context + 1))
        self._entities.extend(entities.values())
        return ContextQueue(entities)
