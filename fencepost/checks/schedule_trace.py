"""A schedule as a trace for Perfetto."""

from __future__ import annotations

import os

from fencepost.checks.account import Account
from fencepost.events.trace_writer import TraceWriter
from fencepost.events.whole_file import check_path, whole_file

__all__ = ["write_schedule_trace"]

STEP_NS = 1000
"""How long a step lasts in the trace."""


def write_schedule_trace(account: Account, finding: str, path: str | os.PathLike[str]) -> None:
    """Write a track for each task, with a slice for each turn it had and an instant for each step.

    Raises:
        BadInput: when the file cannot be written, or does not end in `.pftrace`.
    """
    check_path(path, (".pftrace",), "--trace")
    trace = schedule_trace(account, finding)
    with whole_file(path, "--trace") as file:
        file.write(trace)


def schedule_trace(account: Account, finding: str) -> bytes:
    """Return the trace as bytes."""
    writer = TraceWriter()
    root = writer.track("schedule")
    tracks: dict[str, int] = {}
    running = None
    for number, deed in enumerate(account.deeds):
        if deed.who not in tracks:
            tracks[deed.who] = writer.track(deed.who, root)
        track = tracks[deed.who]
        if track != running:
            if running is not None:
                writer.end(running, number * STEP_NS)
            writer.begin(track, number * STEP_NS, deed.what)
            running = track
        writer.instant(track, number * STEP_NS, deed.what)
    end_ns = len(account.deeds) * STEP_NS
    if running is not None:
        writer.end(running, end_ns)
    writer.instant(root, end_ns, finding)
    return writer.serialize()
