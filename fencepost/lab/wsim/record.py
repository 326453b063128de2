"""One step while it is still text, with the readers for what most fields are made of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from fencepost.errors import BadInput
from fencepost.lab.wsim.refusal import quoted, refusal, step_name

__all__ = ["INT_MAX", "Record", "split"]

INT_MAX: Final = 2**31 - 1
"""The largest number that the language knows outside of durations and sizes: gem_wsim keeps them in a C int."""

# 18 digits hold every limit of the language; int() of a far longer text would be slow, and above 4300 digits an error.
_NUMBER = re.compile(r"-?[0-9]{1,18}")


def split(text: str, separator: str) -> list[str]:
    """Return the parts between separators, empty ones left out, as C's strtok does."""
    return [part for part in text.split(separator) if part]


@dataclass(frozen=True, slots=True)
class Record:
    """The text of one step, and the way to read its parts or to refuse them by name.

    Args:
        where: what the person calls the whole text.
        line: line of the step, counted from 1.
        index: how many steps stand before it.
        text: the step as written.
    """

    where: str
    line: int
    index: int
    text: str

    def refuse(self, found: str, expected: str) -> BadInput:
        """Return the error to raise for something in this step."""
        return refusal(self.where, self.line, step_name(self.index, self.text), found, expected)

    def number(self, text: str, what: str, low: int, high: int = INT_MAX) -> int:
        """Return the whole number that `text` spells, both bounds included."""
        if _NUMBER.fullmatch(text) and low <= int(text) <= high:
            return int(text)
        raise self.refuse(f"{what} {quoted(text)}", f"a whole number from {low} to {high}")

    def context(self, text: str) -> int:
        """Return the number of a context that can be configured; context 0 cannot."""
        return self.number(text, "context", 1)

    def earlier(self, text: str) -> int:
        """Return the index of the step that an offset such as `-2` points at."""
        if self.index == 0:
            raise self.refuse(f"offset {quoted(text)}", "no offset in the first step, nothing stands before it")
        return self.index + self.number(text, "offset", -self.index, -1)

    def parts(self, text: str, separator: str, what: str) -> list[str]:
        """Return the parts of a list that must not be empty."""
        parts = split(text, separator)
        if not parts:
            raise self.refuse(f"no {what} in {quoted(text)}", f"at least one {what}")
        return parts
