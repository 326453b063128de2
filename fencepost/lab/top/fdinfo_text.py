"""Reads what drivers tell in /proc/PID/fdinfo.

(kernel: Documentation/gpu/drm-usage-stats.rst)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["EngineCounter", "Fdinfo", "parse_fdinfo"]

ENGINE: Final = "drm-engine-"
CAPACITY: Final = "drm-engine-capacity-"
CYCLES: Final = "drm-cycles-"
TOTAL_CYCLES: Final = "drm-total-cycles-"


@dataclass(frozen=True, slots=True)
class EngineCounter:
    """How much of a class of engines a client has used.

    Attributes:
        used: in ns, or in cycles of its clock.
        total: how many cycles have passed; None when it counts ns.
        capacity: how many engines there are.
    """

    used: int
    total: int | None = None
    capacity: int = 1


@dataclass(frozen=True, slots=True)
class Fdinfo:
    """What one open device tells. Engines go by the names that their driver has for them."""

    driver: str
    pdev: str
    client_id: int
    name: str
    engines: Mapping[str, EngineCounter]


def parse_fdinfo(text: str) -> Fdinfo:
    """Read the text of one open device. Lines that are not known, or make no sense, do not count."""
    values = dict(_lines(text))
    return Fdinfo(
        driver=values.get("drm-driver", ""),
        pdev=values.get("drm-pdev", ""),
        client_id=_number(values.get("drm-client-id", "")) or 0,
        name=values.get("drm-client-name", ""),
        engines=_engines(values),
    )


def _lines(text: str) -> list[tuple[str, str]]:
    parts = [line.partition(":") for line in text.splitlines()]
    return [(key.strip(), value.strip()) for key, _, value in parts]


def _engines(values: Mapping[str, str]) -> dict[str, EngineCounter]:
    engines: dict[str, EngineCounter] = {}
    for key, value in values.items():
        used = _number(value)
        if used is None or key.startswith(CAPACITY):
            continue
        if key.startswith(ENGINE):
            name, total = key.removeprefix(ENGINE), None
        elif key.startswith(CYCLES):
            name = key.removeprefix(CYCLES)
            total = _number(values.get(TOTAL_CYCLES + name, ""))
            if total is None:
                continue
        else:
            continue
        # A count in ns says more than one in cycles, whichever comes first.
        if total is None or name not in engines:
            engines[name] = EngineCounter(used, total, _number(values.get(CAPACITY + name, "")) or 1)
    return engines


def _number(value: str) -> int | None:
    """Return a number that may have a unit behind it, or None."""
    digits = value.split(" ", maxsplit=1)[0]
    return int(digits) if digits.isascii() and digits.isdigit() else None
