"""Budgets: a controller that looks at usage from time to time, and has drivers hold back who has used too much."""

from __future__ import annotations

import abc
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar, Protocol

from fencepost.actors.cgroups.controller import CgroupController
from fencepost.actors.cgroups.messages import Closed, Governed, PeriodSet, Released, ScanDue
from fencepost.policies.cgroups.rfc_budget import BudgetSignal
from fencepost.policies.group import Group
from fencepost.sync import Timer, current

if TYPE_CHECKING:
    from fencepost.actors.cgroups.client import Client
    from fencepost.actors.cgroups.hierarchy import Cgroups
    from fencepost.actors.dispatch import Dispatch

__all__ = ["Scan", "ScanController"]

NS_PER_US = 1_000


class Scan(Protocol):
    """What decides who is over budget, in one group and all below. A pure object.

    It is called while the tree stands still. `used_us` says what the clients in each group itself have used since they
    were there, of those groups whose clients have used anything; it never steps back.
    """

    def begin(self, now_ns: int, used_us: Mapping[Group, int], /) -> None:
        """Take what was used until now as the beginning."""
        ...

    def look(self, now_ns: int, used_us: Mapping[Group, int], /) -> Iterable[BudgetSignal]:
        """Compare what was used since the last look with the budgets; return who is to be told."""
        ...

    def end(self) -> Iterable[BudgetSignal]:
        """Return who is to be told that nobody looks any more."""
        ...


class Watch:
    """A scan under way; its timer, and the next look, are of no consequence once another has taken its place."""

    def __init__(self, scan: Scan, period_us: int) -> None:
        self.scan = scan
        self.period_us = period_us
        self.timer: Timer | None = None


class ScanController(CgroupController):
    """Scans the children of the root for which somebody has written `drm.period_us`; a subclass says how.

    A look happens at one moment: no group changes, and no client moves or leaves, between the first and the last that
    it looks at. Who has moved before the driver is told is told first of the old group, then, when its message comes,
    that it is under no budget; the next look is for its new group. What was used is counted where it was used, so
    neither moves nor exits make a scan begin anew.

    While a scan is on there always is a next deadline: a virtual world does not notice then that nobody else can go on.
    """

    def __init__(self, dispatch: Dispatch, name: str, cgroups: Cgroups) -> None:
        super().__init__(dispatch, name, cgroups)
        self._watches: dict[Group, Watch] = {}
        self._groups: dict[Client, Group] = {}

    @abc.abstractmethod
    def new_scan(self, root: Group) -> Scan:
        """Make what decides for a group and all below."""

    # Messages.

    def on_period_set(self, message: PeriodSet) -> None:
        """Begin to scan, or begin anew with another period, or end."""
        self._end(message.state.group)
        if message.period_us:
            self._begin(message.state.group, message.period_us)

    def on_released(self, message: Released) -> None:
        """Scan no group that is gone."""
        super().on_released(message)
        self._end(message.state.group)

    def on_scan_due(self, message: ScanDue) -> None:
        """Look, tell, and come back after the period."""
        watch = message.watch
        if self._watches.get(message.group) is not watch:
            return
        with self._cgroups.lock:
            clients = self._clients_locked()
            signals = list(watch.scan.look(current().now_ns(), self._used_us_locked()))
        self._arm(message.group, watch)
        self._tell_clients(signals, clients)

    def on_governed(self, message: Governed) -> None:
        """Deal with a client that has moved: its driver is to hold it back no more, until the next look."""
        super().on_governed(message)
        client, group = message.client, message.client.group
        origin = self._groups.get(client, group)
        self._groups[client] = group
        if origin is not group:
            self._has_moved(client, origin)

    def on_closed(self, message: Closed) -> None:
        """Forget a client."""
        super().on_closed(message)
        self._groups.pop(message.client, None)

    messages: ClassVar = {
        **CgroupController.messages,
        PeriodSet: on_period_set,
        Released: on_released,
        ScanDue: on_scan_due,
        Governed: on_governed,
        Closed: on_closed,
    }

    # The work.

    def _has_moved(self, client: Client, origin: Group) -> None:  # noqa: ARG002 - for those who care where from
        client.operations.signal_budget(0, 0)

    def _begin(self, root: Group, period_us: int) -> None:
        watch = self._watches[root] = Watch(self.new_scan(root), period_us)
        with self._cgroups.lock:
            watch.scan.begin(current().now_ns(), self._used_us_locked())
        self._arm(root, watch)

    def _end(self, root: Group) -> None:
        watch = self._watches.pop(root, None)
        if watch is not None:
            assert watch.timer is not None
            watch.timer.cancel()
            with self._cgroups.lock:
                clients, signals = self._clients_locked(), list(watch.scan.end())
            self._tell_clients(signals, clients)

    def _arm(self, root: Group, watch: Watch) -> None:
        """Look after a period from now, instead of whenever that was due."""
        if watch.timer is not None:
            watch.timer.cancel()
        due_ns = current().now_ns() + watch.period_us * NS_PER_US
        watch.timer = current().timers.call_at(due_ns, lambda: self.post(ScanDue(root, watch)))

    def _used_us_locked(self) -> dict[Group, int]:
        """Say how long whole classes of engines have been busy with the clients in each group itself."""
        return {state.group: self._cgroups.active_us(state.own) for state in self._cgroups.states_locked()}

    def _clients_locked(self) -> Mapping[Group, list[Client]]:
        clients: defaultdict[Group, list[Client]] = defaultdict(list)
        for client in self._cgroups.clients_locked():
            clients[client.group].append(client)
        return clients

    def _tell_clients(self, signals: Iterable[BudgetSignal], clients: Mapping[Group, list[Client]]) -> None:
        for group, used_us, budget_us in signals:
            for client in clients.get(group, ()):
                client.operations.signal_budget(used_us, budget_us)
