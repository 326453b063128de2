"""The drivers by the names that options and scenario files use."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fencepost.actors.cgroups.amdgpu import Amdgpu
from fencepost.actors.cgroups.drivers import Driver
from fencepost.actors.cgroups.i915 import I915
from fencepost.actors.cgroups.xe import Xe
from fencepost.errors import BadInput

__all__ = ["DRIVERS", "new_driver"]

DRIVERS: Final[Mapping[str, type[Driver]]] = MappingProxyType(
    {driver.name: driver for driver in (Driver, I915, Amdgpu, Xe)}
)
"""What they do for a controller."""


def new_driver(name: str) -> type[Driver]:
    """Return a driver by its name. Raises BadInput when there is none of this name."""
    if name not in DRIVERS:
        raise BadInput("driver", repr(name), f"one of {', '.join(DRIVERS)}")
    return DRIVERS[name]
