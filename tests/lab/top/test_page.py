from __future__ import annotations

import pytest

from fencepost.lab.top import ClientSample, DeviceSample, GroupSample, Sample, bar, page

CLIENTS = (
    ClientSample(3, "game", {"render": 45.3, "copy": 12.0}),
    ClientSample(14, "a job that has a name of many words", {"render": 145.3, "copy": 0.0}),
)
GROUPS = (
    GroupSample("/", None, 120.0, 100.0),
    GroupSample("/browser", 1000, 90.0, 75.0),
    GroupSample("/browser/tab", 100, None, None),
)
SAMPLE = Sample(1.5, 0.5, (DeviceSample(0, "i915", "0000:01:00.0", ("render", "copy"), CLIENTS),), GROUPS)


@pytest.mark.parametrize(
    ("percent", "expected"),
    [
        (0, "    "),
        (3.125, "▏   "),
        (12.5, "▌   "),
        (25, "█   "),
        (45.3, "█▊  "),
        (99, "████"),
        (100, "████"),
        (250, "████"),
    ],
)
def test_a_bar_is_drawn_to_an_eighth_of_a_column(percent: float, expected: str) -> None:
    assert bar(percent, 4) == expected


def test_a_page_has_a_table_for_each_device_and_the_tree() -> None:
    assert [line.plain.rstrip() for line in page(SAMPLE, "Demo", 70)] == [
        "Demo - 1.5 s",
        "",
        "DRM minor 0: i915 0000:01:00.0",
        "   PID         render                  copy          NAME",
        "     3 |██████▍       | 45.3% |█▋            | 12.0% game",
        "    14 |██████████████|145.3% |              |  0.0% a job that has a",
        "",
        "GROUP      WEIGHT   USAGE              SHARE",
        "/               -  120.0% |████████████████████████|100.0%",
        "  browser    1000   90.0% |██████████████████      | 75.0%",
        "    tab       100       - -",
    ]


@pytest.mark.parametrize("width", [1, 10, 30, 80, 300])
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    assert all(line.cell_len <= width for line in page(SAMPLE, "Demo", width))


def test_a_narrow_screen_has_figures_without_bars() -> None:
    lines = [line.plain for line in page(SAMPLE, "Demo", 30)]
    assert "     3    45.3%    12.0% game" in lines


def test_a_root_alone_is_no_tree() -> None:
    alone = Sample(1.0, 1.0, (), GROUPS[:1])
    assert [line.plain for line in page(alone, "Demo", 70)] == ["Demo - 1.0 s"]
