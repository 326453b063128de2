"""The task that makes things go wrong in a run, as its setup says."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Sequence

from fencepost.actors import Job
from fencepost.lab.faults import ANY, FAULT_KINDS, FaultSetup, times
from fencepost.lab.result import FaultResult
from fencepost.lab.runner.client import Client
from fencepost.lab.runner.machine import Machine
from fencepost.sync import NS_PER_S, Gate, current

__all__ = ["Faults"]


class Faults:
    """Makes the faults of a setup happen, one after the other. `run` is the function of its task.

    Args:
        setups: what is to go wrong.
        machine: what it happens to.
        clients: to whom.
        engines: the names of the engines.
        seed: of what is drawn at random; each fault has a generator of its own.
        over: opens when there is nobody left to whom anything could happen.

    Attributes:
        results: of those that have come, in their order.
    """

    def __init__(
        self,
        setups: Sequence[FaultSetup],
        machine: Machine,
        clients: Sequence[Client],
        engines: Sequence[str],
        *,
        seed: int,
        over: Gate,
    ) -> None:
        self.results: list[FaultResult] = []
        self._machine = machine
        self._clients = {client.setup.name: client for client in clients}
        self._engines = engines
        self._over = over
        self._draws = [(setup, random.Random(f"{seed} fault {index}")) for index, setup in enumerate(setups)]

    def run(self, began_ns: int) -> None:
        """Be the task: blocks until all have come, or the run is over."""
        for at_s, setup, draw in heapq.merge(*map(_schedule, self._draws), key=lambda due: due[0]):
            if self._over.wait_until(began_ns + round(at_s * NS_PER_S)):
                return
            target = self._target(setup, draw)
            hit = self._strike(setup, target)
            self.results.append(FaultResult((current().now_ns() - began_ns) / NS_PER_S, setup.kind, target, hit))

    def _target(self, setup: FaultSetup, draw: random.Random) -> str | None:
        if setup.target != ANY:
            return setup.target
        return draw.choice(list(self._clients) if FAULT_KINDS[setup.kind] == "client" else list(self._engines))

    def _strike(self, setup: FaultSetup, target: str | None) -> bool:
        """Do it; return whether there was anything to strike."""
        machine = self._machine
        match setup.kind, target:
            case "hang", str(client):
                return self._clients[client].befall(_hang)
            case "page_fault", str(client):
                return self._clients[client].befall(machine.page_fault)
            case "kill_client", str(client):
                return self._kill(client, setup.restart_s)
            case "suspend", str(client):
                return machine.suspend(client, setup.restart_s or 0.0)
            case "engine_reset", str(engine):
                return machine.reset_engine(engine)
            case "firmware_death", _:
                machine.kill_firmware()
            case _:
                machine.unplug()
        return True

    def _kill(self, client: str, restart_s: float | None) -> bool:
        if not self._clients[client].stay_away(restart_s):
            return False
        self._machine.kill(client)
        return True


def _schedule(drawn: tuple[FaultSetup, random.Random]) -> Iterator[tuple[float, FaultSetup, random.Random]]:
    setup, draw = drawn
    return ((at_s, setup, draw) for at_s in times(setup, draw))


def _hang(_job: Job) -> None:
    """Do nothing: a batch that never ends needs no more."""
