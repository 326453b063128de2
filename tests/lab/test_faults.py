"""Faults as a scenario says them: bad ones are refused before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fencepost.lab.cli import app

GOOD = """
world = "virtual"
duration_s = 0.01
timeout_s = 0.1
[[client]]
name = "game"
steps = "1.RCS.500.0.1"
"""


def refusal(folder: Path, text: str) -> str:
    path = folder / "a.toml"
    path.write_text(text, "utf-8")
    result = CliRunner().invoke(app, ["run", str(path)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    return result.stderr.strip().replace(f"{path}:", "")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (
            'kind = "hangs"\ntarget = "game"',
            'fencepost: 9: fault 1, kind: found "hangs", expected one of hang, page_fault',
        ),
        ('target = "game"', "fencepost: 8: fault 1, kind: found nothing, expected one of hang"),
        ('kind = "hang"', "fencepost: 8: fault 1: found no target, expected the name of one client, or any"),
        ('kind = "hang"\ntarget = "rcs0"', 'fencepost: 8: fault 1, target: found "rcs0", expected any, or one of game'),
        (
            'kind = "engine_reset"\ntarget = "rcs9"',
            'fencepost: 8: fault 1, target: found "rcs9", expected any, or one of rcs0',
        ),
        (
            'kind = "unplug"\ntarget = "game"',
            'fencepost: 8: fault 1, target: found "game", expected none: unplug strikes',
        ),
        (
            'kind = "firmware_death"',
            "fencepost: 8: fault 1, kind: found firmware_death, expected a submission by firmware",
        ),
        (
            'kind = "hang"\ntarget = "any"\nat_s = -1',
            "fencepost: 11: fault 1, at_s: found -1, expected seconds, from 0",
        ),
        (
            'kind = "hang"\ntarget = "any"\nevery_s = 0',
            "fencepost: 11: fault 1, every_s: found 0, expected seconds, above 0",
        ),
        ('kind = "hang"\nwhen_s = 1', "fencepost: 10: fault 1, when_s: found an unknown field, expected"),
    ],
)
def test_a_bad_fault_is_refused(tmp_path: Path, fault: str, told: str) -> None:
    assert refusal(tmp_path, f"{GOOD}[[fault]]\n{fault}\n").startswith(told)


@pytest.mark.parametrize("timeout", ["-1", "nan", "86401", "inf", '"soon"'])
def test_an_impossible_time_out_is_refused(tmp_path: Path, timeout: str) -> None:
    told = refusal(tmp_path, GOOD.replace("timeout_s = 0.1", f"timeout_s = {timeout}"))
    assert told.startswith("fencepost: 4: timeout_s: found ")
    assert told.endswith("expected seconds, from 0 to 86400")


def test_a_fault_that_nobody_would_notice_is_refused(tmp_path: Path) -> None:
    text = GOOD.replace("timeout_s = 0.1", "") + '[[fault]]\nkind = "hang"\ntarget = "game"\n'
    assert "without timeout_s" in refusal(tmp_path, text)
