"""Writing the picture of a run. matplotlib is an extra: only who draws imports it."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from fencepost.errors import BadInput
from fencepost.events.kinds import Event
from fencepost.events.whole_file import check_path, whole_file
from fencepost.lab.timeline import Timeline

__all__ = ["check_plot_path", "plot_run"]

OPTION: Final = "--plot"
SUFFIX: Final = ".png"


def check_plot_path(path: str | os.PathLike[str]) -> None:
    """Refuse early, before a long run, what `plot_run` could not draw.

    Raises:
        BadInput: when matplotlib is missing, the name does not end in `.png`, or there is no such directory.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise BadInput(OPTION, "no matplotlib", "it to be there: pip install 'fencepost[plot]'")
    check_path(path, (SUFFIX,), OPTION)


def plot_run(
    events: Iterable[Event], latencies: Mapping[str, Sequence[float]], path: str | os.PathLike[str], title: str
) -> None:
    """Draw a run as a PNG.

    At the top is a timeline, one row an engine, coloured by client. Of a run that is too long for that it shows a part,
    and below it the whole run, as the share of each engine that each client had. At the bottom are the percentiles of
    the time of a cycle: the higher a curve the slower its client, and its right end tells the rare slow cycles.

    Args:
        events: of the run; batches and missed periods are drawn.
        latencies: client -> for each of its cycles how many us it took.
        path: where to, ending in `.png`.
        title: stands above it all.

    Raises:
        BadInput: as `check_plot_path`, and when the file cannot be written.
    """
    check_plot_path(path)
    from fencepost.lab.drawing import draw_run  # noqa: PLC0415 - needs matplotlib

    with whole_file(path, OPTION) as file:
        draw_run(Timeline.of(events), latencies, title, file)
