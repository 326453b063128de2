"""The messages about control groups: frozen, and each says who sends it to whom.

Those to the controller are sent under the lock of the hierarchy, so they come in the order of the changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fencepost.actors.cgroups.card import Card
    from fencepost.actors.cgroups.client import Client
    from fencepost.actors.cgroups.drm_state import DrmState
    from fencepost.actors.cgroups.scan_controller import Watch
    from fencepost.actors.entity_queue import EntityQueue
    from fencepost.policies.group import Group

__all__ = [
    "Capped",
    "Closed",
    "Forget",
    "Governed",
    "PeriodSet",
    "Recap",
    "Refilled",
    "Regroup",
    "Released",
    "Reprioritised",
    "Reweigh",
    "Reweighted",
    "ScanDue",
    "WorkDue",
]


@dataclass(frozen=True, slots=True)
class Governed:
    """Hierarchy -> controller: a client has come, has got an entity, or has another group now, which it knows."""

    client: Client


@dataclass(frozen=True, slots=True)
class Closed:
    """Hierarchy -> controller: a client has left. It may come twice."""

    client: Client


@dataclass(frozen=True, slots=True)
class Released:
    """Hierarchy -> controller: a group has lost the controller, or was removed."""

    state: DrmState


@dataclass(frozen=True, slots=True)
class Reweighted:
    """Hierarchy -> controller: the weight of a group has changed, on these cards."""

    state: DrmState
    weights: tuple[tuple[Card, int], ...]


@dataclass(frozen=True, slots=True)
class Capped:
    """Hierarchy -> controller: the cap of a group has changed."""

    state: DrmState
    share: Fraction | None


@dataclass(frozen=True, slots=True)
class Reprioritised:
    """Hierarchy -> controller: the priority of a group has changed, and of all below with it."""

    state: DrmState


@dataclass(frozen=True, slots=True)
class PeriodSet:
    """Hierarchy -> controller: a group is to be scanned so often."""

    state: DrmState
    period_us: int


@dataclass(frozen=True, slots=True)
class ScanDue:
    """Timer -> controller: it is time to look at a group again, if it still is for this watch to do."""

    group: Group
    watch: Watch


@dataclass(frozen=True, slots=True)
class WorkDue:
    """Timer -> controller: it is time to weigh what has changed."""


@dataclass(frozen=True, slots=True)
class Regroup:
    """Controller -> scheduler: the group of an entity may have changed; its client knows the present one."""

    queue: EntityQueue


@dataclass(frozen=True, slots=True)
class Reweigh:
    """Controller -> scheduler: the weight of a group is another now."""

    group: Group
    weight: int


@dataclass(frozen=True, slots=True)
class Recap:
    """Controller -> scheduler: the cap of a group is another now."""

    group: Group
    share: Fraction | None


@dataclass(frozen=True, slots=True)
class Forget:
    """Controller -> scheduler: a group is gone."""

    group: Group


@dataclass(frozen=True, slots=True)
class Refilled:
    """Timer -> scheduler: a group that was held back by its cap may go on."""
