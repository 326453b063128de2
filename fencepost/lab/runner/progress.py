"""How far a run is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fencepost.lab.runner.client import Client

__all__ = ["Progress", "progress_of"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        fraction: how much is done, 0 to 1; None when nobody knows, since only a wish from outside will end it.
        elapsed_s: in the world's time.
        cycles: complete ones, of all clients.
    """

    fraction: float | None
    elapsed_s: float
    cycles: int


def progress_of(clients: Iterable[Client], elapsed_s: float, duration_s: float | None) -> Progress:
    """Judge by the client in the foreground that is least far, by its cycles or by the time, whichever is further."""
    clients = list(clients)
    fractions = [_fraction(client, elapsed_s, duration_s) for client in clients if not client.setup.background]
    known = [fraction for fraction in fractions if fraction is not None]
    return Progress(
        fraction=min(known) if len(known) == len(fractions) else None,
        elapsed_s=elapsed_s,
        cycles=sum(client.cycles.count for client in clients),
    )


def _fraction(client: Client, elapsed_s: float, duration_s: float | None) -> float | None:
    if client.end_ns is not None:
        return 1.0
    parts: list[float] = []
    if client.setup.repeats:
        parts.append(client.cycles.count / client.setup.repeats)
    if duration_s:
        parts.append(elapsed_s / duration_s)
    return min(1.0, max(parts)) if parts else None
