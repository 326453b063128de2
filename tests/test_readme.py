"""What the README shows is what happens."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fencepost.lab.cli import app

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"

pytestmark = pytest.mark.skipif(not README.exists(), reason="the README is not among the installed files")


def python_blocks() -> list[str]:
    texts = [path.read_text() for path in (README, *sorted((ROOT / "docs").glob("*.md"))) if path.exists()]
    return [block for text in texts for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]


@pytest.mark.parametrize("block", python_blocks())
def test_python_block_runs(block: str) -> None:
    exec(compile(block, str(README), "exec"), {})  # noqa: S102 - our own README


def test_first_screen_is_what_the_command_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = README.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("    $ fencepost compare"))
    end = next(number for number in range(start, len(lines)) if lines[number] and not lines[number].startswith("    "))
    command, *shown = [line.strip() for line in lines[start:end]]
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(app, shlex.split(command)[2:], catch_exceptions=False)
    assert result.exit_code == 0
    printed = [line.strip() for line in result.output.splitlines()]
    assert [line for line in printed if line] == [line for line in shown if line]
