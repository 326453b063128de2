"""The one look of all pictures: colours, captions, axes.

matplotlib is an extra: what needs it imports it. Its global state, pyplot and rcParams, is not touched.
"""

# pyright: reportUnknownMemberType=false
# matplotlib leaves part of its types open.

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "COLOURS",
    "DOTS_PER_INCH",
    "FAINT",
    "GREY",
    "INK",
    "LINES",
    "caption",
    "dress",
    "literal",
    "say",
    "short_name",
]

DOTS_PER_INCH: Final = 120
COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#000000")
"""Of Okabe and Ito: told apart with any colour vision. Clients beyond are grey."""
GREY: Final = "#9A9A9A"
INK: Final = "#222222"
FAINT: Final = "#F3F3F3"
LINES: Final = "#DDDDDD"
LONGEST_NAME: Final = 18


def short_name(client: str) -> str:
    """Return a name, cut short where it is long, for a picture."""
    name = client if len(client) <= LONGEST_NAME else f"{client[: LONGEST_NAME - 1]}\N{HORIZONTAL ELLIPSIS}"
    return literal(name)


def literal(text: str) -> str:
    """Return text that matplotlib does not take for a formula."""
    return text.replace("$", r"\$")


def caption(axes: Axes, text: str) -> None:
    """Write what a panel shows above it."""
    axes.set_title(text, loc="left", fontsize=11, fontweight="bold", color=INK)


def say(axes: Axes, text: str) -> None:
    """Fill a panel that has nothing to show."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=11, color=INK)


def dress(axes: Axes, label: str) -> None:
    """Give a panel its looks, and its lower axis a label."""
    axes.set_xlabel(label, fontsize=10, color=INK)
    axes.tick_params(labelsize=10, labelcolor=INK, color=LINES)
    axes.grid(color=LINES, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(LINES)
