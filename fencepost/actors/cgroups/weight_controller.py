"""Weights by driver: the series of 2025, where a controller works out what groups weigh and drivers do the rest."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, ClassVar, Final

from fencepost.actors.cgroups.controller import CgroupController
from fencepost.actors.cgroups.messages import Closed, Governed, Released, Reweighted, WorkDue
from fencepost.policies.cgroups.v8 import relative_weights
from fencepost.sync import current

if TYPE_CHECKING:
    from fencepost.actors.cgroups.card import Card
    from fencepost.actors.cgroups.drivers import Driver
    from fencepost.actors.cgroups.hierarchy import Cgroups
    from fencepost.actors.dispatch import Dispatch

__all__ = ["WeightController"]

DELAY_NS: Final = 1_000_000
WORK_DUE: Final = WorkDue()


class WeightController(CgroupController):
    """Tells drivers the weights of all their clients, a millisecond after anything has changed.

    What comes within that time goes along. There is no weight for a card alone.
    """

    def __init__(self, dispatch: Dispatch, name: str, cgroups: Cgroups) -> None:
        super().__init__(dispatch, name, cgroups)
        self._due = False

    def on_governed(self, message: Governed) -> None:
        """Weigh anew: a client has come or moved, or has another entity."""
        super().on_governed(message)
        self._change()

    def on_closed(self, message: Closed) -> None:
        """Weigh anew: a group may have no clients any more."""
        super().on_closed(message)
        self._change()

    def on_released(self, message: Released) -> None:
        """Weigh anew: a group is gone."""
        super().on_released(message)
        self._change()

    def on_reweighted(self, message: Reweighted) -> None:
        """Weigh anew: a weight was written."""
        super().on_reweighted(message)
        self._change()

    def on_work_due(self, _message: WorkDue) -> None:
        """Weigh, and tell the drivers."""
        self._due = False
        with self._cgroups.lock:
            clients = self._cgroups.clients_locked()
            weights = relative_weights(self._cgroups.root_group, Counter(client.group for client in clients))
            by_card: defaultdict[Card, dict[Driver, int]] = defaultdict(dict)
            for client in clients:
                by_card[client.card][client.operations] = weights[client.group]
        for card, drivers in by_card.items():
            card.driver.update_weights(drivers)

    def _change(self) -> None:
        if not self._due:
            self._due = True
            current().timers.call_at(current().now_ns() + DELAY_NS, lambda: self.post(WORK_DUE))

    messages: ClassVar = {
        **CgroupController.messages,
        Governed: on_governed,
        Closed: on_closed,
        Released: on_released,
        Reweighted: on_reweighted,
        WorkDue: on_work_due,
    }
