"""What the commands that run setups have in common: they carry them out, tell which files they wrote, and end."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from enum import IntEnum

import typer

from fencepost.lab.outputs import Outputs
from fencepost.lab.process import CtrlC, short_switch_interval
from fencepost.lab.progress import ProgressBar
from fencepost.lab.result import RunResult
from fencepost.lab.runner import run as run_setup
from fencepost.lab.screen import new_console
from fencepost.lab.setup import Setup

__all__ = ["Status", "carried_out", "end", "tell_files"]


class Status(IntEnum):
    """What the program says when it ends."""

    OK = 0
    FAILED = 1
    BAD_INPUT = 2
    DEADLOCK = 3
    INTERRUPTED = 130


def carried_out(setups: Sequence[Setup]) -> Sequence[RunResult]:
    """Run setups one after the other; the one that a Ctrl-C interrupts is the last."""
    results: list[RunResult] = []
    with ExitStack() as stack:
        stop = stack.enter_context(CtrlC())
        progress = stack.enter_context(ProgressBar(new_console(stderr=True), runs=len(setups)))
        if any(setup.world == "native" for setup in setups):
            stack.enter_context(short_switch_interval())
        for setup in setups:
            results.append(run_setup(setup, progress=progress, stop=stop))
            progress.next_run()
            if results[-1].interrupted:
                break
    return results


def tell_files(outputs: Outputs) -> None:
    """Say which files were written, where that is not in the way of the JSON text."""
    if not outputs.take_stdout:
        for option, path in outputs.files():
            typer.echo(f"{option.removeprefix('--')} in {path}")


def end(results: Sequence[RunResult]) -> None:
    """End the command with the status of its runs, and say what was not as it should be."""
    for result in results:
        if result.deadlock is not None:
            typer.echo(f"fencepost: deadlock under policy {result.policy}: {result.deadlock}", err=True)
        for violation in result.violations or ():
            typer.echo(f"fencepost: broken under policy {result.policy}: {violation}", err=True)
    if any(result.violations for result in results):
        raise typer.Exit(Status.FAILED)
    if any(result.interrupted for result in results):
        raise typer.Exit(Status.INTERRUPTED)
    if any(result.deadlock is not None for result in results):
        raise typer.Exit(Status.DEADLOCK)
