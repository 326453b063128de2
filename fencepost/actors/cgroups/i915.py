"""A driver like i915 with its firmware: three priorities, and budgets that it enforces by lowering them."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

from fencepost.actors.cgroups.drivers import Driver
from fencepost.policies import Priority
from fencepost.policies.cgroups.i915 import ClassUse, Throttle
from fencepost.sync import current

if TYPE_CHECKING:
    from fencepost.actors.cgroups.client import Adopted, Client

__all__ = ["I915"]

CONTEXT_PRIORITIES: Final = MappingProxyType(
    {Priority.KERNEL: 1023, Priority.HIGH: 512, Priority.NORMAL: 0, Priority.LOW: -512}
)
"""What those who make contexts ask for."""


class I915(Driver):
    """Takes priorities, and throttles by class of engines. See `Driver`.

    The firmware tells a request's priority by its sign. The driver draws how far to lower that of each request; here it
    draws once for each signal.
    """

    name = "i915"
    engine_keys: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"rcs": "render", "bcs": "copy", "vcs": "video", "vecs": "video-enhance", "ccs": "compute"}
    )
    budget_supported = True

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self._throttle = Throttle(proportional=client.controller == "v6", faithful=client.faithful)
        self._priority = 0
        self._random = Random(client.number)

    def priority_levels(self) -> int:
        return 3

    def update_priority(self, priority: int) -> None:
        self._priority = priority
        self.client.set_priorities(self._level)

    def active_time_us(self) -> int:
        return self.client.active_us()

    def signal_budget(self, used_us: int, budget_us: int) -> int:
        """Throttle the client on the classes in full use, from the second time on that it is over budget."""
        card_ns, client_ns = self.client.card.used_ns(), self.client.used_ns()
        use = {
            name: ClassUse(card_ns.get(name, 0), engines, client_ns.get(name, 0))
            for name, engines in self.client.card.engines.items()
        }
        result = self._throttle.signal_budget(used_us, budget_us, current().now_ns(), use)
        self.client.set_priorities(self._level)
        return result

    def _level(self, entity: Adopted) -> Priority:
        context = CONTEXT_PRIORITIES[entity.priority]
        request = min(
            self._throttle.priority(name, context, self._priority, self._random) for name in entity.engine_classes
        )
        return Priority.LOW if request < 0 else Priority.HIGH if request > 0 else Priority.NORMAL
