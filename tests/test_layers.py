"""Which module may import which, read from the source: an import inside a function counts too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import fencepost

LAYERS = ["errors", "sync", "events", "fences", "policies", "actors", "hw", "checks", "zoo", "lab"]
LINKS = {"actors", "fences", "hw", "policies"}
WAITING = {"_thread", "asyncio", "concurrent", "greenlet", "queue", "threading", "time"}

PACKAGE = Path(fencepost.__file__).parent


def imported(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the dotted name of each module that a source imports or takes names from."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def height(dotted: list[str]) -> int:
    """Place a name in the layers; the package itself and the other modules beside its rooms see them all."""
    return LAYERS.index(dotted[1]) if dotted[1:] and dotted[1] in LAYERS else len(LAYERS)


def objection(importer: list[str], name: str) -> str | None:
    """Say what is wrong when a module, both given by dotted name, imports another."""
    module = name.split(".")
    if module[0] == "":
        return "is relative"
    if module[0] in LINKS:
        return "goes through a link at the root"
    if module[0] in WAITING and importer[1] != "sync":
        return "is for fencepost.sync alone"
    if module[0] != "fencepost" or height(importer) == len(LAYERS):
        return None
    if module == importer[: len(module)]:
        return "is the package that the importer is in"
    return "is a higher layer" if height(module) > height(importer) else None


def objections(package: Path) -> list[str]:
    """List each import in the files of a package that breaks a rule."""
    return [
        f"{path.relative_to(package.parent)}:{line}: {name} {why}"
        for path in sorted(package.rglob("*.py"))
        for line, name in imported(path.read_text("utf-8"))
        if (why := objection([*path.relative_to(package.parent).with_suffix("").parts], name))
    ]


def test_every_import_keeps_to_its_layer() -> None:
    assert objections(PACKAGE) == []


def test_every_room_has_a_layer() -> None:
    assert {init.parent.name for init in PACKAGE.glob("*/__init__.py")} <= set(LAYERS)


@pytest.mark.parametrize(
    ("file", "source", "objected"),
    [
        ("fences/fence.py", "from fencepost.actors.scheduler import Scheduler", "is a higher layer"),
        ("fences/fence.py", "import fencepost.hw", "is a higher layer"),
        ("errors.py", "from fencepost.sync import Lock", "is a higher layer"),
        ("hw/ring.py", "def run():\n    from fencepost.lab import cli", "is a higher layer"),
        ("hw/ring.py", "import fencepost.__main__", "is a higher layer"),
        ("fences/chain.py", "from fencepost.fences import Fence", "is the package that the importer is in"),
        ("fences/__init__.py", "from fencepost.fences import fence", "is the package that the importer is in"),
        ("lab/report/html.py", "import fencepost.lab", "is the package that the importer is in"),
        ("lab/top.py", "from fencepost import hw", "is the package that the importer is in"),
        ("lab/top.py", "from .run import run", "is relative"),
        ("lab/top.py", "from . import run", "is relative"),
        ("actors/entity.py", "from fences.fence import Fence", "goes through a link at the root"),
        ("__init__.py", "import policies", "goes through a link at the root"),
        ("events/ring.py", "import os, threading", "is for fencepost.sync alone"),
        ("__main__.py", "from time import sleep", "is for fencepost.sync alone"),
    ],
)
def test_a_bad_import_is_objected_to(tmp_path: Path, file: str, source: str, objected: str) -> None:
    assert [line.rpartition(objected)[1:] for line in objections(write(tmp_path, file, source))] == [(objected, "")]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("sync/clock.py", "import time"),
        ("sync/greenlets/world.py", "import greenlet"),
        ("fences/chain.py", "from fencepost.fences.fence import Fence"),
        ("hw/ring.py", "from fencepost.fences import Fence\nfrom fencepost.errors import WrongState"),
        ("__init__.py", "from fencepost import hw\nfrom fencepost.lab.cli import main"),
        ("lab/run.py", "import timeit\nfrom queues import q"),
    ],
)
def test_a_good_import_is_not(tmp_path: Path, file: str, source: str) -> None:
    assert objections(write(tmp_path, file, source)) == []


def write(folder: Path, file: str, source: str) -> Path:
    path = folder / "fencepost" / file
    path.parent.mkdir(parents=True)
    path.write_text(source, "utf-8")
    return folder / "fencepost"
