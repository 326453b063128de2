"""What docs/control-groups.md says is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fencepost.actors.cgroups.controllers import CONTROLLERS
from fencepost.actors.cgroups.files import FILES

DOCUMENT = Path(__file__).parents[3] / "docs" / "control-groups.md"

pytestmark = pytest.mark.skipif(not DOCUMENT.exists(), reason="the document is not among the installed files")


def first_cells() -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", DOCUMENT.read_text(), re.MULTILINE)


def test_the_example_runs() -> None:
    for block in re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL):
        exec(compile(block, str(DOCUMENT), "exec"), {})  # noqa: S102 - our own document


def test_it_tells_of_all_files_and_controllers() -> None:
    assert {*FILES, *CONTROLLERS} <= {*first_cells()}
