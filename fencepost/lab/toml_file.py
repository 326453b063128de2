"""A TOML file that a person wrote, read into a model with an error that names line and field.

    class Game(Table):
        players: Annotated[int, Field(ge=1, description="a whole number from 1 up")]

    game = TomlFile.read(path).table(Game)

The description of a field is what a message says was expected.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from fencepost.errors import BadInput
from fencepost.lab.toml_lines import KeyPath, Place, place_of, places
from fencepost.lab.wsim.refusal import quoted

__all__ = ["Table", "TomlFile", "found"]

MAX_FILE_BYTES: Final = 1 << 20
MAX_DIGITS: Final = 40

_TOML_PLACE: Final = re.compile(r" \(at (?:line ([0-9]+), column [0-9]+|end of document)\)$")


class Table(BaseModel):
    """What a table of a file may hold: nothing but its fields, and each as it is declared."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


T = TypeVar("T", bound=Table)


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A file that is TOML.

    Attributes:
        path: where it is.
        parsed: what `tomllib` makes of it.
        places: where its keys and tables stand.
    """

    path: Path
    parsed: Mapping[str, Any]
    places: Mapping[KeyPath, Place]

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a file.

        Raises:
            BadInput: when it cannot be read, is longer than 1 MiB, or is no TOML.
        """
        path = Path(path)
        text = _contents(path)
        return cls(path, _parsed(path, text), places(text))

    def where(self, field: KeyPath) -> str:
        """Say where a key is, for messages: `demo.toml:7: client 2, name`."""
        line = place_of(field, self.places).line
        words = [f" {part + 1}" if isinstance(part, int) else f", {_printable(part)}" for part in field]
        return f"{self.path}:{line}: {''.join(words).removeprefix(', ')}"

    def table(self, model: type[T]) -> T:
        """Return the whole file as a model.

        Raises:
            BadInput: when it is none, with the line of the first field that is not as it should be.
        """
        try:
            return model.model_validate(self.parsed)
        except ValidationError as error:
            raise self._first_refusal(model, error.errors(include_url=False)) from None

    def _first_refusal(self, model: type[Table], errors: Sequence[ErrorDetails]) -> BadInput:
        # What is missing comes last: a misspelt field is the reason more often than not.
        first = min(errors, key=lambda error: (error["type"] == "missing", place_of(error["loc"], self.places).line))
        steps = list(_steps(model, first["loc"]))
        field = tuple(part for part, _, _ in steps)
        table, expected = steps[-1][1:] if steps else (model, "")
        if first["type"] == "extra_forbidden":
            name = str(first["loc"][-1])
            return BadInput(self.where((*field, name)), "an unknown field", _instead(name, [*_fields(table)]))
        value = "nothing" if first["type"] == "missing" else found(first["input"])
        return BadInput(self.where(field), value, expected)


def _contents(path: Path) -> str:
    try:
        with path.open("rb") as file:
            contents = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadInput(str(path), f"no file to read ({error.strerror})", "a readable file") from error
    except ValueError as error:
        raise BadInput(str(path), f"no path ({error})", "the path of a file") from error
    if len(contents) > MAX_FILE_BYTES:
        raise BadInput(str(path), "more than 1 MiB", "a scenario of at most 1 MiB")
    try:
        return contents.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(str(path), f"byte {error.start} that is not UTF-8", "a text in UTF-8") from error


def _parsed(path: Path, text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:
        problem, line = _TOML_PLACE.sub("", str(error)), _toml_line(str(error), text)
        written = (text.splitlines() or [""])[line - 1].strip()
        raise BadInput(f"{path}:{line}", f"{quoted(written)} ({problem})", "TOML") from error
    except RecursionError as error:
        raise BadInput(str(path), "brackets in brackets without end", "TOML of a few levels") from error


def _toml_line(message: str, text: str) -> int:
    match = _TOML_PLACE.search(message)
    return int(match[1]) if match and match[1] else max(1, len(text.splitlines()))


def _printable(key: str) -> str:
    return key if key.isprintable() else quoted(key)


def _steps(model: type[Table], location: KeyPath) -> Iterator[tuple[str | int, object, str]]:
    """Yield the parts of a path into a file, each with the type of what is there and what is expected of it.

    It ends where pydantic goes on and the file does not, such as at the member of a union.
    """
    kind: object = model
    expected = ""
    for part in location:
        field = _fields(kind).get(str(part))
        if field is not None:
            kind, expected = _without_none(field.annotation), field.description or ""
        elif get_origin(kind) is list:
            (kind,) = get_args(kind)
            if _fields(kind):
                expected = f"a table [[{location[0]}]]"
        elif get_origin(kind) in {dict, Mapping}:
            _, kind = get_args(kind)
        else:
            return
        yield part, kind, expected


def _without_none(annotation: object) -> object:
    """Return the type of an optional field's value, where it has one."""
    members = [member for member in get_args(annotation) if member is not type(None)]
    return members[0] if type(None) in get_args(annotation) and len(members) == 1 else annotation


def _fields(kind: object) -> Mapping[str, FieldInfo]:
    return kind.model_fields if isinstance(kind, type) and issubclass(kind, Table) else {}


def _instead(name: str, fields: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, fields, n=1)
    return close[0] if close else f"one of {', '.join(fields)}"


def found(value: object) -> str:
    """Return a value as the person would recognise it, on one short line."""
    match value:
        case str():
            return quoted(value)
        case bool():
            return str(value).lower()
        case dict():
            return "a table"
        case list():
            return "a list"
        case _:
            return str(value)[:MAX_DIGITS]
