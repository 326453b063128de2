from __future__ import annotations

import json
from pathlib import Path

import pytest

from fencepost.errors import BadInput
from fencepost.lab.outputs import Outputs


@pytest.mark.parametrize(
    ("json_to", "trace", "plot", "message"),
    [
        (
            "no/a.json",
            None,
            None,
            "--json: found {}/no/a.json (no directory {}/no), expected a file that can be written",
        ),
        (".", None, None, "--json: found {} (Is a directory), expected a file that can be written"),
        (None, "a.trace", None, "--trace: found {}/a.trace, expected a file name ending in .pftrace or .txt"),
        (None, None, "a.jpg", "--plot: found {}/a.jpg, expected a file name ending in .png"),
        ("a.txt", "a.txt", None, "command line: found {}/a.txt for two outputs, expected a file for each"),
    ],
)
def test_what_cannot_be_written_is_refused_early(
    tmp_path: Path, json_to: str | None, trace: str | None, plot: str | None, message: str
) -> None:
    outputs = Outputs(
        None if json_to is None else str(tmp_path / json_to),
        None if trace is None else tmp_path / trace,
        None if plot is None else tmp_path / plot,
    )
    with pytest.raises(BadInput) as caught:
        outputs.check()
    assert str(caught.value) == message.format(tmp_path, tmp_path)


def test_what_can_be_written_is_not(tmp_path: Path) -> None:
    Outputs(str(tmp_path / "a.json"), tmp_path / "a.txt", tmp_path / "a.png").check()
    Outputs("-").check()
    assert [*tmp_path.iterdir()] == []


def test_the_same_facts_are_the_same_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    Outputs(str(one)).write_json({"b": [1.5, None], "a": "é"})
    Outputs(str(other)).write_json({"a": "é", "b": [1.5, None]})
    assert one.read_bytes() == other.read_bytes()
    assert one.read_bytes().endswith(b"}\n")
    assert json.loads(one.read_text("utf-8")) == {"a": "é", "b": [1.5, None]}


def test_a_dash_is_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    outputs = Outputs("-")
    outputs.write_json({"a": 1})
    assert capsys.readouterr().out == '{\n  "a": 1\n}\n'
    assert outputs.take_stdout
    assert [*outputs.files()] == []


def test_nothing_is_left_where_writing_fails(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Outputs(str(tmp_path / "a.json")).write_json({"a": float("nan")})
    assert [*tmp_path.iterdir()] == []


def test_only_trace_and_plot_need_events() -> None:
    outputs = [Outputs("-"), Outputs(trace=Path("a.txt")), Outputs(plot=Path("a.png"))]
    assert [each.need_events for each in outputs] == [False, True, True]
