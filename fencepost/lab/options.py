"""The options of the commands, each with its bounds and its line of help. Shared, so that one word means one thing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from fencepost.actors.cgroups import CONTROLLERS
from fencepost.lab.logs import LogLevel
from fencepost.policies import POLICIES

__all__ = [
    "Clients",
    "Controller",
    "Controllers",
    "CreditLimit",
    "Dispatch",
    "Engines",
    "Json",
    "Level",
    "OptionalScenario",
    "Plot",
    "Policies",
    "Policy",
    "Repeats",
    "Scenario",
    "Seconds",
    "Seed",
    "Submission",
    "Trace",
    "Version",
    "Workers",
    "Workloads",
    "World",
]

_SCENARIO = typer.Argument(metavar="SCENARIO.toml", help="Clients, and the GPU they share.")

Version: TypeAlias = Annotated[bool, typer.Option("--version", help="Print the version.")]
Scenario: TypeAlias = Annotated[Path, _SCENARIO]
OptionalScenario: TypeAlias = Annotated[Path | None, _SCENARIO]
Workloads: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("-w", "--workload", metavar="FILE.wsim", help="A client more, with this workload. May be repeated."),
]
Clients: TypeAlias = Annotated[
    int | None, typer.Option("-c", "--clients", metavar="N", min=1, max=100_000, help="Clones of each client.")
]
Repeats: TypeAlias = Annotated[
    int | None, typer.Option("-r", "--repeats", metavar="N", min=1, help="Cycles of each client in the foreground.")
]
Seconds: TypeAlias = Annotated[
    float | None,
    typer.Option("-s", "--seconds", metavar="S", min=1e-6, max=86_400, help="Begin no further cycle after this time."),
]
Policy: TypeAlias = Annotated[
    str | None, typer.Option(metavar="NAME", help=f"Who runs next: {', '.join(POLICIES)}. Default: fair.")
]
Policies: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="NAME,...", help="Who runs next. Default: all; of several controllers, the scenario's."),
]
Controller: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="NAME", help=f"Who divides GPU time among control groups: {', '.join(CONTROLLERS)}."),
]
Controllers: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,...",
        help=f"Who divides GPU time among control groups: {', '.join(CONTROLLERS)}. Default: the scenario's.",
    ),
]
Engines: TypeAlias = Annotated[
    str | None, typer.Option(metavar="CLASS=N,...", help="Engines of the GPU, such as rcs=1,vcs=2.")
]
Submission: TypeAlias = Annotated[
    Literal["ring", "guc", "doorbell"] | None,
    typer.Option(
        metavar="NAME",
        help="How jobs get to the hardware: ring (one for each engine), guc (firmware schedules), doorbell (user"
        " queues). Default: ring.",
    ),
]
CreditLimit: TypeAlias = Annotated[
    int | None,
    typer.Option("--credits", metavar="N", min=1, max=100_000, help="Jobs on one ring at a time. Default: 2."),
]
World: TypeAlias = Annotated[
    Literal["native", "virtual"] | None,
    typer.Option(
        metavar="NAME", help="native: threads, wall clock; virtual: one order, virtual time. Default: native."
    ),
]
Dispatch: TypeAlias = Annotated[
    Literal["thread", "workqueue"] | None,
    typer.Option(metavar="NAME", help="thread: one for each actor; workqueue: a few for all. Default: thread."),
]
Workers: TypeAlias = Annotated[
    int | None, typer.Option(metavar="N", min=1, max=1000, help="Threads of the workqueue dispatch. Default: 1.")
]
Seed: TypeAlias = Annotated[
    int | None, typer.Option(metavar="N", min=0, help="Of all that is drawn at random. Default: 1.")
]
Trace: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="OUT.pftrace|.txt", help="Write a trace: for Perfetto, or as ftrace text.")
]
Plot: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="OUT.png", help="Draw what the engines did, and how long cycles took.")
]
Json: TypeAlias = Annotated[
    str | None, typer.Option(metavar="FILE|-", help="Write the results as JSON; - prints that and no tables.")
]
Level: TypeAlias = Annotated[
    LogLevel, typer.Option("--log-level", metavar="LEVEL", help="debug, info, warning or error, to standard error.")
]
