"""The files of the drm controller. See `files`."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from fencepost.actors.cgroups.drm_state import DrmState
from fencepost.actors.cgroups.messages import Capped, PeriodSet, Reprioritised
from fencepost.actors.cgroups.text import Refusal, integer, number
from fencepost.policies.group import MAX_PRIORITY, MAX_WEIGHT, MIN_PRIORITY, MIN_WEIGHT

if TYPE_CHECKING:
    from fencepost.actors.cgroups.cgroup import Cgroup
    from fencepost.actors.cgroups.client import Client

__all__ = [
    "read_budget_supported",
    "read_effective_priority",
    "read_max",
    "read_period_us",
    "read_priority",
    "read_priority_levels",
    "read_stat",
    "read_weight",
    "write_max",
    "write_period_us",
    "write_priority",
    "write_weight",
]

MIN_SCAN_US: Final = 500_000
MAX_SCAN_US: Final = 60_000_000
MIN_CAP_US: Final = 1_000
MAX_CAP_US: Final = 1_000_000
NS_PER_US: Final = 1_000


def state_of(group: Cgroup) -> DrmState:
    """Return what the controller keeps for a group that has its files."""
    assert group.drm is not None
    return group.drm


def clients_of(group: Cgroup) -> Iterable[Client]:
    """Yield the clients of the processes in the group itself."""
    for process in group.processes.values():
        yield from process.clients_locked()


# Weights.


def read_weight(group: Cgroup) -> str:
    """Give the weight alone, as the published series do; and as `io.weight` does as soon as it differs on a card."""
    state = state_of(group)
    if not state.card_weights:
        return f"{state.group.weight}\n"
    return f"default {state.group.weight}\n" + "".join(
        f"{card} {weight}\n" for card, weight in state.card_weights.items()
    )


def write_weight(group: Cgroup, text: str) -> None:
    """Take `N` or `default N` for all cards, `CARD N` for one, `CARD default` to have that one follow the others."""
    state, cards = state_of(group), group.cgroups.cards
    match text.split():
        case [weight] | ["default", weight]:
            state.group.weight = _weight(weight)
            changed = [card for name, card in cards.items() if name not in state.card_weights]
        case [name, weight] if name in cards:
            if weight == "default":
                state.card_weights.pop(name, None)
            else:
                state.card_weights[name] = _weight(weight)
            changed = [cards[name]]
        case [_, _]:
            raise Refusal(errno.ENODEV, f"one of {', '.join(cards) or 'no cards'}")
        case _:
            raise Refusal(errno.EINVAL, "WEIGHT, default WEIGHT, CARD WEIGHT or CARD default")
    group.cgroups.tell_weights_locked(state, changed)


def _weight(word: str) -> int:
    return number(word, MIN_WEIGHT, MAX_WEIGHT)


# Caps.


def read_max(group: Cgroup) -> str:
    """Give how much of each engine's time the group may use: so many microseconds in so many, or `max`."""
    quota_us, period_us = state_of(group).max_us
    return f"{'max' if quota_us is None else quota_us} {period_us}\n"


def write_max(group: Cgroup, text: str) -> None:
    """Take `QUOTA PERIOD` in microseconds, either of which may be left as it is: `max PERIOD`, `QUOTA`.

    As `cpu.max`; but the period only is what the quota is a part of: what falls due in 100 ms may be used at once,
    whatever it is.
    """
    state = state_of(group)
    match text.split():
        case [quota]:
            period_us = state.max_us[1]
        case [quota, period]:
            period_us = _cap_us(period)
        case _:
            raise Refusal(errno.EINVAL, "max or QUOTA, and a PERIOD")
    quota_us = None if quota == "max" else _cap_us(quota)
    state.max_us = quota_us, period_us
    state.group.max_share = None if quota_us is None or quota_us >= period_us else Fraction(quota_us, period_us)
    group.cgroups.actor.post(Capped(state, state.group.max_share))


def _cap_us(word: str) -> int:
    try:
        return number(word, MIN_CAP_US, MAX_CAP_US)
    except Refusal as refusal:
        raise Refusal(errno.EINVAL, f"{MIN_CAP_US} to {MAX_CAP_US} us") from refusal


# Priorities.


def read_priority(group: Cgroup) -> str:
    """Give the priority as it was written: relative to that of the parent."""
    return f"{state_of(group).group.priority}\n"


def write_priority(group: Cgroup, text: str) -> None:
    """Take a priority, relative to that of the parent."""
    state = state_of(group)
    if group.cgroups.priorities.write(state.group, number(text, MIN_PRIORITY, MAX_PRIORITY)):
        group.cgroups.actor.post(Reprioritised(state))


def read_effective_priority(group: Cgroup) -> str:
    """Give the priority that counts: with those of all ancestors."""
    return f"{group.cgroups.priorities.effective(state_of(group).group)}\n"


def read_priority_levels(group: Cgroup) -> str:
    """Give how many priorities the clients can tell apart at least, with a star when some can tell more."""
    processes = group.processes.values()
    levels = [[client.operations.priority_levels() for client in process.clients_locked()] for process in processes]
    return f"{group.cgroups.priorities.levels(levels)}\n"


# Budgets.


def read_period_us(group: Cgroup) -> str:
    """Give how often a scan looks at the group and what is below; 0 is never."""
    return f"{state_of(group).period_us}\n"


def write_period_us(group: Cgroup, text: str) -> None:
    """Take how often to scan, for a child of the root; 0 ends it."""
    period_us = integer(text, expected := f"0, or {MIN_SCAN_US} to {MAX_SCAN_US}")
    if period_us and not MIN_SCAN_US <= period_us <= MAX_SCAN_US:
        raise Refusal(errno.EINVAL, expected)
    if group.parent is None or group.parent.parent is not None:
        raise Refusal(errno.EINVAL, "a child of the root: a scan takes in all that is below it")
    state = state_of(group)
    state.period_us = period_us
    group.cgroups.actor.post(PeriodSet(state, period_us))


def read_budget_supported(group: Cgroup) -> str:
    """Say whether all clients in the group itself can be told of their budgets."""
    supported = [client.operations.budget_supported for client in clients_of(group)]
    return f"{('yes' if all(supported) else 'no') if supported else 'n/a'}\n"


# Usage.


def read_stat(group: Cgroup) -> str:
    """Give what was used in the group and below, in all and on each card; and how often the group was held back."""
    state = state_of(group)
    used_ns = state.account.used_ns()
    lines = [f"usage_usec {sum(used_ns.values()) // NS_PER_US}"]
    if group.parent is not None:
        held_back = [
            actor.group_statistics(state.group) for card in group.cgroups.cards.values() for actor in card.group_actors
        ]
        lines.append(f"nr_throttled {sum(each.throttled for each in held_back)}")
        lines.append(f"throttled_usec {sum(each.throttled_ns for each in held_back) // NS_PER_US}")
    for name, card in group.cgroups.cards.items():
        by_engine = dict.fromkeys(card.engines, 0) | {
            engine: ns for (place, engine), ns in used_ns.items() if place == name
        }
        fields = [("usage", sum(by_engine.values())), *sorted(by_engine.items())]
        lines.append(f"{name} " + " ".join(f"{key}_usec={ns // NS_PER_US}" for key, ns in fields))
    return "\n".join(lines) + "\n"
