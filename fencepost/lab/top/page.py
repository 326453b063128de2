"""What a sample looks like: a table of clients for each device, as gputop has it, and the tree of control groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from fencepost.lab.top.meter import ClientSample, DeviceSample, GroupSample, Sample

__all__ = ["bar", "page"]

EIGHTHS: Final = " ▏▎▍▌▋▊▉"
WHOLE: Final = "█"
PID_WIDTH: Final = 6
NAME_WIDTH: Final = 16
"""What is kept free for names."""
LEAST_COLUMN: Final = 8
MOST_COLUMN: Final = 32
WEIGHT_WIDTH: Final = 7
PERCENT_WIDTH: Final = 8
NONE: Final = "-"


def page(sample: Sample, title: str, width: int) -> Iterator[Text]:
    """Yield the lines of a page.

    Args:
        sample: what it is about.
        title: stands above it all, with the time.
        width: of the screen, in columns.
    """
    yield _line(f"{title} - {sample.time_s:.1f} s", width, "bold")
    for device in sample.devices:
        yield Text()
        yield from _device(device, width)
    if len(sample.groups) > 1:
        yield Text()
        yield from _groups(sample.groups, width)


def bar(percent: float, width: int) -> str:
    """Return a bar of so many columns, to an eighth of one; more than 100 percent is a full bar."""
    eighths = round(8 * width * min(max(percent, 0.0), 100.0) / 100)
    whole, rest = divmod(eighths, 8)
    return (WHOLE * whole + (EIGHTHS[rest] if rest else "")).ljust(width)


def _device(device: DeviceSample, width: int) -> Iterator[Text]:
    yield _line(f"DRM minor {device.minor}: {device.driver} {device.pdev}", width, "bold")
    room = width - PID_WIDTH - NAME_WIDTH - 1
    column = min(MOST_COLUMN, max(LEAST_COLUMN, room // max(1, len(device.engines)) - 1))
    headings = "".join(f" {name[:column]:^{column}}" for name in device.engines)
    yield _line(f"{'PID':>{PID_WIDTH}}{headings} NAME", width, "reverse")
    for client in device.clients:
        yield _line(f"{client.pid:>{PID_WIDTH}}{_bars(client, device.engines, column)} {client.name}", width)


def _bars(client: ClientSample, engines: Sequence[str], column: int) -> str:
    return "".join(f" {_bar_and_figure(client.engines.get(name, 0.0), column)}" for name in engines)


def _bar_and_figure(percent: float, width: int) -> str:
    """Return a bar with the figure behind it, or the figure alone where there is no room."""
    figure = f"{percent:5.1f}%"
    room = width - len(figure) - 2
    return f"|{bar(percent, room)}|{figure}" if room > 0 else figure.rjust(width)


def _groups(groups: Sequence[GroupSample], width: int) -> Iterator[Text]:
    names = [_name(group) for group in groups]
    longest = max(map(len, ("GROUP", *names)))
    share_width = max(LEAST_COLUMN, min(MOST_COLUMN, width - longest - WEIGHT_WIDTH - PERCENT_WIDTH - 2))
    yield _line(
        f"{'GROUP':<{longest}} {'WEIGHT':>{WEIGHT_WIDTH}}{'USAGE':>{PERCENT_WIDTH}} {'SHARE':^{share_width}}",
        width,
        "reverse",
    )
    for name, group in zip(names, groups, strict=True):
        weight = NONE if group.weight is None else str(group.weight)
        usage = NONE if group.usage_pct is None else f"{group.usage_pct:5.1f}%"
        share = NONE if group.share_pct is None else _bar_and_figure(group.share_pct, share_width)
        yield _line(f"{name:<{longest}} {weight:>{WEIGHT_WIDTH}}{usage:>{PERCENT_WIDTH}} {share}", width)


def _name(group: GroupSample) -> str:
    """Return the last part of a path, further in the deeper it is."""
    depth = group.path.count("/") if group.path != "/" else 0
    return "  " * depth + (group.path.rpartition("/")[2] or "/")


def _line(text: str, width: int, style: str = "") -> Text:
    line = Text(text, style=style, no_wrap=True)
    line.truncate(width)
    return line
