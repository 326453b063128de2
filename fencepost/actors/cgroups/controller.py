"""The actor of the controller: it carries what has changed in the tree to those who act on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from fencepost.actors.actor import Actor
from fencepost.actors.cgroups.messages import (
    Capped,
    Closed,
    Forget,
    Governed,
    PeriodSet,
    Recap,
    Regroup,
    Released,
    Reprioritised,
    Reweigh,
    Reweighted,
)
from fencepost.actors.dispatch import Dispatch

if TYPE_CHECKING:
    from fencepost.actors.cgroups.hierarchy import Cgroups

__all__ = ["CgroupController"]


class CgroupController(Actor):
    """Has schedulers that know groups follow the tree; a subclass has a policy of its own besides.

    It learns of each change after it was made, in the order of the changes, and never asks anybody. Where it passes a
    setting on to a scheduler it passes the one it was told; where a client is, each scheduler looks up itself.
    """

    def __init__(self, dispatch: Dispatch, name: str, cgroups: Cgroups) -> None:
        super().__init__(dispatch, name)
        self._cgroups = cgroups

    # Messages.

    def on_governed(self, message: Governed) -> None:
        """Have the schedulers of a client's card look where its entities belong: any of them may have these by now."""
        actors = list(message.client.card.group_actors)
        for queue in message.client.queues() if actors else ():
            for actor in actors:
                actor.post(Regroup(queue))

    def on_closed(self, message: Closed) -> None:
        """Forget a client. There is nothing to tell schedulers: its entities have ended before."""

    def on_reprioritised(self, message: Reprioritised) -> None:
        """Have priorities follow, if there is a policy for that."""

    def on_period_set(self, message: PeriodSet) -> None:
        """Scan so often, if there is a policy for that."""

    def on_released(self, message: Released) -> None:
        """Have nobody keep anything of a group that is gone."""
        self._tell(Forget(message.state.group))

    def on_reweighted(self, message: Reweighted) -> None:
        """Pass on what a group weighs now."""
        for card, weight in message.weights:
            for actor in card.group_actors:
                actor.post(Reweigh(message.state.group, weight))

    def on_capped(self, message: Capped) -> None:
        """Pass on how much a group may use at most."""
        self._tell(Recap(message.state.group, message.share))

    def _tell(self, message: Forget | Recap) -> None:
        for card in self._cgroups.cards.values():
            for actor in card.group_actors:
                actor.post(message)

    messages: ClassVar = {
        Governed: on_governed,
        Closed: on_closed,
        Released: on_released,
        Reweighted: on_reweighted,
        Capped: on_capped,
        Reprioritised: on_reprioritised,
        PeriodSet: on_period_set,
    }
