"""How the reader of workloads says no: every refusal names file, line and step in the same way."""

from __future__ import annotations

import json

from fencepost.errors import BadInput

__all__ = ["quoted", "refusal", "step_name"]

_LONGEST_QUOTE = 60


def quoted(text: str) -> str:
    """Return text in double quotes, on one line and cut to a length that fits a message."""
    return json.dumps(text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 3] + "...")


def step_name(index: int, text: str) -> str:
    """Return how messages call the step at `index`: people count steps from 1."""
    return f"step {index + 1} {quoted(text)}"


def refusal(where: str, line: int, step: str, found: str, expected: str) -> BadInput:
    """Return the error for one step, named by `step_name`, of the text that the person knows as `where`."""
    return BadInput(f"{where}:{line}: {step}", found, expected)
