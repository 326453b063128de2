"""The list of mutants: which files, which changes, which names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.mutants.operators import OPERATORS
from bench.mutants.source import Change, Source

__all__ = ["ROOMS", "Mutant", "list_mutants"]

ROOMS: Final = ("sync", "fences", "actors", "hw")


@dataclass(frozen=True, slots=True)
class Mutant:
    """The product with one change.

    Attributes:
        path: of the changed file, from `fencepost` on.
        line: of the change.
        operator: the kind of change.
        what: what was changed, and in which function. With the path it is unique, and outlives edits elsewhere.
        text: the whole file with the change.
    """

    path: str
    line: int
    operator: str
    what: str
    text: str

    @property
    def key(self) -> str:
        """What it is called where line numbers would not last."""
        return f"{self.path} {self.what}"

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.what}"


def list_mutants(package: Path) -> list[Mutant]:
    """List all mutants of a package, always in the same order."""
    paths = [path for room in ROOMS for path in sorted((package / room).rglob("*.py"))]
    return [
        mutant for path in paths for mutant in mutants_of(path.relative_to(package).as_posix(), path.read_text("utf-8"))
    ]


def mutants_of(path: str, text: str) -> Iterator[Mutant]:
    """Yield the mutants of one file, by line."""
    source = Source(text)
    changes = [(operator.__name__.replace("_", " "), change) for operator in OPERATORS for change in operator(source)]
    seen: Counter[str] = Counter()
    texts = {text}
    for operator, change in sorted(changes, key=lambda each: each[1].line):
        if not parses(change) or change.text in texts:
            continue
        texts.add(change.text)
        seen[change.what] += 1
        nth = seen[change.what]
        yield Mutant(path, change.line, operator, change.what if nth == 1 else f"{change.what} ({nth})", change.text)


def parses(change: Change) -> bool:
    """Say whether Python takes a changed file."""
    try:
        compile(change.text, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True
