"""Private copies of the tree, and runs of its tests in them."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.mutants import telling
from bench.mutants.ways import Failure, Way

__all__ = ["Result", "Tree", "Trials"]

MEMORY_LIMIT: Final = 4 << 30
CPU_LIMIT_S: Final = 600
OBSERVERS_LIMIT_S: Final = 120.0
"""What the observers have not found by then they do not find; meanwhile one test after the other may hang."""

quiet_limit_s = 60.0
"""Pytest, which ends a test that hangs, hangs itself when it has said nothing for so long."""

COPIED: Final = ("fencepost", "tests", "bench", "pyproject.toml")
LOOK_EVERY_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a run.

    Attributes:
        noticed_by: the first test that failed and counts, or what else went wrong; None when nothing did.
        failures: all tests that failed.
        broke: how pytest ended, if not as it does when tests pass or fail.
    """

    noticed_by: str | None
    failures: tuple[Failure, ...]
    broke: str | None


class Tree:
    """A copy of the checkout, for one run after the other."""

    def __init__(self, checkout: Path, place: Path) -> None:
        self.place = place
        self.failures = place / "failures"
        self.output = place / "output"
        place.mkdir()
        for name in COPIED:
            if (checkout / name).is_dir():
                shutil.copytree(checkout / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(checkout / name, place)

    def write(self, path: str, text: str) -> None:
        """Replace a file of the package, also in the eyes of Python, which tells changes by the second."""
        file = self.place / "fencepost" / path
        file.write_text(text, "utf-8")
        for cached in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
            cached.unlink()

    def told(self) -> list[Failure]:
        """Read which tests have failed so far."""
        lines = self.failures.read_text("utf-8").splitlines(keepends=True)
        return [Failure(**json.loads(line)) for line in lines if line.endswith("\n")]


class Trials:
    """Runs of tests, each in a process group of its own. `stop` ends them all, from any thread.

    `_lock` protects the set of running processes; a leaf.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def run(
        self, tree: Tree, way: Way, changed: str = "", *, without: Sequence[str] = (), once: bool = False
    ) -> Result:
        """Run the tests of a way, those that are nearest to the changed file before the others.

        Args:
            tree: where.
            way: which tests, and how.
            changed: the path of the changed file.
            without: tests, and files of tests, that are left out.
            once: whether the first failure that counts is enough.
        """
        files = [name for name in way.files(tree.place, changed) if name not in without]
        command = [
            *(sys.executable, "-m", "pytest", *files, "-q", "--tb=short", *way.options),
            *("-p", "no:cacheprovider", "-p", "no:randomly", "-p", telling.__name__),
            *(f"--deselect={name}" for name in without if name not in files),
        ]
        tree.failures.write_text("")

        def noticed() -> Failure | None:
            return next((failure for failure in tree.told() if way.counts(failure)), None)

        deadline = time.monotonic() + OBSERVERS_LIMIT_S

        def is_known() -> bool:
            return once and (noticed() is not None or (way.observed and time.monotonic() > deadline))

        try:
            ended = self._run(command, tree, until=is_known)
            broke = None if ended in (None, 0, 1) else f"pytest itself, which ended with {ended}"
        except TimeoutError:
            broke = "it hangs"
        first = noticed()
        # What the observers are silent about they have not noticed, however badly it goes.
        otherwise = None if way.observed else broke
        return Result(otherwise if first is None else first.test, tuple(tree.told()), broke)

    def stop(self) -> None:
        """End what runs, and let nothing begin."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for process in running:
            end_group(process)

    def _run(self, command: Sequence[str], tree: Tree, *, until: Callable[[], bool]) -> int | None:
        """Return the exit status, or None when something was so before that; TimeoutError when it hangs."""
        # CI makes Hypothesis try the same examples for each mutant.
        environment = {**os.environ, "CI": "1", "PYTHONPATH": str(tree.place), telling.FILE: str(tree.failures)}
        with self._lock, tree.output.open("wb") as output:
            if self._stopped:
                return None
            process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                cwd=tree.place,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running.add(process)
        try:
            limit(process)
            return wait(process, tree.output, until)
        finally:
            end_group(process)
            with self._lock:
                self._running.discard(process)


def wait(process: subprocess.Popen[bytes], output: Path, until: Callable[[], bool]) -> int | None:
    """Return how a process ended, or None when something was so before that; TimeoutError when it says no more."""
    said, said_at = 0, time.monotonic()
    while not until():
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(LOOK_EVERY_S)
        if (size := output.stat().st_size) != said:
            said, said_at = size, time.monotonic()
        elif time.monotonic() - said_at > quiet_limit_s:
            raise TimeoutError
    return None


def limit(process: subprocess.Popen[bytes]) -> None:
    """Let a process that nobody ends any more end by itself, and before it takes all memory."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        resource.prlimit(process.pid, resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S + 5))
        resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process with all that it started. It leads a group, which outlives it as long as anybody is in there."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
