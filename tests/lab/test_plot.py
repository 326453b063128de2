from __future__ import annotations

import importlib.util
import random
import re
import struct
from pathlib import Path

import pytest

from fencepost.errors import BadInput
from fencepost.events import Event
from fencepost.events.kinds import BATCH, PERIOD_MISSED
from fencepost.lab.plot import check_plot_path, plot_run

MS = 1_000_000


@pytest.fixture(scope="module", autouse=True)
def matplotlib_is_loaded() -> None:
    """Let no test pay for that."""
    importlib.import_module("matplotlib.backends.backend_agg")


def batches(length_ms: int, clients: int) -> list[Event]:
    chance = random.Random(1)
    events: list[Event] = []
    for engine in ("rcs0", "vcs0"):
        time_ns = 0
        while time_ns < length_ms * MS:
            end_ns = time_ns + chance.randint(1, 20) * MS
            client = f"client{chance.randrange(clients)}"
            events.append((end_ns, BATCH, engine, client, 4, len(events), time_ns, end_ns))
            time_ns = end_ns
    return [*events, (length_ms * MS // 2, PERIOD_MISSED, "client0", 1000)]


def times_us(clients: int) -> dict[str, list[float]]:
    chance = random.Random(2)
    return {f"client{number}": [chance.uniform(5000, 20_000) for _ in range(50)] for number in range(clients)}


def size(path: Path) -> tuple[int, int]:
    """Return width and height of a PNG, as its header tells."""
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n")
    assert content.endswith(b"IEND\xaeB`\x82")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def test_a_short_run_is_drawn(tmp_path: Path) -> None:
    plot_run(batches(150, 3), times_us(3), tmp_path / "run.png", "A short run")
    width, height = size(tmp_path / "run.png")
    assert width == 1560
    assert 600 < height < 900


@pytest.mark.slow
def test_a_long_run_is_drawn_with_a_panel_more(tmp_path: Path) -> None:
    plot_run(batches(150, 3), times_us(3), tmp_path / "short.png", "A short run")
    plot_run(batches(5000, 15), times_us(15), tmp_path / "long.png", "A long run of many clients")
    assert size(tmp_path / "long.png")[1] > size(tmp_path / "short.png")[1] + 150


@pytest.mark.slow
@pytest.mark.parametrize(
    ("events", "latencies"),
    [
        pytest.param([], {}, id="nothing"),
        pytest.param([], times_us(1), id="no batches"),
        pytest.param(batches(50, 1), {}, id="no cycles"),
        pytest.param(batches(50, 1), {"client0": []}, id="a client without cycles"),
        pytest.param([], {"client0": [5.0]}, id="one cycle"),
        pytest.param([], {"client0": [0.0, 0.0]}, id="cycles of no time"),
        pytest.param([], {"fast": [10.0] * 5, "slow": [10_000.0] * 5}, id="a logarithmic axis"),
        pytest.param([(5, PERIOD_MISSED, "game", 1)], {}, id="a missed period alone"),
        pytest.param([(5, BATCH, "rcs0", "_underscored", 4, 1, 5, 5)], {}, id="a batch of no time"),
        pytest.param([(5, BATCH, "$_{$", "$_{$", 4, 1, 0, 5)], {"$^$": [1.0]}, id="names that look like formulas"),
    ],
)
def test_what_is_missing_is_no_error(tmp_path: Path, events: list[Event], latencies: dict[str, list[float]]) -> None:
    plot_run(events, latencies, tmp_path / "run.png", "A run for $1 to $2")
    assert size(tmp_path / "run.png")[0] == 1560


def test_another_ending_is_refused() -> None:
    with pytest.raises(BadInput, match=re.escape("--plot: found run.svg, expected a file name ending in .png")):
        plot_run([], {}, "run.svg", "A run")


def test_a_directory_that_is_not_there_is_refused_early(tmp_path: Path) -> None:
    check_plot_path(tmp_path / "run.png")
    with pytest.raises(BadInput, match=r"^--plot: found \S+run.png \(no directory "):
        check_plot_path(tmp_path / "nowhere" / "run.png")


def test_a_path_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "run.png").mkdir()
    with pytest.raises(BadInput, match=r"^--plot: found "):
        plot_run([], {}, tmp_path / "run.png", "A run")
    assert [path.name for path in tmp_path.iterdir()] == ["run.png"]


def test_without_matplotlib_one_line_tells_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing(_name: str) -> None: ...

    monkeypatch.setattr(importlib.util, "find_spec", find_nothing)
    with pytest.raises(BadInput, match=re.escape("pip install 'fencepost[plot]'")):
        check_plot_path("run.png")
