"""A syncobj as a file, to be given to another client."""

from __future__ import annotations

import io
import os

from fencepost.fences.syncobj import Syncobj

__all__ = ["SyncobjFile"]


class SyncobjFile(io.FileIO):
    """An exported syncobj: keeps it, whatever becomes of its handles.

    Life cycle: *open* -> *closed*, as any file. There is nothing to read; the descriptor is only a number to know it
    by, and is not inherited by child processes.
    """

    def __init__(self, syncobj: Syncobj) -> None:
        super().__init__(os.devnull)
        self.syncobj = syncobj

    def __repr__(self) -> str:
        return f"<SyncobjFile of {self.syncobj!r}{', closed' if self.closed else ''}>"
