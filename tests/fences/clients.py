"""What a client does with its syncobjs, for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from fencepost.fences import ExportFlags, Fence, ImportFlags, QueryFlags, SyncFile, SyncobjTable

__all__ = ["BAD_FLAGS", "BAD_HANDLE", "LAST", "POINT_EXPORT", "POINT_IMPORT", "POLL", "Call", "attach", "state"]

BAD_HANDLE: Final = 0xDEADBEEF
BAD_FLAGS: Final = 0xDEADBEEF
LAST: Final = QueryFlags.LAST_SUBMITTED
POINT_EXPORT: Final = ExportFlags.SYNC_FILE | ExportFlags.TIMELINE
POINT_IMPORT: Final = ImportFlags.SYNC_FILE | ImportFlags.TIMELINE
POLL: Final = 0

Call: TypeAlias = Callable[[], object]


def attach(table: SyncobjTable, handle: int, point: int = 0) -> Fence:
    """Give a pending fence to a syncobj."""
    fence = Fence()
    with SyncFile(fence) as file:
        table.fd_to_handle(file, POINT_IMPORT if point else ImportFlags.SYNC_FILE, handle=handle, point=point)
    return fence


def state(table: SyncobjTable, *handles: int) -> list[object]:
    """Return what could be changed about these syncobjs."""
    return [table._look_up(handle).fence for handle in handles]  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
