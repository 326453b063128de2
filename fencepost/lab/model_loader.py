"""Finding the function that a person names on the command line."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast

from fencepost.checks import Model
from fencepost.errors import BadInput

__all__ = ["load_model"]

EXPECTED: Final = "package.module:function or path/file.py:function"


def load_model(text: str, where: str = "MODEL") -> Model:
    """Import the module or file that is named, and return the function; dots lead further down (`module:CLASS.method`).

    What a person may import is what stands beside the file, or in the current directory.

    Raises:
        BadInput: when there is no such module or function, or the import fails.
    """
    place, colon, name = text.rpartition(":")
    if not (place and colon and name):
        raise BadInput(where, repr(text), EXPECTED)
    module = load_file(Path(place), where) if place.endswith(".py") else load_module(place, where)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise BadInput(where, f"no {name} in {place}", EXPECTED)
        found = getattr(found, part)
    if not callable(found):
        raise BadInput(where, f"{text}, which is of the type {type(found).__name__}", "a function that takes a runtime")
    return cast("Model", found)


def load_module(name: str, where: str) -> ModuleType:
    """Import a module by its dotted name."""
    import_from(Path.cwd())
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise BadInput(where, f"{name}, which cannot be imported ({said(error)})", EXPECTED) from error


def load_file(path: Path, where: str) -> ModuleType:
    """Import a file as a module of its own name."""
    if not path.is_file():
        raise BadInput(where, f"{path} (no such file)", EXPECTED)
    import_from(path.resolve().parent)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise BadInput(where, f"{path}, which cannot be imported ({said(error)})", EXPECTED) from error
    return module


def import_from(folder: Path) -> None:
    """Let modules in `folder` be imported."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def said(error: Exception) -> str:
    """Say what went wrong on one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0]
