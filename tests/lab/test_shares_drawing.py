"""Whether pictures of shares can be drawn; what they look like somebody has to look at."""

from __future__ import annotations

import importlib
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fencepost.errors import BadInput
from fencepost.lab.cli import app
from fencepost.lab.overrides import Overrides, chosen_scenario
from fencepost.lab.plot import plot_shares
from fencepost.lab.runner import run
from fencepost.lab.setup import Setup

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
DOTS = 120


@pytest.fixture(scope="module", autouse=True)
def matplotlib_is_loaded() -> None:
    """Let no test pay for that."""
    importlib.import_module("matplotlib.backends.backend_agg")


def setup_of(name: str, duration_s: float = 1.0) -> Setup:
    scenario = chosen_scenario(EXAMPLES / name, (), Overrides(duration_s=duration_s))
    return scenario.setup(keep_events=True)


def size(path: Path) -> tuple[int, int]:
    """Return width and height of a PNG in dots, as its header tells."""
    width, height = struct.unpack(">II", path.read_bytes()[16:24])
    return width, height


def test_there_is_a_column_for_each_contender_and_frames_below(tmp_path: Path) -> None:
    setup = setup_of("cgroup-foreground.toml")
    result = run(setup)
    plot_shares({f"contender{number}": result for number in range(4)}, setup, tmp_path / "four.png")
    plot_shares({"one": result}, setup, tmp_path / "one.png")
    assert size(tmp_path / "four.png")[0] == pytest.approx(4 * 4.2 * DOTS, abs=2)
    assert size(tmp_path / "one.png")[0] == 9 * DOTS
    assert size(tmp_path / "one.png")[1] == size(tmp_path / "four.png")[1]


def test_a_setup_without_periods_has_no_frames(tmp_path: Path) -> None:
    for name in ("cgroup-foreground", "cgroup-nested"):
        setup = setup_of(f"{name}.toml")
        plot_shares({"none": run(setup)}, setup, tmp_path / f"{name}.png")
    assert size(tmp_path / "cgroup-nested.png")[1] < size(tmp_path / "cgroup-foreground.png")[1] - 2 * DOTS


@pytest.mark.parametrize(
    ("name", "duration_s"),
    [("demo.toml", 1.0), ("cgroup-focus.toml", 3.0), ("cgroup-focus.toml", 0.001), ("cgroup-churn.toml", 9.0)],
)
def test_other_setups_are_drawn(tmp_path: Path, name: str, duration_s: float) -> None:
    setup = setup_of(name, duration_s)
    plot_shares({"none": run(setup)}, replace(setup, title="costs $1 to $_{2}"), tmp_path / "shares.png")
    assert size(tmp_path / "shares.png")[0] == 9 * DOTS


def test_a_run_without_events_is_no_error(tmp_path: Path) -> None:
    setup = setup_of("cgroup-foreground.toml")
    plot_shares({"none": replace(run(setup), events=())}, setup, tmp_path / "shares.png")
    assert size(tmp_path / "shares.png")[0] == 9 * DOTS


def test_compare_draws_what_it_compares(tmp_path: Path) -> None:
    path = tmp_path / "shares.png"
    arguments = [str(EXAMPLES / "cgroup-foreground.toml"), "-s", "0.5", "--controller", "none,rfc-budget,v6"]
    result = CliRunner().invoke(app, ["compare", *arguments, "--plot", str(path)])
    assert result.exit_code == 0
    assert result.stdout.endswith(f"plot in {path}\n")
    assert size(path)[0] == pytest.approx(3 * 4.2 * DOTS, abs=2)


def test_another_ending_is_refused_before_anything_runs() -> None:
    result = CliRunner().invoke(app, ["compare", str(EXAMPLES / "demo.toml"), "--plot", "shares.svg"])
    assert (result.exit_code, result.stdout) == (2, "")
    with pytest.raises(BadInput, match=r"--plot: found shares.svg"):
        plot_shares({}, setup_of("demo.toml"), "shares.svg")
