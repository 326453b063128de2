"""What the drm controller keeps for one control group."""

from __future__ import annotations

from fencepost.actors.cgroups.account import Account
from fencepost.policies.group import Group

__all__ = ["DrmState", "is_in"]


class DrmState:
    """The settings of a controlled group, and its account.

    (kernel: struct drm_cgroup_state)

    The lock of the hierarchy protects the settings.

    Attributes:
        group: what the policies know of it.
        account: what its clients, and those below, have used.
        own: what its clients have used, without those below.
        card_weights: for the cards where it differs, by name.
        max_us: how much of an engine's time it may use in so many microseconds, or None for all of it.
        period_us: how often a scan looks at it and what is below; 0 is never.
    """

    __slots__ = ("account", "card_weights", "group", "max_us", "own", "period_us")

    def __init__(self, group: Group, account: Account) -> None:
        self.group = group
        self.account = account
        self.own = account.below()
        self.card_weights: dict[str, int] = {}
        self.max_us: tuple[int | None, int] = (None, 100_000)
        self.period_us = 0

    def weight_on(self, card: str) -> int:
        """Return the weight that counts on a card."""
        return self.card_weights.get(card, self.group.weight)


def is_in(group: Group | None, ancestor: Group) -> bool:
    """Say whether a group is another, or somewhere below it."""
    while group is not None and group is not ancestor:
        group = group.parent
    return group is ancestor
