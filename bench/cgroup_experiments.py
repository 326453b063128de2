"""The experiments with control groups: every controller beside what was published.

    python -m bench.cgroup_experiments

Runs `examples/cgroup-*.toml` in virtual time, where every figure is exact, and prints the table of the README. Shares
are of the engine that is contested, for as long as clients begin further cycles; `fencepost compare` tells the same of
one scenario, over the whole of the run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Final

from fencepost.events.kinds import BATCH
from fencepost.lab.overrides import Overrides, chosen_scenario
from fencepost.lab.result import RunResult, WorkloadResult
from fencepost.lab.runner import run
from fencepost.lab.shares import group_shares

__all__ = ["CONTROLLERS", "EXPERIMENTS", "Experiment"]

EXAMPLES: Final = Path(__file__).parent.parent / "examples"
CONTROLLERS: Final = ("none", "rfc-priority", "rfc-budget", "v6", "v8", "hweight")
CHANGING_FAIR: Final = ("v8", "hweight")
WINDOW: Final = 11
"""Batches among which, with weights of 1000 and 100, one is not of the heavier group."""
NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Experiment:
    """A row of the table.

    Attributes:
        name: of the scenario, behind `cgroup-`.
        what: is told of each run.
        due: what the weights ask for.
        published: what was told of a series, and of which.
        figure: says it of a run.
        policy: of the controllers that leave the choice.
    """

    name: str
    what: str
    due: str
    published: str
    figure: Callable[[RunResult], str]
    policy: str = "fair"


def rates(*clients: str) -> Callable[[RunResult], str]:
    """Tell cycles per second."""
    return lambda result: " / ".join(f"{_client(result, client).cycles_per_s:.0f}" for client in clients)


def frames(client: str) -> Callable[[RunResult], str]:
    """Tell frames per second, and how many periods were missed."""
    return lambda result: f"{_client(result, client).cycles_per_s:.1f} ({_client(result, client).missed_periods})"


def shares(*groups: str, engine: str = "rcs0") -> Callable[[RunResult], str]:
    """Tell what groups had of an engine, in percent."""

    def tell(result: RunResult) -> str:
        events = [event for event in result.events if event[1] != BATCH or event[2] == engine]
        of = {each.client: each.cgroup or "/" for each in result.workloads}
        had = group_shares(events, of, int(result.elapsed_s) * 1000).had
        return " / ".join(f"{100 * had[group][0]:.1f}" for group in groups)

    return tell


def moved_after(result: RunResult) -> str:
    """Tell how long it takes from a write until the window in focus has its share, on average, in ms."""
    batches = [(event[6], event[3]) for event in result.events if event[1] == BATCH]
    moments = sorted({each.at_s for each in result.changes})
    ends = [*moments[1:], result.elapsed_s]
    delays_ms: list[float] = []
    for number, (at_s, end_s) in enumerate(zip(moments, ends, strict=True)):
        focused = "left" if number % 2 else "right"
        after = [(start_ns, client) for start_ns, client in batches if at_s * 1e9 <= start_ns < end_s * 1e9]
        moved = (
            start_ns
            for place, (start_ns, client) in enumerate(after)
            if client == focused and [each for _, each in after[place : place + WINDOW]].count(focused) >= WINDOW - 1
        )
        moved_ns = next(moved, None)
        if moved_ns is None:
            return "never"
        delays_ms.append(moved_ns / NS_PER_MS - at_s * 1000)
    return f"{fmean(delays_ms):.1f}"


def _client(result: RunResult, name: str) -> WorkloadResult:
    return next(each for each in result.workloads if each.client == name)


EXPERIMENTS: Final = (
    Experiment(
        "foreground",
        "frames/s of the browser (missed)",
        "60",
        "45 without; 60 with priorities; budgets almost",
        frames("browser"),
        "fifo",
    ),
    Experiment("sessions", "frames/s, 100 : 100", "252 / 96", "v6: 252 / 96", rates("julia", "manhattan")),
    Experiment("sessions-50", "frames/s, 50 : 100", "168 / 128", "v6: 208 / 114", rates("julia", "manhattan")),
    Experiment("weights", "%, 100 : 100", "50.0", "v8: about equal", shares("/user/heaven")),
    Experiment("weights-100-1", "%, 100 : 1", "99.0", "", shares("/user/heaven")),
    Experiment("frames-100-1", "%, 100 : 1, each frame waited for", "", "v8: about 75", shares("/user/heaven")),
    Experiment("nested", "% of B / C / D", "16.7 / 16.7 / 66.7", "", shares("/A/B", "/A/C", "/D")),
    Experiment("nested-c-idle", "% of B / D", "33.3 / 66.7", "", shares("/A/B", "/D")),
    Experiment("nested-d-idle", "% of B / C", "50.0 / 50.0", "", shares("/A/B", "/A/C")),
    Experiment("crowd", "% of one beside fifty", "50.0", "", shares("/apps/one")),
    Experiment("churn", "% beside clients that come and go", "50.0", "", shares("/apps/steady")),
    Experiment("idle-engine", "%, 300 : 100, class half idle", "75.0", "", shares("/user/fast", engine="vcs0")),
    Experiment("long-jobs", "%, 300 : 100, of 2 ms beside 100 ms", "75.0", "", shares("/user/desktop")),
    Experiment("focus", "ms until shares have moved", "0", "", moved_after),
)


def main() -> None:
    """Print the table, in Markdown."""
    _print_row("experiment", "what is told", "asked for", "published", *CONTROLLERS)
    _print_row(*["---"] * (4 + len(CONTROLLERS)))
    for each in EXPERIMENTS:
        cells = [each.figure(_carried_out(each, controller)) for controller in CONTROLLERS]
        _print_row(f"`{each.name}`", each.what, each.due, each.published, *cells)


def _carried_out(experiment: Experiment, controller: str) -> RunResult:
    policy = "fair" if controller in CHANGING_FAIR else experiment.policy
    scenario = chosen_scenario(
        EXAMPLES / f"cgroup-{experiment.name}.toml", (), Overrides(controller=controller, policy=policy)
    )
    return run(scenario.setup(keep_events=True))


def _print_row(*cells: str) -> None:
    print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
