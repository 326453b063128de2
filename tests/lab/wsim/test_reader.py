from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fencepost.errors import BadInput
from fencepost.lab.wsim import load, parse_text


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        pytest.param("d.1\nd.2\n", [(1, "d.1"), (2, "d.2")], id="lines"),
        pytest.param("d.1,d.2", [(1, "d.1"), (2, "d.2")], id="commas alone count as lines"),
        pytest.param("d.1,d.2\nd.3", [(1, "d.1"), (1, "d.2"), (2, "d.3")], id="commas in lines do not"),
        pytest.param(",,d.1,,\n\n  \nd.2,\n,", [(1, "d.1"), (4, "d.2")], id="separators without a step"),
        pytest.param("\td.1 \r\n d.2\r\n", [(1, "d.1"), (2, "d.2")], id="blanks and carriage returns"),
        pytest.param("# one, two, d.9\nd.1", [(2, "d.1")], id="a comment line keeps its commas"),
        pytest.param("d.1,# d.8, d.9\nd.2", [(1, "d.1"), (2, "d.2")], id="comment to the end of the line"),
        pytest.param("# note,d.1", [(2, "d.1")], id="comment to the next comma, without lines"),
        pytest.param("..# note\nd.1", [(2, "d.1")], id="comment in the first field that is not empty"),
        pytest.param("d.1\n#\x0b\x85\u2028#\nd.2", [(1, "d.1"), (3, "d.2")], id="only newlines end lines"),
    ],
)
def test_steps_are_found_with_their_lines(text: str, steps: list[tuple[int, str]]) -> None:
    workload = parse_text(text, name="game", where="-w")
    assert [(step.line, step.text) for step in workload.steps] == steps


@pytest.mark.parametrize("text", ["", ",", "\n\n", "# d.1", "# d.1\n,"])
def test_a_text_without_steps_is_refused(refusal: Callable[[str], tuple[str, str, str]], text: str) -> None:
    assert refusal(text) == ("game.wsim", "no steps", "at least one step")


def test_a_refusal_names_line_step_and_text_on_one_short_line(
    refusal: Callable[[str], tuple[str, str, str]],
) -> None:
    where, found, _ = refusal("# note\nd.1,d.2\n\nd.\x00\u2028" + 500 * "x")
    assert where == r'game.wsim:4: step 3 "d.\u0000\u2028' + 53 * "x" + '..."'
    assert found == r'delay "\u0000\u2028' + 55 * "x" + '..."'


def test_a_file_is_read_and_named_after_itself(tmp_path: Path) -> None:
    path = tmp_path / "low-end.game.wsim"
    path.write_bytes(b"\xef\xbb\xbfd.1,d.2")
    workload = load(path)
    assert workload.name == "low-end.game"
    assert [(step.line, step.text) for step in workload.steps] == [(1, "d.1"), (1, "d.2")]
    assert load(str(path)) == workload


@pytest.mark.parametrize(
    ("contents", "found", "expected"),
    [
        pytest.param(b"", "no steps", "at least one step", id="empty"),
        pytest.param(b"d.1\n\xff", "byte 4 that is not UTF-8", "a text in UTF-8", id="not UTF-8"),
        pytest.param(b"#" * ((1 << 20) + 1), "more than 1 MiB", "a workload of at most 1 MiB", id="above 1 MiB"),
    ],
)
def test_a_file_that_is_no_workload_is_refused(tmp_path: Path, contents: bytes, found: str, expected: str) -> None:
    path = tmp_path / "game.wsim"
    path.write_bytes(contents)
    with pytest.raises(BadInput) as caught:
        load(path)
    assert (caught.value.where, caught.value.found, caught.value.expected) == (str(path), found, expected)


def test_a_file_of_exactly_1_mib_is_read(tmp_path: Path) -> None:
    path = tmp_path / "game.wsim"
    path.write_bytes(b"d.1\n" + b"#" * ((1 << 20) - 4))
    assert len(load(path).steps) == 1


@pytest.mark.parametrize(
    ("name", "found", "expected"),
    [
        ("missing.wsim", "no file to read (No such file or directory)", "a readable file"),
        (".", "no file to read (Is a directory)", "a readable file"),
        ("null\0byte", "no path (embedded null byte)", "the path of a file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str, found: str, expected: str) -> None:
    path = tmp_path / name
    with pytest.raises(BadInput) as caught:
        load(path)
    assert (caught.value.where, caught.value.found, caught.value.expected) == (str(path), found, expected)
