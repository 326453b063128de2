"""Shares of control groups in one picture, a column for each contender. See `drawing`, whose look it has."""

# pyright: reportUnknownMemberType=false
# matplotlib leaves part of its types open.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from fencepost.lab.ideal_shares import ROOT
from fencepost.lab.looks import COLOURS, DOTS_PER_INCH, GREY, INK, caption, dress, literal, say, short_name
from fencepost.lab.shares import GroupShares
from fencepost.lab.shares_columns import Column, Mark

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_shares"]

MOST_INCHES: Final = 28.0
COLUMN_INCHES: Final = 4.2
LEAST_COLUMN_INCHES: Final = 2.8
LEAST_INCHES: Final = 9.0
SHARES_INCHES: Final = 3.6
FRAMES_INCHES: Final = 2.4
TITLE_INCHES: Final = 0.5
LEGEND_INCHES: Final = 0.35
LEAST_PERIODS: Final = 1.6
MOST_PERIODS: Final = 4.0
"""How many periods the axis of frames has room for."""
NAMED_MARKS: Final = 3
NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000


def draw_shares(columns: Sequence[Column], periods_us: Mapping[str, int], title: str, file: BinaryIO) -> None:
    """Write the picture as a PNG; see `plot_shares`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with_frames = any(any(column.frames.values()) for column in columns)
    heights = [LEGEND_INCHES, SHARES_INCHES, *([FRAMES_INCHES] if with_frames else [])]
    column_inches = min(COLUMN_INCHES, max(LEAST_COLUMN_INCHES, MOST_INCHES / len(columns)))
    figure = Figure(
        (max(LEAST_INCHES, len(columns) * column_inches), TITLE_INCHES + sum(heights)),
        DOTS_PER_INCH,
        layout=ConstrainedLayoutEngine(h_pad=0.1, w_pad=0.08),
    )
    FigureCanvasAgg(figure)
    figure.suptitle(literal(title), x=0.01, ha="left", fontsize=15, fontweight="bold", color=INK)
    grid = figure.add_gridspec(len(heights), len(columns), height_ratios=heights)
    colours = _colours(columns)
    _draw_legend(figure.add_subplot(grid[0, :]), colours, columns)
    longest_ms = _longest_ms(columns, periods_us)
    for place, column in enumerate(columns):
        _draw_lines(figure.add_subplot(grid[1, place]), column, colours, first=not place)
        if with_frames:
            axes = figure.add_subplot(grid[2, place])
            axes.set_ylim(0, longest_ms)
            _draw_frames(axes, column, periods_us, colours, first=not place)
    figure.savefig(file, format="png")


def _colours(columns: Sequence[Column]) -> dict[str, str]:
    """Give colours to the first groups, in the order of the tree, and grey to the rest; none to who has it all."""
    shares = [column.shares for column in columns]
    paths = {path for each in shares for path in each.had if any(each.had[path] != each.had[ROOT] for each in shares)}
    ordered = sorted(paths, key=lambda path: path.split("/"))
    return {path: COLOURS[place] if place < len(COLOURS) else GREY for place, path in enumerate(ordered)}


def _longest_ms(columns: Sequence[Column], periods_us: Mapping[str, int]) -> float:
    """Return up to where the axis of frames goes: somewhat beyond the period, and the longest frame where it can."""
    lengths = [frame.length_ns / NS_PER_MS for column in columns for each in column.frames.values() for frame in each]
    period_ms = max(periods_us.values(), default=0) / 1000
    return max(LEAST_PERIODS * period_ms, min(MOST_PERIODS * period_ms, 1.1 * max(lengths, default=0.0)))


def _draw_legend(axes: Axes, colours: Mapping[str, str], columns: Sequence[Column]) -> None:
    from matplotlib.lines import Line2D

    def line(label: str, colour: str, **how: Any) -> Line2D:  # noqa: ANN401 - as the library has it
        return Line2D([], [], label=label, color=colour, **how)

    handles = [line(short_name(path), colour, linewidth=2.5) for path, colour in colours.items() if colour != GREY]
    if len(colours) > len(COLOURS):
        handles.append(line(f"{len(colours) - len(COLOURS)} groups more", GREY))
    handles.append(line("all groups", GREY, linewidth=1.0))
    if any(column.shares.ideal for column in columns):
        handles.append(line("by weight alone", INK, linestyle="--", linewidth=1.0))
    if any(column.marks for column in columns):
        handles.append(line("groups are changed", INK, linestyle=":", linewidth=1.0))
    axes.set_axis_off()
    axes.legend(handles=handles, loc="center left", ncols=len(handles), frameon=False, fontsize=10, borderpad=0)


def _draw_lines(axes: Axes, column: Column, colours: Mapping[str, str], *, first: bool) -> None:
    """Draw what each group had, and dashed what it should have had."""
    shares = column.shares
    dress(axes, "time since the start [s]")
    caption(axes, f"{literal(column.name)}" + (": share of the engines" if first else ""))
    axes.set_ylim(0, 103)
    if not shares.had:
        say(axes, "no engine executed anything")
        return
    edges = _seconds(shares.edges_ns, shares)
    axes.set_xlim(0, edges[-1])
    axes.yaxis.set_major_formatter(lambda value, _position: f"{value:g} %")
    for path, colour in [(ROOT, GREY), *reversed([*colours.items()])]:
        if path in shares.had:
            # A thin line is the sum of others.
            thin = path == ROOT or any(other.startswith(f"{path}/") for other in shares.had)
            _draw_stairs(axes, edges, shares.had[path], color=colour, linewidth=1.0 if thin else 2.2)
            if path != ROOT and path in shares.ideal:
                _draw_stairs(axes, edges, shares.ideal[path], color=colour, linewidth=1.3, linestyle=(0, (4, 2)))
    _draw_marks(axes, column.marks, shares)


def _draw_stairs(axes: Axes, edges: Sequence[float], shares: Sequence[float], **how: Any) -> None:  # noqa: ANN401
    axes.stairs([100 * share for share in shares], edges, baseline=None, **how)


def _draw_marks(axes: Axes, marks: Sequence[Mark], shares: GroupShares) -> None:
    """Draw a line for each mark, and say what it is where there are few; many say enough by where they are."""
    for mark in marks:
        (at_s,) = _seconds([mark.at_ns], shares)
        axes.axvline(at_s, color=INK, linewidth=0.8, linestyle=":")
        if len(marks) <= NAMED_MARKS:
            text, where = literal(mark.text), axes.get_xaxis_transform()
            axes.text(at_s, 0.5, text, transform=where, rotation=90, ha="right", va="center", fontsize=8, color=INK)


def _draw_frames(
    axes: Axes, column: Column, periods_us: Mapping[str, int], colours: Mapping[str, str], *, first: bool
) -> None:
    """Draw a dot for each frame, and a line where the period ends. What does not fit is at the upper edge."""
    dress(axes, "time since the start [s]")
    caption(axes, "Frames in the foreground [ms]" if first else "")
    _, top_ms = axes.get_ylim()
    late = total = 0
    for client, of_client in column.frames.items():
        times_s = _seconds([frame.end_ns for frame in of_client], column.shares)
        lengths_ms = [min(frame.length_ns / NS_PER_MS, top_ms) for frame in of_client]
        colour = colours.get(column.groups[client], INK)
        axes.plot(times_s, lengths_ms, linestyle="", marker=".", markersize=3.5, color=colour, clip_on=False)
        axes.axhline(periods_us[client] / 1000, color=INK, linewidth=1.0)
        late += sum(frame.length_ns > 1000 * periods_us[client] for frame in of_client)
        total += len(of_client)
    said = f"{late} of {total} late"
    axes.text(0.99, 0.04, said, transform=axes.transAxes, ha="right", va="bottom", fontsize=9.5, color=INK)
    axes.set_xlim(0, *_seconds(column.shares.edges_ns[-1:], column.shares))


def _seconds(times_ns: Iterable[float], shares: GroupShares) -> list[float]:
    """Return times since the start of the run."""
    return [(time_ns - shares.edges_ns[0]) / NS_PER_S for time_ns in times_ns]
