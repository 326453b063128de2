"""`fencepost top`: who uses the GPU now, while a scenario runs."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated, TypeAlias

import typer

from fencepost.actors.cgroups import Cgroups
from fencepost.events.whole_file import whole_file
from fencepost.lab.command import end, tell_files
from fencepost.lab.logs import LogLevel, set_up_logs
from fencepost.lab.options import Controller, Json, Level, Policy, Scenario, Seconds, Seed, World
from fencepost.lab.outputs import Outputs
from fencepost.lab.overrides import Overrides, chosen_scenario, controller_of, policy_of
from fencepost.lab.process import CtrlC, short_switch_interval
from fencepost.lab.runner import StopFlag, run
from fencepost.lab.screen import new_console
from fencepost.lab.setup import Setup
from fencepost.lab.top.display import Blocks, Display, JsonLines, Painted
from fencepost.lab.top.meter import Sample
from fencepost.lab.top.watch import Pace, watch
from fencepost.sync import Gate

__all__ = ["top"]

Interval: TypeAlias = Annotated[
    float, typer.Option("-d", "--delay", metavar="S", min=0.01, max=3600, help="Time between samples.")
]
Iterations: TypeAlias = Annotated[
    int | None, typer.Option("-n", "--iterations", metavar="N", min=1, help="End after so many samples.")
]
Unpaced: TypeAlias = Annotated[
    bool, typer.Option("--unpaced", help="Let virtual time pass as fast as it can, and not as on the wall.")
]


def top(
    scenario: Scenario,
    *,
    delay: Interval = 1.0,
    iterations: Iterations = None,
    policy: Policy = None,
    controller: Controller = None,
    seconds: Seconds = None,
    world: World = None,
    seed: Seed = None,
    unpaced: Unpaced = False,
    json: Json = None,
    log_level: Level = LogLevel.ERROR,
) -> None:
    """Run a scenario and show live who uses the GPU, by client and by control group.

    It reads what a top of a real system reads, and nothing else: fdinfo of the clients, files of the groups. With
    --json it writes a line for each sample.
    """
    set_up_logs(log_level)
    overrides = Overrides(
        policy=None if policy is None else policy_of(policy),
        controller=None if controller is None else controller_of(controller),
        duration_s=seconds,
        world=world,
        seed=seed,
    )
    outputs = Outputs(json)
    outputs.check()
    setup = chosen_scenario(scenario, (), overrides).setup()
    with ExitStack() as stack:
        ctrl_c = stack.enter_context(CtrlC())
        if setup.world == "native":
            stack.enter_context(short_switch_interval())
        displays = [stack.enter_context(each) for each in _displays(setup, outputs, stack)]
        viewer = _Viewer([each.show for each in displays], iterations, ctrl_c)

        def look(tree: Cgroups, over: Gate) -> None:
            pace = None if unpaced or setup.world == "native" else Pace(viewer)
            watch(tree, over, delay, viewer.show, pace)

        result = run(setup, stop=viewer, beside=look)
    if not ctrl_c.is_set():
        for each in displays:
            each.recall()
    tell_files(outputs)
    end([replace(result, interrupted=ctrl_c.is_set())])


def _displays(setup: Setup, outputs: Outputs, stack: ExitStack) -> Iterator[Display]:
    title = setup.title if setup.controller == "none" else f"{setup.title}, {setup.controller}"
    if outputs.take_stdout:
        yield JsonLines(sys.stdout)
        return
    console = new_console()
    yield Painted(console, title) if console.is_terminal else Blocks(sys.stdout, title)
    if outputs.json is not None:
        yield JsonLines(codecs.getwriter("utf-8")(stack.enter_context(whole_file(outputs.json, "--json"))))


class _Viewer:
    """Shows samples until there were enough, or nobody looks any more. The stop flag of the run.

    Args:
        show: what shows one.
        iterations: how many are enough, or None.
        ctrl_c: another reason to end.
    """

    def __init__(self, show: Sequence[Callable[[Sample], object]], iterations: int | None, ctrl_c: StopFlag) -> None:
        self._show = show
        self._left = iterations
        self._ctrl_c = ctrl_c

    def is_set(self) -> bool:
        """Say whether the run is to end. Any context; never blocks."""
        return self._left == 0 or self._ctrl_c.is_set()

    def show(self, sample: Sample) -> None:
        """Show one more. By the task beside the run."""
        if self.is_set():
            return
        try:
            for show in self._show:
                show(sample)
        except BrokenPipeError:
            # Whoever reads has seen enough; nor is there anybody for what Python would write at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self._left = 0
        if self._left:
            self._left -= 1
