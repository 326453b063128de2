"""The machines that there are, by way of submission."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from fencepost.actors import Runtime
from fencepost.lab.runner.doorbell_machine import DoorbellMachine
from fencepost.lab.runner.guc_machine import GucMachine
from fencepost.lab.runner.machine import Machine, RingMachine
from fencepost.lab.setup import Setup

__all__ = ["MACHINES"]

MACHINES: Final[Mapping[str, Callable[[Setup, Runtime], Machine]]] = {
    "ring": RingMachine,
    "guc": GucMachine,
    "doorbell": DoorbellMachine,
}
"""Way of submission -> what it takes."""
