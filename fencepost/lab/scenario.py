"""A scenario: what a person asks to be run, before options and defaults have made a setup of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from fencepost.errors import BadInput
from fencepost.hw import DEFAULT_ENGINES
from fencepost.lab.cgroups import CgroupSetup, ChangeSetup, DriverName, goes_with, try_out
from fencepost.lab.faults import FaultSetup, check_fault
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.lab.wsim import Workload
from fencepost.lab.wsim.refusal import quoted
from fencepost.policies import Priority

__all__ = ["Scenario", "ScenarioClient"]


@dataclass(frozen=True, slots=True)
class ScenarioClient:
    """One workload, and how clients go through it.

    Args:
        where: how the person knows it (`demo.toml:7: client 2`, `-w`), for messages.
        workload: what each of its clients goes through.
        name: of the client; clones add `-1`, `-2` ... to it.
        named: whether the person chose the name. A name that nobody chose gives way when it is taken.
        count: how many clones.
        repeats: None leaves it to the scenario.
        priority, background, start_s, cgroup: see `ClientSetup`.
    """

    where: str
    workload: Workload
    name: str
    named: bool = True
    count: int = 1
    priority: Priority = Priority.NORMAL
    repeats: int | None = None
    background: bool = False
    start_s: float = 0.0
    cgroup: str | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """Clients and the machine they run on.

    Args:
        where: the file, or `command line`, for messages.
        repeats: of the clients in the foreground that do not say it themselves. None is one time, or with a duration as
            often as there is time for.
        title, clients, engines, world, dispatch, workers: see `Setup`.
        policy, submission, credit_limit, seed, duration_s, timeout_s, recovery, faults: see `Setup`.
        controller, chosen_driver, cgroups, changes: see `Setup`.
    """

    where: str
    title: str
    clients: tuple[ScenarioClient, ...]
    engines: Mapping[str, int] = field(default_factory=lambda: DEFAULT_ENGINES)
    world: Literal["native", "virtual"] = "native"
    dispatch: Literal["thread", "workqueue"] = "thread"
    workers: int = 1
    policy: str = "fair"
    submission: Literal["ring", "guc", "doorbell"] = "ring"
    credit_limit: int = 2
    seed: int = 1
    duration_s: float | None = None
    timeout_s: float | None = None
    recovery: str | None = None
    faults: tuple[FaultSetup, ...] = ()
    controller: str = "none"
    chosen_driver: DriverName | None = None
    cgroups: tuple[CgroupSetup, ...] = ()
    changes: tuple[ChangeSetup, ...] = ()
    repeats: int | None = None

    def setup(self, *, keep_events: bool = False, observe: bool = False) -> Setup:
        """Fill in the defaults, number the clones and return what is to be run.

        Raises:
            BadInput: when two clients would have one name, or all are in the background; for a fault that strikes what
                is not there, or would never be noticed; for what control groups and their files refuse, and a
                controller that the policy forbids.
        """
        if all(client.background for client in self.clients):
            raise BadInput(self.where, "no client in the foreground", "at least one, whose end ends the run")
        clients = tuple(self._client_setups())
        self._check_faults([client.name for client in clients])
        if not goes_with(self.policy, self.controller, self.submission):
            found, expected = f"policy {self.policy}", f"fair, which the controller {self.controller} changes"
            raise BadInput(self.where, found, expected)
        self._check_cgroups(clients)
        return Setup(
            title=self.title,
            clients=clients,
            engines=self.engines,
            world=self.world,
            dispatch=self.dispatch,
            workers=self.workers,
            policy=self.policy,
            submission=self.submission,
            credit_limit=self.credit_limit,
            seed=self.seed,
            duration_s=self.duration_s,
            timeout_s=self.timeout_s,
            recovery=self.recovery,
            faults=self.faults,
            controller=self.controller,
            chosen_driver=self.chosen_driver,
            cgroups=self.cgroups,
            changes=self.changes,
            observe=observe,
            keep_events=keep_events,
        )

    def _check_faults(self, clients: Sequence[str]) -> None:
        engines = [f"{name}{number}" for name, count in self.engines.items() for number in range(count)]
        for fault in self.faults:
            check_fault(fault, clients, engines, self.submission)
            if self.timeout_s is None:
                raise BadInput(
                    fault.where, "a fault in a scenario without timeout_s", "a time-out, or nothing recovers"
                )

    def _check_cgroups(self, clients: Sequence[ClientSetup]) -> None:
        named = _without_clashes(self.clients)
        where = {name: f"{client.where}, cgroup" for client in named for name in _clone_names(client)}
        if self.cgroups or self.changes or any(client.cgroup is not None for client in clients):
            members = [(where[client.name], client.name, client.cgroup or "/") for client in clients]
            try_out(self.cgroups, members, [each.change for each in self.changes], self.engines)

    def _client_setups(self) -> Iterator[ClientSetup]:
        taken: set[str] = set()
        for client in _without_clashes(self.clients):
            for name in _clone_names(client):
                if name in taken:
                    raise BadInput(f"{client.where}, name", quoted(name), "a name that no other client has")
                taken.add(name)
                yield self._client_setup(client, name)

    def _client_setup(self, client: ScenarioClient, name: str) -> ClientSetup:
        return ClientSetup(
            name=name,
            workload=client.workload,
            priority=client.priority,
            repeats=self._repeats(client),
            background=client.background,
            start_s=client.start_s,
            cgroup=client.cgroup,
        )

    def _repeats(self, client: ScenarioClient) -> int | None:
        if client.repeats is not None or client.background:
            return client.repeats
        if self.repeats is None and self.duration_s is None:
            return 1
        return self.repeats


def _clone_names(client: ScenarioClient) -> Sequence[str]:
    if client.count == 1:
        return [client.name]
    return [f"{client.name}-{number}" for number in range(1, client.count + 1)]


def _without_clashes(clients: Sequence[ScenarioClient]) -> Iterator[ScenarioClient]:
    """Yield the clients; where names that nobody chose are the same, or someone's choice, they get a letter."""
    used = Counter(client.name for client in clients)
    seen: Counter[str] = Counter()
    for client in clients:
        if client.named or used[client.name] == 1:
            yield client
        else:
            seen[client.name] += 1
            yield replace(client, name=f"{client.name}.{seen[client.name]}")
