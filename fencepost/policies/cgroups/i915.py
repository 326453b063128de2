"""What the i915 driver makes of a group's priority, and of the word that a client is over budget.

Nobody is held back while engines are idle: a client is throttled only on the classes of engines that were in full use
since it was last told, from the second time in a row on. Both series did that; the first lowered the priority of each
request at random, the sixth by how much the client was over budget. Requests that are on the hardware stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

__all__ = ["MAX_REQUEST_PRIORITY", "ClassUse", "Throttle", "request_priority"]

MAX_REQUEST_PRIORITY: Final = 1023

_SCALE: Final = 10  # group priorities to one of a request
_RANDOM_THROTTLE: Final = 5000
_SATURATED_PERCENT: Final = 95
_NS_PER_US: Final = 1000


@dataclass(frozen=True, slots=True)
class ClassUse:
    """A class of engines, until now.

    Attributes:
        busy_ns: how long its engines were busy, together.
        engines: how many there are.
        client_ns: how long they were busy for the client.
    """

    busy_ns: int
    engines: int
    client_ns: int


def request_priority(context_priority: int, group_priority: int) -> int:
    """Return the priority of a request, from that of its context (+-1023) and that of its group (+-10000)."""
    priority = -(-(context_priority * _SCALE + group_priority) // _SCALE)
    return _within(priority)


class Throttle:
    """What the driver remembers of one client's budget.

    Args:
        proportional: as in the sixth version, and not as in the first: a throttled request gets a priority by how much
            the client was over budget, whatever its context asked for; and a class is in full use from 95 percent on,
            not above.
        faithful: as posted: from the second class on the time is taken for a thousandth, which makes every class with
            any use look full; and a class that the client has ever used counts as used.
    """

    def __init__(self, *, proportional: bool = False, faithful: bool = False) -> None:
        self._proportional = proportional
        self._faithful = faithful
        self._then: Mapping[str, ClassUse] | None = None
        self._then_ns = 0
        self._priority = 0
        self.throttled: frozenset[str] = frozenset()

    def signal_budget(self, used_us: int, budget_us: int, now_ns: int, use: Mapping[str, ClassUse]) -> int:
        """Take the word of the controller; return 1 if the client is throttled anywhere, else 0."""
        if used_us <= budget_us:
            self._then = None
            self.throttled = frozenset()
            return 0
        if self._proportional:
            # The sixth version as posted divides by a budget of zero, too.
            divisor = max(budget_us, 1)
            permille = ((used_us - budget_us) * 1000 + divisor // 2) // divisor
            self._priority = _within(-((permille * MAX_REQUEST_PRIORITY + 500) // 1000))
        if self._then is not None:
            self.throttled = self._saturated(self._then, now_ns - self._then_ns, use)
        self._then, self._then_ns = use, now_ns
        return int(bool(self.throttled))

    def priority(self, engine_class: str, context_priority: int, group_priority: int, random: Random) -> int:
        """Return the priority of a request to an engine of a class."""
        if engine_class not in self.throttled:
            return request_priority(context_priority, group_priority)
        if self._proportional:
            return self._priority or request_priority(context_priority, group_priority)
        return request_priority(context_priority, group_priority - 1 - random.randrange(_RANDOM_THROTTLE))

    def _saturated(self, then: Mapping[str, ClassUse], elapsed_ns: int, use: Mapping[str, ClassUse]) -> frozenset[str]:
        full: set[str] = set()
        for name, now in use.items():
            before = then.get(name, ClassUse(0, now.engines, 0))
            if self._is_full(now.busy_ns - before.busy_ns, elapsed_ns * now.engines) and (
                now.client_ns > (0 if self._faithful else before.client_ns)
            ):
                full.add(name)
            if self._faithful:
                elapsed_ns = -(-elapsed_ns // _NS_PER_US)
        return frozenset(full)

    def _is_full(self, busy_ns: int, available_ns: int) -> bool:
        """Say whether a class was in full use, by whole percents."""
        percent = 100 * busy_ns // max(available_ns, 1)
        return percent >= _SATURATED_PERCENT if self._proportional else percent > _SATURATED_PERCENT


def _within(priority: int) -> int:
    return max(-MAX_REQUEST_PRIORITY, min(MAX_REQUEST_PRIORITY, priority))
