"""Where samples are shown: on a screen that is painted anew, as one block after the other, or as lines of JSON."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from codecs import StreamWriter
from contextlib import AbstractContextManager
from typing import Final, Literal, Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from fencepost.lab.top.meter import Sample
from fencepost.lab.top.page import page

__all__ = ["Blocks", "Display", "JsonLines", "Painted"]

PIPED_COLUMNS: Final = 100


class Display(AbstractContextManager["Display"], ABC):
    """Shows samples.

    Life cycle: *new* -> *entered* (by `with`) -> *left*, when all is as it was before -> *recalled*, perhaps.
    """

    @abstractmethod
    def show(self, sample: Sample) -> None:
        """Show a sample. By one task at a time."""

    def recall(self) -> None:
        """Show the last sample again, after it was left, where it would be gone."""

    def __exit__(self, *_raised: object) -> Literal[False]:
        return False


class Painted(Display):
    """Paints a terminal anew for each sample, on a screen of its own: behind that is what was there before.

    Args:
        console: the terminal.
        title: stands above each sample.
    """

    def __init__(self, console: Console, title: str) -> None:
        self._console = console
        self._title = title
        self._lines: list[Text] = []
        self._live = Live(
            console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_raised: object) -> Literal[False]:
        self._live.stop()
        return False

    def show(self, sample: Sample) -> None:
        self._lines = [*page(sample, self._title, self._console.width)]
        self._live.update(Group(*self._lines), refresh=True)

    def recall(self) -> None:
        for line in self._lines:
            self._console.print(line)


class Blocks(Display):
    """Writes samples one below the other, with an empty line between, where nobody watches.

    Args:
        stream: where to.
        title: stands above each sample.
    """

    def __init__(self, stream: TextIO, title: str) -> None:
        self._stream = stream
        self._title = title
        self._separator = ""

    def show(self, sample: Sample) -> None:
        lines = [line.plain.rstrip() for line in page(sample, self._title, PIPED_COLUMNS)]
        self._stream.write(self._separator + "\n".join(lines) + "\n")
        self._stream.flush()
        self._separator = "\n"


class JsonLines(Display):
    """Writes a line of JSON for each sample."""

    def __init__(self, stream: TextIO | StreamWriter) -> None:
        self._stream = stream

    def show(self, sample: Sample) -> None:
        self._stream.write(json.dumps(sample.as_json(), sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")
        self._stream.flush()
