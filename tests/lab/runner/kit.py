"""Clients made of a line, and runs in which something goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from fencepost.lab.faults import FaultKind, FaultSetup
from fencepost.lab.result import RunResult
from fencepost.lab.runner import run
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.lab.wsim import parse_text
from fencepost.policies import Priority

RunText = Callable[..., RunResult]


def client(text: str, name: str = "a", priority: Priority = Priority.NORMAL, repeats: int | None = 1) -> ClientSetup:
    return ClientSetup(name, parse_text(text, name="game", where="-w"), priority=priority, repeats=repeats)


def with_fault(
    submission: Literal["guc", "doorbell"], kind: FaultKind, target: str | None, restart_s: float | None = None
) -> RunResult:
    """Run two clients of which something happens to the first."""
    faults = (FaultSetup("a.toml:1", kind, target, 0.0101, restart_s=restart_s),)
    clients = (client("1.RCS.2000.0.1", "a", repeats=30), client("1.RCS.2000.0.1", "b", repeats=30))
    setup = Setup(
        "test", clients, world="virtual", submission=submission, timeout_s=0.05, faults=faults, keep_events=True
    )
    return run(setup)
