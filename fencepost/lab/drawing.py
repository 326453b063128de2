"""A run in one picture: who had which engine when, and how long the cycles of each client took.

matplotlib is an extra: what needs it imports it. Its global state, pyplot and rcParams, is not touched.
"""

# pyright: reportUnknownMemberType=false
# matplotlib leaves part of its types open.

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from fencepost.lab.looks import (
    COLOURS,
    DOTS_PER_INCH,
    FAINT,
    GREY,
    INK,
    caption,
    dress,
    literal,
    say,
    short_name,
)
from fencepost.lab.runner.facts import spread
from fencepost.lab.spelling import NONE, milliseconds, percent
from fencepost.lab.timeline import Timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_run"]

WIDTH_INCHES: Final = 13.0
TITLE_INCHES: Final = 0.5
LEGEND_INCHES: Final = 0.3
PANEL_INCHES: Final = 0.9
"""What a panel takes besides its rows."""
ROW_INCHES: Final = 0.36
CURVES_INCHES: Final = 3.8

BAR: Final = 0.78
"""How much of its row a bar takes."""
SLOT_NS: Final = 100_000_000
"""Of shares: long enough for several cycles of the usual workload."""
FEWEST_SLOTS: Final = 40
MOST_SLOTS: Final = 150

PERCENTILES: Final = (0, 50, 75, 90, 99, 99.9, 99.99, 99.999)
LOG_FROM_RATIO: Final = 30
LISTED_CLIENTS: Final = 12
COLUMNS: Final = (0.06, 0.47, 0.6, 0.72, 0.84, 1.0)
"""Where the table has the left end of names, and the right ends of figures."""


def draw_run(timeline: Timeline, latencies: Mapping[str, Sequence[float]], title: str, file: BinaryIO) -> None:
    """Write the picture of a run as a PNG; see `plot_run`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    part = timeline.readable_part()
    whole = part is timeline
    rows_inches = PANEL_INCHES + ROW_INCHES * max(1, len(timeline.engines) + bool(timeline.missed))
    heights = [LEGEND_INCHES, *[rows_inches] * (1 if whole else 2), CURVES_INCHES]
    figure = Figure(
        (WIDTH_INCHES, TITLE_INCHES + sum(heights)),
        DOTS_PER_INCH,
        layout=ConstrainedLayoutEngine(h_pad=0.12, w_pad=0.15),
    )
    FigureCanvasAgg(figure)
    figure.suptitle(literal(title), x=0.01, ha="left", fontsize=15, fontweight="bold", color=INK)
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    colours = _colours(timeline, latencies)
    _draw_legend(figure.add_subplot(grid[0]), colours, missed=bool(timeline.missed))
    _draw_timeline(figure.add_subplot(grid[1]), timeline, part, colours)
    if not whole:
        _draw_shares(figure.add_subplot(grid[2]), timeline, part, colours)
    bottom = grid[-1].subgridspec(1, 2, width_ratios=(2.0, 1.0))
    _draw_curves(figure.add_subplot(bottom[0]), latencies, colours)
    _draw_table(figure.add_subplot(bottom[1]), timeline, latencies, colours)
    figure.savefig(file, format="png")


def _colours(timeline: Timeline, latencies: Mapping[str, Sequence[float]]) -> dict[str, str]:
    """Give colours to the clients that had most of the engines, and grey to the rest."""
    used_ns = timeline.used_ns()
    clients = {*used_ns, *latencies, *(client for _, client in timeline.missed)}
    ranked = sorted(clients, key=lambda client: (-used_ns[client], client))
    return {client: COLOURS[rank] if rank < len(COLOURS) else GREY for rank, client in enumerate(ranked)}


def _draw_legend(axes: Axes, colours: Mapping[str, str], *, missed: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Patch | Line2D] = [
        Patch(color=colour, label=short_name(client)) for client, colour in colours.items() if colour != GREY
    ]
    if len(colours) > len(COLOURS):
        handles.append(Patch(color=GREY, label=f"{len(colours) - len(COLOURS)} others"))
    if missed:
        marker = Line2D([], [], linestyle="", marker="v", color="white", markeredgecolor=INK, label="missed period")
        handles.append(marker)
    axes.set_axis_off()
    axes.legend(handles=handles, loc="center left", ncols=len(handles) or 1, frameon=False, fontsize=10, borderpad=0)


# Timelines.


def _draw_timeline(axes: Axes, timeline: Timeline, part: Timeline, colours: Mapping[str, str]) -> None:
    """Draw each stretch as a bar."""
    scale = _Scale(timeline.start_ns, 1_000_000, "ms")
    rows = _prepare_rows(axes, timeline, part, scale)
    bars: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for engine, client, start_ns, end_ns in part.stretches:
        start = scale(start_ns)
        bars.setdefault((engine, client), []).append((start, scale(end_ns) - start))
    for (engine, client), spans in bars.items():
        where = rows[engine] - BAR / 2, BAR
        axes.broken_barh(spans, where, facecolor=colours[client], edgecolor="white", linewidth=0.4)
    faces = [colours[client] for _, client in part.missed]
    times = [scale(time_ns) for time_ns, _ in part.missed]
    axes.scatter(times, [len(rows)] * len(times), s=55, c=faces, marker="v", edgecolors=INK, linewidths=0.4, zorder=3)
    caption(axes, "Engines" if part is timeline else f"Engines, {part.length_ns / 1e6:.0f} ms of the run")


def _draw_shares(axes: Axes, timeline: Timeline, part: Timeline, colours: Mapping[str, str]) -> None:
    """Draw how much of each engine each client had, and a frame around the part that the timeline shows."""
    scale = _Scale(timeline.start_ns, 1_000_000_000, "s")
    rows = _prepare_rows(axes, timeline, timeline, scale)
    slots = max(FEWEST_SLOTS, min(MOST_SLOTS, timeline.length_ns // SLOT_NS))
    shares = timeline.shares(slots)
    edges = [scale(edge_ns) for edge_ns in shares.edges_ns]
    tops = {engine: [row - BAR / 2] * slots for engine, row in rows.items()}
    for client, colour in colours.items():
        for engine, bottoms in tops.items():
            share = shares.of.get((engine, client))
            if share is not None:
                tops[engine] = [bottom + BAR * value for bottom, value in zip(bottoms, share, strict=True)]
                axes.stairs(tops[engine], edges, baseline=bottoms, fill=True, color=colour, linewidth=0)
    faces = [colours[client] for _, client in timeline.missed]
    times = [scale(time_ns) for time_ns, _ in timeline.missed]
    axes.scatter(times, [len(rows)] * len(times), s=90, c=faces, marker="|", linewidths=0.8, zorder=3)
    axes.axvspan(scale(part.start_ns), scale(part.end_ns), facecolor="none", edgecolor=INK, linewidth=1.2, zorder=4)
    caption(axes, "Share of each engine, the whole run")


class _Scale(NamedTuple):
    """Times since the start of the run in a unit that suits an axis."""

    start_ns: int
    unit_ns: int
    unit: str

    def __call__(self, time_ns: float) -> float:
        return (time_ns - self.start_ns) / self.unit_ns


def _prepare_rows(axes: Axes, timeline: Timeline, part: Timeline, scale: _Scale) -> dict[str, float]:
    """Set up a row for each engine, with how busy it was, and return where the rows are."""
    rows = {engine: float(row) for row, engine in enumerate(reversed(timeline.engines))}
    labels = [*map(literal, rows), *(["missed"] if timeline.missed else [])]
    busy_ns = part.busy_ns()
    for engine, row in rows.items():
        axes.axhspan(row - BAR / 2, row + BAR / 2, color=FAINT, linewidth=0, zorder=0)
        busy = f"{percent(busy_ns[engine] / max(1, part.length_ns))} % busy"
        axes.text(1.006, row, busy, transform=axes.get_yaxis_transform(), va="center", fontsize=9.5, color=INK)
    dress(axes, f"time since the start [{scale.unit}]")
    axes.grid(visible=False, axis="y")
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(axis="y", length=0)
    if labels:
        axes.set_ylim(-0.6, len(labels) - 0.4)
        axes.set_xlim(scale(part.start_ns), scale(max(part.end_ns, part.start_ns + 1)))
    else:
        say(axes, "no engine executed anything")
    return rows


# Times of cycles.


def _draw_curves(axes: Axes, latencies: Mapping[str, Sequence[float]], colours: Mapping[str, str]) -> None:
    """Draw percentiles on an axis where each further nine is as wide as the one before."""
    times_ms = {client: sorted(time_us / 1000 for time_us in latencies.get(client, ())) for client in colours}
    most = max(map(len, times_ms.values()), default=0)
    # Those with colours last, on top.
    for client, ranked in reversed(times_ms.items()):
        if ranked:
            edges = [*(_nines(rank / len(ranked)) for rank in range(len(ranked))), _nines(1 - 0.5 / len(ranked))]
            width = 1.0 if colours[client] == GREY else 2.0
            axes.stairs(ranked, edges, baseline=None, color=colours[client], linewidth=width)
    dress(axes, "percentile of the cycles [%]")
    caption(axes, "Time of a cycle [ms]")
    if most:
        ticks = [percentile for percentile in PERCENTILES if percentile <= 100 * (1 - 1 / most)]
        axes.set_xticks([_nines(tick / 100) for tick in ticks], [f"{tick:g}" for tick in ticks])
        axes.set_xlim(0, _nines(1 - 0.5 / most))
        _scale_times(axes, [time for ranked in times_ms.values() for time in ranked])
    else:
        say(axes, "no client finished a cycle")


def _nines(share: float) -> float:
    return -math.log10(1 - share)


def _scale_times(axes: Axes, times_ms: Sequence[float]) -> None:
    """Let the axis begin at 0, or be logarithmic where the fast would have no height."""
    if 0 < LOG_FROM_RATIO * min(times_ms) < max(times_ms):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _position: f"{value:g}")
    else:
        axes.set_ylim(bottom=0)


def _draw_table(
    axes: Axes, timeline: Timeline, latencies: Mapping[str, Sequence[float]], colours: Mapping[str, str]
) -> None:
    """Write the figures of each client beside the curves."""
    missed = Counter(client for _, client in timeline.missed)
    axes.set_axis_off()
    axes.set_xlim(0, 1)
    axes.set_ylim(LISTED_CLIENTS + 1.5, -0.5)
    _write_line(axes, 0, ("client", "cycles", "p50", "p99", "max", "missed"), "bold")
    for line, (client, colour) in enumerate([*colours.items()][:LISTED_CLIENTS], 1):
        times_us = latencies.get(client, ())
        figures = str(len(times_us)), *_spread(times_us), str(missed[client])
        _write_line(axes, line, (short_name(client), *figures))
        axes.scatter([0.02], [line], s=60, c=[colour], marker="s")
    if len(colours) > LISTED_CLIENTS:
        _write_line(axes, LISTED_CLIENTS + 1, (f"and {len(colours) - LISTED_CLIENTS} more",))


def _write_line(axes: Axes, line: int, cells: Iterable[str], weight: str = "normal") -> None:
    for column, text in enumerate(cells):
        side = "left" if column == 0 else "right"
        axes.text(COLUMNS[column], line, text, ha=side, va="center", fontsize=9.5, fontweight=weight, color=INK)


def _spread(times_us: Sequence[float]) -> Iterable[str]:
    if not times_us:
        return NONE, NONE, NONE
    of = spread(times_us)
    return milliseconds(of.p50), milliseconds(of.p99), milliseconds(of.max)
