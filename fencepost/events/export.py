"""Writing a trace in the format that its file name asks for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeAlias

from fencepost.events.ftrace import write_ftrace
from fencepost.events.kinds import Event
from fencepost.events.whole_file import check_path

__all__ = ["check_trace_path", "export"]

Writer: TypeAlias = Callable[[Iterable[Event], Path], None]

OPTION: Final = "--trace"


def export(events: Iterable[Event], path: str | os.PathLike[str]) -> None:
    """Write events to a file: `.pftrace` for Perfetto, `.txt` for ftrace text. The file is there whole or not at all.

    Raises:
        BadInput: as `check_trace_path`, and when the file cannot be written.
    """
    check_trace_path(path)
    path = Path(path)
    _WRITERS[path.suffix](events, path)


def check_trace_path(path: str | os.PathLike[str]) -> None:
    """Refuse early, before a long run, a path that `export` could not write to.

    Raises:
        BadInput: when the name has another ending, or there is no such directory.
    """
    check_path(path, tuple(_WRITERS), OPTION)


def _write_pftrace(events: Iterable[Event], path: Path) -> None:
    from fencepost.events.perfetto import write_pftrace  # noqa: PLC0415 - loads all of Perfetto's messages, 50 ms

    write_pftrace(events, path)


_WRITERS: Final[dict[str, Writer]] = {".pftrace": _write_pftrace, ".txt": write_ftrace}
