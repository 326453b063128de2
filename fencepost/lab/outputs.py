"""The files that a command is asked to write: checked before it starts, and there whole or not at all."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fencepost.errors import BadInput
from fencepost.events.export import check_trace_path, export
from fencepost.events.whole_file import whole_file
from fencepost.lab.plot import check_plot_path, plot_run
from fencepost.lab.result import RunResult

__all__ = ["STDOUT", "Outputs"]

STDOUT: Final = "-"


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where results go besides the screen. None is nowhere.

    Args:
        json: a file, or `-` for standard output, where nothing else is printed then.
        trace: a file whose ending tells the format.
        plot: a picture.
    """

    json: str | None = None
    trace: Path | None = None
    plot: Path | None = None

    @property
    def take_stdout(self) -> bool:
        """Whether standard output is for the JSON text alone."""
        return self.json == STDOUT

    @property
    def need_events(self) -> bool:
        return self.trace is not None or self.plot is not None

    def check(self) -> None:
        """Refuse what cannot be written, before anything is started for it.

        Raises:
            BadInput: for a bad ending, a directory that is not there, or two outputs in one file.
        """
        if self.trace is not None:
            check_trace_path(self.trace)
        if self.plot is not None:
            check_plot_path(self.plot)
        for option, path in self.files():
            if path.is_dir():
                raise BadInput(option, f"{path} (Is a directory)", "a file that can be written")
            if not path.parent.is_dir():
                raise BadInput(option, f"{path} (no directory {path.parent})", "a file that can be written")
        for path, times in Counter(path.resolve() for _, path in self.files()).items():
            if times > 1:
                raise BadInput("command line", f"{path} for two outputs", "a file for each")

    def write_json(self, facts: Mapping[str, Any]) -> None:
        """Write facts as JSON, if that was asked for: the same facts are the same bytes.

        Raises:
            BadInput: when the file cannot be written.
        """
        if self.json is None:
            return
        text = json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
        if self.take_stdout:
            sys.stdout.write(text)
        else:
            with whole_file(self.json, "--json") as file:
                file.write(text.encode())

    def write_events(self, result: RunResult) -> None:
        """Write the trace and the plot of a run that kept its events, if they were asked for.

        Raises:
            BadInput: when a file cannot be written.
        """
        if self.trace is not None:
            export(result.events, self.trace)
        if self.plot is not None:
            latencies = {each.client: each.cycle_times_us for each in result.workloads}
            plot_run(result.events, latencies, self.plot, result.title)

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield each option that was given with the file it asks for."""
        if self.json is not None and not self.take_stdout:
            yield "--json", Path(self.json)
        if self.trace is not None:
            yield "--trace", self.trace
        if self.plot is not None:
            yield "--plot", self.plot
