"""The usage of a client as /proc/PID/fdinfo shows it.

A key, a tab and a value in each line: who it is, then for each class of engines of its device the time that they have
executed for it, and how many engines there are if not one. A driver that counts cycles gives its own, and those that
have passed on the same clock. Counts never step back. (kernel: Documentation/gpu/drm-usage-stats.rst)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from fencepost.sync import current

if TYPE_CHECKING:
    from fencepost.actors.cgroups.client import Client

__all__ = ["fdinfo"]

NS_PER_MS: Final = 1_000_000


def fdinfo(client: Client) -> str:
    """Tell what a client has used. Any context."""
    return "".join(f"drm-{key}:\t{value}\n" for key, value in lines(client))


def lines(client: Client) -> Iterator[tuple[str, str]]:
    """Yield the lines, as key and value."""
    driver, card = client.operations, client.card
    yield "driver", driver.name
    yield "pdev", card.pdev
    yield "client-id", str(client.number)
    yield "client-name", client.name
    used_ns = client.used_ns()
    now_ns = current().now_ns()
    for engine_class in sorted({*card.engines, *used_ns}):
        key, ns = driver.engine_keys.get(engine_class, engine_class), used_ns.get(engine_class, 0)
        if driver.clock_khz is None:
            yield f"engine-{key}", f"{ns} ns"
        else:
            yield f"cycles-{key}", str(cycles(ns, driver.clock_khz))
            yield f"total-cycles-{key}", str(cycles(now_ns, driver.clock_khz))
        capacity = card.engines.get(engine_class, 1)
        if capacity != 1:
            yield f"engine-capacity-{key}", str(capacity)


def cycles(time_ns: int, clock_khz: int) -> int:
    """Return how often a clock has ticked."""
    return time_ns * clock_khz // NS_PER_MS
