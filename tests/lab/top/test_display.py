from __future__ import annotations

import io
import json

from rich.console import Console

from fencepost.lab.top import ClientSample, DeviceSample, Sample
from fencepost.lab.top.display import Blocks, JsonLines, Painted

SAMPLES = [
    Sample(
        time_s, 1.0, (DeviceSample(0, "xe", "0000:01:00.0", ("rcs",), (ClientSample(1, "game", {"rcs": 50.0}),)),), ()
    )
    for time_s in (1.0, 2.0)
]


def test_blocks_have_an_empty_line_between_them() -> None:
    stream = io.StringIO()
    with Blocks(stream, "Demo") as display:
        for sample in SAMPLES:
            display.show(sample)
        display.recall()
    first, second = stream.getvalue().split("\n\nDemo")
    assert first.startswith("Demo - 1.0 s\n\nDRM minor 0: xe")
    assert second.startswith(" - 2.0 s\n\nDRM minor 0: xe")
    assert "\x1b" not in stream.getvalue()


def test_json_has_a_line_for_each_sample() -> None:
    stream = io.StringIO()
    with JsonLines(stream) as display:
        for sample in SAMPLES:
            display.show(sample)
    assert [json.loads(line)["time_s"] for line in stream.getvalue().splitlines()] == [1.0, 2.0]


def test_a_painted_screen_is_one_of_its_own_and_what_is_recalled_stays() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=60, height=10, _environ={})
    display = Painted(console, "Demo")
    with display:
        for sample in SAMPLES:
            display.show(sample)
    painted = stream.getvalue()
    assert painted.startswith("\x1b[?1049h")
    assert painted.index("Demo - 2.0 s") < painted.index("\x1b[?1049l")
    display.recall()
    recalled = stream.getvalue().removeprefix(painted)
    assert "Demo - 2.0 s" in recalled
    assert "Demo - 1.0 s" not in recalled


def test_a_page_is_no_higher_than_the_screen() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=60, height=3, _environ={})
    with Painted(console, "Demo") as display:
        display.show(SAMPLES[0])
    assert "DRM minor" in stream.getvalue()
    assert "game" not in stream.getvalue()
