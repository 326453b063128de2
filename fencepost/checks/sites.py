"""Places in a program, as reports name them."""

from __future__ import annotations

import itertools
import linecache
import re
import sys
from pathlib import Path
from types import CodeType, FrameType
from typing import Final, NamedTuple

__all__ = ["Site", "frame_above", "lock_name", "site_of", "stack_outside"]

frame_above: Final = sys._getframe  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
"""Gives the frame so many calls up; 0 is the caller. What `inspect` would do, and nothing else gives it as fast."""

INNARDS: Final = tuple(str(Path(__file__).parents[1] / room) + "/" for room in ("sync", "checks"))
"""Files of the watchers and the watched primitives, which no report is about."""

ATTRIBUTE: Final = re.compile(r"self\.(\w+)\s*(?::[^=]*)?=[^=]")
VARIABLE: Final = re.compile(r"(\w+)\s*(?::[^=]*)?=[^=]")


class Site(NamedTuple):
    """A line of a program."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{'/'.join(Path(self.file).parts[-2:])}:{self.line} in {self.function}"


def site_of(code: CodeType, instruction: int) -> Site:
    """Return the line of an instruction (`frame.f_lasti`) of `code`."""
    position = next(itertools.islice(code.co_positions(), instruction // 2, None))
    return Site(code.co_filename, position[0] or code.co_firstlineno, code.co_qualname)


def stack_outside(frame: FrameType, limit: int) -> tuple[Site, ...]:
    """Return up to `limit` lines that led to `frame`, the innermost first, without those of `sync` and `checks`."""
    sites: list[Site] = []
    found: FrameType | None = frame
    while found is not None and len(sites) < limit:
        if not found.f_code.co_filename.startswith(INNARDS):
            sites.append(site_of(found.f_code, found.f_lasti))
        found = found.f_back
    return tuple(sites)


def lock_name(site: Site) -> str:
    """Name a kind of lock by the line that makes it: `Entity._lock` where that can be read off it."""
    line = linecache.getline(site.file, site.line)
    where = f"{Path(site.file).name}:{site.line}"
    if match := ATTRIBUTE.search(line):
        return f"{site.function.rpartition('.')[0]}.{match[1]} ({where})"
    match = VARIABLE.search(line)
    return f"{match[1] if match else 'lock'} of {site.function} ({where})"
