"""Places in a program, as reports name them."""

from __future__ import annotations

import itertools
import linecache
import re
from pathlib import Path
from types import CodeType, FrameType
from typing import Final, NamedTuple

__all__ = ["Site", "is_innards", "lock_name", "site_of", "stack_outside", "trail_outside"]

PACKAGE: Final = Path(__file__).parents[1]

INNARDS: Final = (
    *(str(PACKAGE / room) + "/" for room in ("sync", "checks")),
    *(str(PACKAGE / "fences" / f"{hook}.py") for hook in ("faulting", "promise", "publication")),
)
"""Files of the watchers and the watched primitives, and of what only tells the watchers: no report is about them."""

RUNNER: Final = str(Path(__file__).with_name("outcome.py"))
"""Where the main task of a model begins."""

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
    """Return up to `limit` lines that led to `frame`, the innermost first, without those of `sync` and `checks`.

    Whoever runs a model is not of the program.
    """
    return tuple(site_of(code, instruction) for code, instruction in trail_outside(frame, limit))


def trail_outside(frame: FrameType, limit: int) -> tuple[tuple[CodeType, int], ...]:
    """Return the same for `site_of`, which takes most of the time."""
    trail: list[tuple[CodeType, int]] = []
    found: FrameType | None = frame
    while found is not None and found.f_code.co_filename != RUNNER and len(trail) < limit:
        if not is_innards(found):
            trail.append((found.f_code, found.f_lasti))
        found = found.f_back
    return tuple(trail)


def is_innards(frame: FrameType) -> bool:
    """Say whether a frame is of `sync` or `checks`."""
    return frame.f_code.co_filename.startswith(INNARDS)


def lock_name(site: Site) -> str:
    """Name a kind of lock by the line that makes it: `Entity._lock` where that can be read off it."""
    line = linecache.getline(site.file, site.line)
    where = f"{Path(site.file).name}:{site.line}"
    if match := ATTRIBUTE.search(line):
        return f"{site.function.rpartition('.')[0]}.{match[1]} ({where})"
    match = VARIABLE.search(line)
    return f"{match[1] if match else 'lock'} of {site.function} ({where})"
