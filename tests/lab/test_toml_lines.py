from __future__ import annotations

import pytest

from fencepost.lab.toml_lines import KeyPath, Place, place_of, places

TEXT = '''# a comment with [brackets] and = signs
title = "[not a table]"   # client = 3
engines.rcs = 1
list = [
  1, # [x]
  "]",
]

[[client]]
name = 'a = "b"'
steps = """
1.RCS.1.0.0
[[client]]
"""
[[client]]
"quoted" = 1
[client.deep]
key = """one
two"""
last = 1'''


@pytest.mark.parametrize(
    ("path", "place"),
    [
        pytest.param(("title",), Place(2, 2), id="key"),
        pytest.param(("engines", "rcs"), Place(3, 3), id="dotted key"),
        pytest.param(("engines",), Place(3, 3), id="table without a header: its first key"),
        pytest.param(("list",), Place(4, 4), id="value over several lines"),
        pytest.param(("client",), Place(9, 9), id="array of tables, where it begins"),
        pytest.param(("client", 0), Place(9, 9), id="its first table"),
        pytest.param(("client", 0, "name"), Place(10, 10), id="key in it"),
        pytest.param(("client", 0, "steps"), Place(11, 12), id="text that begins on the next line"),
        pytest.param(("client", 1), Place(15, 15), id="second table, with a false header before it"),
        pytest.param(("client", 1, "quoted"), Place(16, 16), id="quoted key"),
        pytest.param(("client", 1, "deep"), Place(17, 17), id="table in the last table of an array"),
        pytest.param(("client", 1, "deep", "key"), Place(18, 18), id="text that begins at once"),
        pytest.param(("client", 1, "deep", "last"), Place(20, 20), id="last line, without its end"),
        pytest.param(("client", 1, "name"), Place(15, 15), id="missing key: its table"),
        pytest.param(("list", 1), Place(4, 4), id="inside of a list: the list"),
        pytest.param(("nowhere", "at all"), Place(1, 1), id="nothing known: the top"),
    ],
)
def test_a_key_is_found(path: KeyPath, place: Place) -> None:
    assert place_of(path, places(TEXT)) == place


@pytest.mark.parametrize(
    "value",
    ['"\\""', "'\\'", '"""a"b""c\\"""d"""""', "'''it''s'''''", "{a = [1, {b = 2}]}", "[[1], [2]]", "1979-05-27"],
)
def test_a_value_of_any_kind_is_passed_over(value: str) -> None:
    assert places(f"first = {value}\nsecond = 2") == {("first",): Place(1, 1), ("second",): Place(2, 2)}


def test_windows_line_ends_are_line_ends() -> None:
    assert places('a = """\r\nx\r\n"""\r\nb = 1\r\n') == {("a",): Place(1, 2), ("b",): Place(4, 4)}
