"""Where in a TOML text each key stands: `tomllib` reads the values and forgets their places.

Only for texts that `tomllib` has accepted, which is what keeps it small: it looks for headers, keys and the ends of
values, and judges nothing. What stands in an inline table or list, or has a key written with escapes, is not found;
`place_of` gives the place of what is around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

__all__ = ["KeyPath", "Place", "place_of", "places"]

KeyPath: TypeAlias = tuple[str | int, ...]
"""From the top of the text to a key: names, and for arrays of tables the number of the table, counted from 0."""

_TOKEN: Final = re.compile(
    r"""
      (?P<string> \"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*' )
    | (?P<comment> \#[^\n]* )
    | (?P<newline> \n )
    | (?P<word> [A-Za-z0-9_-]+ )
    | (?P<mark> \S )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Lines, counted from 1.

    Args:
        line: of the key or the header of the table.
        text_line: where the contents begin when the value is a text.
    """

    line: int
    text_line: int


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    line: int


def places(text: str) -> Mapping[KeyPath, Place]:
    """Return the place of each table and key of a valid TOML text."""
    found: dict[KeyPath, Place] = {}
    tables: dict[KeyPath, int] = {}  # of each array of tables: how many began
    table: KeyPath = ()
    for statement in _statements(text):
        line = statement[0].line
        if statement[0].text == "[":
            path = table = _enter(statement, tables)
            found[path] = Place(line, line)
        else:
            equals = next(index for index, token in enumerate(statement) if token.text == "=")
            path = (*table, *_names(statement[:equals]))
            found[path] = Place(line, _text_line(statement[equals + 1]))
        # What is around it begins here, unless it had a place before.
        for end in range(1, len(path)):
            found.setdefault(path[:end], Place(line, line))
    return found


def place_of(path: KeyPath, known: Mapping[KeyPath, Place]) -> Place:
    """Return the place of a key, or else of the innermost table around it that has one; else the first line."""
    while path and path not in known:
        path = path[:-1]
    return known.get(path, Place(1, 1))


def _statements(text: str) -> Iterator[Sequence[_Token]]:
    """Yield the tokens of each header and each key with its value, without comments and newlines."""
    statement: list[_Token] = []
    depth = 0
    for token in _tokens(text):
        if token.kind == "newline":
            if statement and not depth:
                yield statement
                statement = []
        elif token.kind != "comment":
            depth += (token.text in "[{") - (token.text in "]}")
            statement.append(token)
    if statement:
        yield statement


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        yield _Token(match.lastgroup or "", match[0], line)
        line += match[0].count("\n")


def _enter(header: Sequence[_Token], tables: dict[KeyPath, int]) -> KeyPath:
    """Return the path of the table that a header begins."""
    path: KeyPath = ()
    for name in _names(header):
        path = (*_last(path, tables), name)
    if header[1].text != "[":
        return _last(path, tables)
    tables[path] = tables.get(path, 0) + 1
    return _last(path, tables)


def _last(path: KeyPath, tables: Mapping[KeyPath, int]) -> KeyPath:
    """Add the number of the last table to the path of an array of tables."""
    return (*path, tables[path] - 1) if path in tables else path


def _names(tokens: Sequence[_Token]) -> Iterator[str]:
    for token in tokens:
        if token.kind == "word":
            yield token.text
        elif token.kind == "string":
            yield token.text[1:-1]


def _text_line(value: _Token) -> int:
    opening = value.text[:3]
    later = opening in {'"""', "'''"} and value.text[3:].lstrip("\r").startswith("\n")
    return value.line + later
