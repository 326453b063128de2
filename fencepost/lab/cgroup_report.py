"""What a person sees of control groups in a run."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from fencepost.lab.cgroups import no_effect
from fencepost.lab.result import CgroupResult, RunResult
from fencepost.lab.screen import name, new_table
from fencepost.lab.spelling import NONE, count, figure, milliseconds, percent

__all__ = ["groups", "remarks", "share"]


def groups(result: RunResult) -> Iterator[RenderableType]:
    """Yield what the groups below the root have had, and what was changed."""
    below = result.cgroups[1:]
    if below:
        yield Text()
        yield _table(below)
    if result.changes:
        done = [f"{each.change} at {figure(each.at_s)} s" for each in result.changes if each.outcome == "done"]
        yield Text(f"\nchanged: {', '.join(done) or 'nothing'}")


def remarks(result: RunResult) -> Iterator[str]:
    """Yield what a person would not expect of a run: its end, and what came to nothing."""
    if result.interrupted:
        yield "interrupted: these are the results so far"
    if result.driver is not None:
        reason = no_effect(result.controller, result.driver, result.submission)
        if reason is not None:
            yield f"the controller {result.controller} has no effect: {reason}"
    for each in result.changes:
        if each.outcome != "done":
            yield f"{each.change} at {figure(each.at_s)} s: {each.outcome}"


def share(group: CgroupResult) -> str:
    """Return the part of the contested GPU time that a group had, in percent."""
    return NONE if group.share is None else percent(group.share)


def _table(below: tuple[CgroupResult, ...]) -> RenderableType:
    capped = any(each.nr_throttled for each in below)
    table = new_table("group")
    for heading in ("weight", "GPU s", "share %", *(["held back", "for ms"] if capped else [])):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in below:
        held_back = [count(each.nr_throttled), milliseconds(each.throttled_us)] if capped else []
        table.add_row(name(each.path), str(each.weight), figure(each.usage_us / 1e6), share(each), *held_back)
    return table
