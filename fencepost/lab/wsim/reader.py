"""From a whole text or file to a workload."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fencepost.errors import BadInput
from fencepost.lab.wsim.grammar import parse_step
from fencepost.lab.wsim.record import Record
from fencepost.lab.wsim.steps import Workload
from fencepost.lab.wsim.validate import validate

__all__ = ["load", "parse_text"]

_MAX_FILE_BYTES: Final = 1 << 20


def load(path: str | Path) -> Workload:
    """Read a workload from a file; it is named after the file, without folder and suffix.

    Raises:
        BadInput: when the file cannot be read, is above 1 MiB or not UTF-8, or is not a workload.
    """
    # The newline makes a file of a single line count lines, not commas.
    return parse_text(_contents(path) + "\n", name=Path(path).stem, where=str(path))


def parse_text(text: str, *, name: str, where: str, first_line: int = 1) -> Workload:
    """Read a workload from a text.

    Steps are separated by newlines and commas. A text without any newline comes from a command line: each of its
    commas starts a new line. Blanks around a step and separators without a step between them do not matter.

    Args:
        text: the steps.
        name: what reports call the workload.
        where: what messages call the text, such as the path of its file or `-w`.
        first_line: what its first line is called.

    Raises:
        BadInput: when a step cannot be read, steps do not fit together, or there is none.
    """
    written = enumerate(_written_steps(text, first_line))
    steps = tuple(parse_step(Record(where, line, index, step)) for index, (line, step) in written)
    if not steps:
        raise BadInput(where, "no steps", "at least one step")
    validate(steps, where)
    return Workload(name, steps, where)


def _contents(path: str | Path) -> str:
    where = str(path)
    try:
        with Path(path).open("rb") as file:
            contents = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadInput(where, f"no file to read ({error.strerror})", "a readable file") from error
    except ValueError as error:
        raise BadInput(where, f"no path ({error})", "the path of a file") from error
    if len(contents) > _MAX_FILE_BYTES:
        raise BadInput(where, "more than 1 MiB", "a workload of at most 1 MiB")
    try:
        return contents.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(where, f"byte {error.start} that is not UTF-8", "a text in UTF-8") from error


def _written_steps(text: str, first_line: int) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each step, comments left out."""
    lines = text.split("\n" if "\n" in text else ",")
    for number, line in enumerate(lines, start=first_line):
        for step in _split_line(line):
            if step and not step.lstrip(".").startswith("#"):
                yield number, step


def _split_line(line: str) -> list[str]:
    """Split a line at its commas, except those behind a `#`: they belong to the comment."""
    code, hash_sign, comment = line.partition("#")
    *steps, last = code.split(",")
    return [step.strip() for step in (*steps, last + hash_sign + comment)]
