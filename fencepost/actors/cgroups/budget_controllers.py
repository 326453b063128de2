"""Budgets by the series of 2022 and 2023: what each scans, when, and what makes it begin anew."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar, Final

from fencepost.actors.cgroups.drm_state import is_in
from fencepost.actors.cgroups.messages import Closed, Governed, PeriodSet
from fencepost.actors.cgroups.scan_controller import Scan, ScanController
from fencepost.policies.cgroups.rfc_budget import RfcBudget
from fencepost.policies.cgroups.v6 import V6Budget
from fencepost.policies.group import Group
from fencepost.sync import current

if TYPE_CHECKING:
    from fencepost.actors.cgroups.client import Client

__all__ = ["BudgetController", "FaithfulBudgetController", "SharingController"]

SHARING_PERIOD_US: Final = 2_000_000


class BudgetController(ScanController):
    """The budgets of 2022, with the faults of the first posting mended."""

    def new_scan(self, root: Group) -> Scan:
        return RfcBudget(root, classes=sum(len(card.engines) for card in self._cgroups.cards.values()))


class FaithfulBudgetController(ScanController):
    """The budgets of 2022 as they were posted.

    Usage is that of the clients which are there. So each scan that a move or an exit concerns begins anew with it, and
    who opens and closes devices all the time keeps it from ever coming to its end. Who moves stays held back until its
    new group has been over budget, and is no more.
    """

    def new_scan(self, root: Group) -> Scan:
        return RfcBudget(root, faithful=True)

    def on_closed(self, message: Closed) -> None:
        """Begin anew where a client was."""
        group = self._groups.get(message.client)
        super().on_closed(message)
        if group is not None:
            self._begin_anew(group)

    messages: ClassVar = {**ScanController.messages, Closed: on_closed}

    def _has_moved(self, client: Client, origin: Group) -> None:
        self._begin_anew(origin)
        self._begin_anew(client.group)

    def _begin_anew(self, group: Group) -> None:
        for root, watch in self._watches.items():
            if is_in(group, root):
                with self._cgroups.lock:
                    watch.scan.begin(current().now_ns(), self._used_us_locked())
                self._arm(root, watch)

    def _used_us_locked(self) -> Counter[Group]:
        used_us: Counter[Group] = Counter()
        for client in self._cgroups.clients_locked():
            used_us[client.group] += client.operations.active_time_us() or 0
        return used_us


class SharingController(ScanController):
    """The budgets of 2023: one scan of the whole tree every two seconds, while there are clients.

    What is written to `drm.period_us` does not count any more.
    """

    def new_scan(self, root: Group) -> Scan:
        return V6Budget(root)

    def on_governed(self, message: Governed) -> None:
        """Begin with the first client."""
        super().on_governed(message)
        root = self._cgroups.root_group
        if root not in self._watches:
            self._begin(root, SHARING_PERIOD_US)

    def on_closed(self, message: Closed) -> None:
        """End with the last client."""
        super().on_closed(message)
        if not self._groups:
            self._end(self._cgroups.root_group)

    def on_period_set(self, message: PeriodSet) -> None:
        """Do nothing: the period is the controller's own."""

    messages: ClassVar = {
        **ScanController.messages,
        Governed: on_governed,
        Closed: on_closed,
        PeriodSet: on_period_set,
    }
