"""The program itself, interrupted in the middle of a run."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence

__all__ = ["interrupted"]

# Says on standard error when a certain run is under way: then a test may press Ctrl-C. Those before it are short.
MAIN_TELLING = """
import sys
from dataclasses import replace
from fencepost.lab import cli, command

told_in = int(sys.argv.pop(1))
runs = []

def told(setup, *, progress, stop, run=command.run_setup):
    runs.append(setup)
    def tell(now):
        if len(runs) == told_in:
            print("running", file=sys.stderr, flush=True)
        progress(now)
    return run(setup if len(runs) == told_in else replace(setup, duration_s=0.05), progress=tell, stop=stop)

command.run_setup = told
cli.main()
"""


def interrupted(args: Sequence[str], *, run: int = 1) -> bytes:
    """Start the program, press Ctrl-C when run number `run` is under way, and return what it printed."""
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", MAIN_TELLING, str(run), *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"running\n"
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    return out
