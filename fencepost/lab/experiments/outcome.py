"""What comes out of an experiment, for the command line."""

from __future__ import annotations

from typing import Any, Protocol

from rich.console import Console

__all__ = ["Outcome"]


class Outcome(Protocol):
    """The facts of an experiment, and how a person sees them."""

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended it before its end."""
        ...

    def as_json(self) -> dict[str, Any]:
        """Return the facts for a JSON file."""
        ...

    def show(self, console: Console) -> None:
        """Print the same facts."""
        ...
