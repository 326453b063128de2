"""All entries of the zoo."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Final

from fencepost.errors import BadInput
from fencepost.zoo.bug import Bug

__all__ = ["find_bug", "load_bugs"]

NOT_ENTRIES: Final = ("bug", "catalogue")


def load_bugs() -> list[Bug]:
    """Return every entry, by name. A module of this package that holds a `BUG` is one."""
    names = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
    modules = (importlib.import_module(f"fencepost.zoo.{name}") for name in names if name not in NOT_ENTRIES)
    return sorted((module.BUG for module in modules if hasattr(module, "BUG")), key=lambda bug: bug.name)


def find_bug(name: str, where: str = "zoo") -> Bug:
    """Return the entry of this name; BadInput when there is none."""
    for bug in load_bugs():
        if bug.name == name:
            return bug
    raise BadInput(where, repr(name), "a name that `fencepost zoo list` prints")
