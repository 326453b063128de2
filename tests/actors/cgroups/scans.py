"""Scans that do as they are told, and what drivers hear of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from fencepost.actors import Client
from fencepost.actors.cgroups.drivers import Driver
from fencepost.actors.cgroups.scan_controller import Scan, ScanController
from fencepost.policies.cgroups import BudgetSignal
from fencepost.policies.group import Group

__all__ = ["Heard", "ScriptedController", "ScriptedScan", "hears"]

Heard = list[tuple[int, int]]
"""What a driver was told was used, and of what budget."""


class ScriptedScan:
    """Has the clients of the groups called A told at each look, with no budget, and at the end; keeps what it saw."""

    def __init__(self, root: Group) -> None:
        self.root = root
        self.looks: list[tuple[int, Mapping[Group, int]]] = []

    def begin(self, now_ns: int, used_us: Mapping[Group, int]) -> None:
        self.looks.append((now_ns, used_us))

    def look(self, now_ns: int, used_us: Mapping[Group, int]) -> Iterable[BudgetSignal]:
        self.looks.append((now_ns, used_us))
        return [(group, used_us.get(group, 0), 0) for group in self.root.walk() if group.name == "A"]

    def end(self) -> Iterable[BudgetSignal]:
        return [(group, 0, 1) for group in self.root.walk() if group.name == "A"]


class ScriptedController(ScanController):
    """Keeps the scans that it made."""

    scans: list[ScriptedScan]

    def new_scan(self, root: Group) -> Scan:
        scan = ScriptedScan(root)
        self.scans = [*getattr(self, "scans", []), scan]
        return scan


class Listener(Driver):
    """Keeps what it is told."""

    def __init__(self, client: Client, told: Callable[[tuple[int, int]], object]) -> None:
        super().__init__(client)
        self._told = told

    def active_time_us(self) -> int:
        return self.client.active_us()

    def signal_budget(self, used_us: int, budget_us: int) -> int:
        self._told((used_us, budget_us))
        return 0


def hears(client: Client) -> Heard:
    """Have somebody listen to what the driver of a client is told; returns what that hears."""
    heard: Heard = []
    client.operations = Listener(client, heard.append)
    return heard
