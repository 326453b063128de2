from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import fencepost

ROOT = Path(__file__).parents[1]
PACKAGES = [
    "fencepost",
    *(found.name for found in pkgutil.walk_packages(fencepost.__path__, "fencepost.") if found.ispkg),
]


def ruffs_order(name: str) -> tuple[bool, bool, list[str | int]]:
    """Sort as RUF022 does: constants, classes, the rest; numbers by value."""
    number_or_text = [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
    return not (name.isupper() and name[1:]), not name[0].isupper(), number_or_text


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_lists_its_public_names_sorted_and_has_each(package: str) -> None:
    module = importlib.import_module(package)
    names: list[str] = module.__all__
    assert names == sorted(set(names), key=ruffs_order)
    assert [name for name in names if not hasattr(module, name)] == []


def test_the_version_is_three_numbers() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", fencepost.__version__)


@pytest.mark.skipif(not (ROOT / "fencepost").is_dir(), reason="only a checkout has the links at its root")
@pytest.mark.parametrize("room", ["actors", "fences", "hw", "policies"])
def test_a_link_at_the_root_leads_to_its_room(room: str) -> None:
    assert (ROOT / room).readlink() == Path("fencepost", room)
