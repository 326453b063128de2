"""What a person sees of what went wrong in a run, and what it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.text import Text

from fencepost.lab.result import RecoveryResult, RunResult, WorkloadResult
from fencepost.lab.screen import name, new_table
from fencepost.lab.spelling import NONE, count, milliseconds

__all__ = ["losses"]


def losses(result: RunResult) -> Iterator[RenderableType]:
    """Yield what went wrong on purpose, what the driver did about hangs, and what each client lost."""
    if result.faults:
        yield Text(f"\nfaults: {_tally(_name(each.kind, hit=each.hit) for each in result.faults)}")
    if result.recoveries:
        yield Text(f"recoveries: {_tally(each.status for each in result.recoveries)}, {_longest(result.recoveries)}")
    lost = [each for each in result.workloads if each.jobs_lost or each.contexts_lost or each.device_lost]
    if lost:
        yield Text()
        yield _table(lost)


def _name(kind: str, *, hit: bool) -> str:
    return kind if hit else f"{kind} that struck nothing"


def _tally(words: Iterable[str]) -> str:
    return ", ".join(f"{count(number)} {word}" for word, number in Counter(words).items())


def _longest(recoveries: Iterable[RecoveryResult]) -> str:
    return f"the longest took {milliseconds(max(each.took_us for each in recoveries))} ms"


def _table(lost: Iterable[WorkloadResult]) -> RenderableType:
    table = new_table("client")
    for heading in ("jobs lost", "contexts lost", "outages", "longest ms", "guilty"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in lost:
        longest = milliseconds(max(each.outages_us)) if each.outages_us else NONE
        table.add_row(
            name(each.client),
            count(each.jobs_lost),
            _contexts(each),
            count(len(each.outages_us)),
            longest,
            count(each.guilty),
        )
    return table


def _contexts(result: WorkloadResult) -> str:
    return "the device" if result.device_lost else count(result.contexts_lost)
