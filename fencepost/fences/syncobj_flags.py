"""The flags that calls on syncobjs take, with the kernel's numbers."""

from __future__ import annotations

import enum

__all__ = ["CreateFlags", "ExportFlags", "ImportFlags", "QueryFlags", "WaitFlags"]


class CreateFlags(enum.IntFlag):
    """SIGNALED: begin with a fence that has signalled."""

    SIGNALED = 1


class WaitFlags(enum.IntFlag):
    """How to wait for points of syncobjs.

    - ALL: for every one, not for any.
    - FOR_SUBMIT: also for fences that are still to come.
    - AVAILABLE: until the fences have come, whether they signal or not.
    - DEADLINE: hint to the fences that are there when it is wanted.
    """

    ALL = 1
    FOR_SUBMIT = 2
    AVAILABLE = 4
    DEADLINE = 8


class ExportFlags(enum.IntFlag):
    """SYNC_FILE: the fence it has now, not the syncobj itself; TIMELINE: that of a point."""

    SYNC_FILE = 1
    TIMELINE = 2


class ImportFlags(enum.IntFlag):
    """SYNC_FILE: a fence for a syncobj that is there, not another syncobj; TIMELINE: at a point."""

    SYNC_FILE = 1
    TIMELINE = 2


class QueryFlags(enum.IntFlag):
    """LAST_SUBMITTED: how far submission has come, not completion."""

    LAST_SUBMITTED = 1
