"""A source file, its statements, and exact replacements in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

__all__ = ["Block", "Change", "Source", "calls_in", "names_in"]

Located: TypeAlias = ast.stmt | ast.expr

BODIES = ("body", "orelse", "finalbody")


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a source: where, what it is, and the text with it."""

    line: int
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """Statements that stand one after the other in a function, and the function's name with its classes."""

    where: str
    statements: list[ast.stmt]


class Source:
    """The text of a Python file and its tree."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        # Places in the tree are counted in bytes.
        self._bytes = text.encode()
        self._starts = [0]
        for line in self._bytes.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def start(self, node: Located) -> int:
        """Return where a node begins, in bytes."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: Located) -> int:
        """Return where a node ends, in bytes."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    def between(self, start: int, end: int) -> str:
        """Return the text of a span."""
        return self._bytes[start:end].decode()

    def of(self, node: Located) -> str:
        """Return the text of a node."""
        return self.between(self.start(node), self.end(node))

    def replaced(self, *spans: tuple[int, int, str]) -> str:
        """Return the whole text with these spans replaced; they do not overlap."""
        changed = self._bytes
        for start, end, text in sorted(spans, reverse=True):
            changed = changed[:start] + text.encode() + changed[end:]
        return changed.decode()

    def without(self, *statements: ast.stmt) -> str:
        """Return the whole text without these statements."""
        return self.replaced(*((self.start(each), self.end(each), "pass") for each in statements))

    def moved_before(self, later: ast.stmt, earlier: ast.stmt) -> str:
        """Return the whole text with one statement before another of its block."""
        start, middle = self.start(earlier), self.start(later)
        rest = self.between(start, middle).rstrip()
        indent = " " * earlier.col_offset
        return self.replaced((start, self.end(later), f"{self.of(later)}\n{indent}{rest}"))

    def hoisted(self, first: ast.stmt, block: ast.With) -> str:
        """Return the whole text with one statement of a `with` before that."""
        start = self.start(block)
        head = self.between(start, self.start(first))
        indent = " " * block.col_offset
        return self.replaced((start, self.end(first), f"{self.of(first)}\n{indent}{head}pass"))

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks of all functions, in the order of the file."""
        return tuple(blocks_of(self.tree, ""))


def blocks_of(node: ast.AST, where: str) -> Iterator[Block]:
    """Yield the blocks below a node."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        where = f"{where}.{node.name}" if where else node.name
    if not isinstance(node, (ast.ClassDef, ast.Module)):
        for name in BODIES:
            statements: object = getattr(node, name, None)
            if isinstance(statements, list) and statements:
                yield Block(where, statements)  # pyright: ignore[reportUnknownArgumentType] - so says the grammar
    for child in ast.iter_child_nodes(node):
        yield from blocks_of(child, where)


def calls_in(node: ast.AST) -> set[str]:
    """Return the last names of all that is called below a node."""
    return {name for each in ast.walk(node) if isinstance(each, ast.Call) and (name := last_name(each.func))}


def last_name(function: ast.expr) -> str:
    """Return `wake` for `a.b.wake`."""
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def names_in(node: ast.AST, context: type[ast.expr_context]) -> set[str]:
    """Return the plain names below a node that are read (Load) or written (Store)."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, context)}
