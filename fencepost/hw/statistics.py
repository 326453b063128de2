"""What the engines of a GPU have done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["EngineStatistics", "GpuStatistics"]


@dataclass(frozen=True, slots=True)
class EngineStatistics:
    """What one engine did, up to the moment of asking.

    Attributes:
        busy_ns: how long it executed.
        jobs: how many batches came to their end on it, terminated ones included, cancelled ones not.
    """

    busy_ns: int = 0
    jobs: int = 0


@dataclass(frozen=True, slots=True)
class GpuStatistics:
    """What a GPU did. While it works, its engines are looked at one after the other.

    Attributes:
        engines: by name, in the order of the GPU.
        clients: how long, in ns, an engine executed for a client: by (client, engine), for those that have used it.
    """

    engines: Mapping[str, EngineStatistics]
    clients: Mapping[tuple[str, str], int]
