"""What a person sees of a run: the clients, the engines, and a line of totals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import Console, RenderableType
from rich.text import Text

from fencepost.lab.cgroup_report import groups, remarks
from fencepost.lab.loss_report import losses
from fencepost.lab.result import EngineResult, RunResult, WorkloadResult
from fencepost.lab.screen import name, new_table
from fencepost.lab.spelling import NONE, count, figure, milliseconds, percent

__all__ = ["print_run"]

MOST_TAKERS = 4
"""How many clients are named for each engine."""


def print_run(console: Console, result: RunResult) -> None:
    """Print all that the JSON file tells, except for what is zero or nothing as it should be."""
    for part in _parts(result):
        console.print(part)


def _parts(result: RunResult) -> Iterator[RenderableType]:
    yield Text(result.title, style="bold")
    yield Text(f"{_who(result)}, {result.submission} submission, {_where(result)}, seed {result.seed}\n")
    yield _clients(result)
    yield Text()
    yield _engines(result)
    yield from groups(result)
    yield from losses(result)
    yield Text(f"\n{_totals(result)}\n{_speed(result)}")
    yield from (Text(line, style="yellow") for line in _remarks(result))


def _who(result: RunResult) -> str:
    controller = "" if result.driver is None else f", controller {result.controller}, driver {result.driver}"
    return f"{result.policy} policy{controller}"


def _where(result: RunResult) -> str:
    return f"{result.world} world, {result.dispatch} dispatch"


def _clients(result: RunResult) -> RenderableType:
    # A client that is called as its workload says so once.
    tell_workload = any(not each.client.startswith(each.name) for each in result.workloads)
    headings = ["client", *(["workload"] if tell_workload else []), *(["group"] if result.cgroups else [])]
    table = new_table(*headings)
    for heading in ("cycles", "per s", "missed", "avg ms", "p50", "p99", "max", "GPU s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in result.workloads:
        names = [each.client, *([each.name] if tell_workload else []), *([each.cgroup] if each.cgroup else [])]
        table.add_row(*map(name, names), *_figures(each))
    return table


def _figures(result: WorkloadResult) -> Iterator[str]:
    yield count(result.cycles)
    yield figure(result.cycles_per_s)
    yield count(result.missed_periods)
    yield from _times(result)
    yield figure(sum(result.gpu_time_us.values()) / 1e6)


def _times(result: WorkloadResult) -> list[str]:
    spread = result.time_us
    if spread is None:
        return [NONE] * 4
    return [milliseconds(time_us) for time_us in (spread.avg, spread.p50, spread.p99, spread.max)]


def _engines(result: RunResult) -> RenderableType:
    table = new_table("engine")
    for heading in ("jobs", "busy s", "busy %"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("% taken by")
    for each in result.engines:
        figures = (count(each.jobs), figure(each.busy_us / 1e6), f"{each.busy_pct:.1f}")
        table.add_row(name(each.name), *figures, Text(_takers(each, result)))
    return table


def _takers(engine: EngineResult, result: RunResult) -> str:
    """Name the clients that took an engine, with the percentage that each had of the run's time."""
    taken = {each.client: each.gpu_time_us.get(engine.name, 0.0) for each in result.workloads}
    takers = sorted(filter(taken.get, taken), key=lambda client: -taken[client])
    named = [f"{client} {_share(taken[client], engine)}" for client in takers[:MOST_TAKERS]]
    more = len(takers) - len(named)
    return ", ".join([*named, f"{more} more"] if more else named)


def _share(taken_us: float, engine: EngineResult) -> str:
    return percent(taken_us / engine.busy_us * engine.busy_pct / 100 if engine.busy_us else 0.0)


def _totals(result: RunResult) -> str:
    statistics = result.statistics
    bad: Mapping[str, int] = {
        "errored": statistics.jobs_errored,
        "cancelled": statistics.jobs_cancelled,
        "threads left": statistics.tasks_left,
    }
    return ", ".join(
        [
            f"{count(statistics.jobs_submitted)} jobs",
            f"{count(statistics.fences_armed)} fences",
            f"{count(statistics.tasks_started)} {'greenlets' if result.world == 'virtual' else 'threads'}",
            *(f"{count(number)} {what}" for what, number in bad.items() if number),
        ]
    )


def _speed(result: RunResult) -> str:
    if result.world != "virtual":
        return f"{figure(result.elapsed_s)} s of real time"
    speed = f", {figure(result.elapsed_s / result.wall_s)} times real time" if result.wall_s else ""
    return f"{figure(result.elapsed_s)} s of virtual time in {figure(result.wall_s)} s{speed}"


def _remarks(result: RunResult) -> Iterator[str]:
    yield from remarks(result)
    for each in result.workloads:
        yield from (f"{each.client}: no effect: {reason}" for reason in each.no_effect)
