"""Private copies of the tree, and runs of its tests in them."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["FOLDERS", "Result", "Tree", "Trials"]

FOLDERS: Final = ("sync", "fences", "actors", "hw", "checks", "zoo")
"""Those of the tests that are asked."""

TEST_LIMIT_S: Final = 20
MEMORY_LIMIT: Final = 4 << 30
COPIED: Final = ("fencepost", "tests", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a run.

    Attributes:
        noticed_by: the first test that failed, or what else went wrong; None when nothing did.
        seconds: how long it took.
        failed: all tests that failed.
    """

    noticed_by: str | None
    seconds: float
    failed: tuple[str, ...] = ()


class Tree:
    """A copy of the checkout, for one run after the other."""

    def __init__(self, checkout: Path, place: Path) -> None:
        self.place = place
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


class Trials:
    """Runs of tests, each in a process group of its own. `stop` ends them all, from any thread.

    `_lock` protects the set of running processes; a leaf.
    """

    def __init__(self, folders: Sequence[str], limit_s: float) -> None:
        self._folders = folders
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def run(self, tree: Tree, changed: str = "", *, without: Sequence[str] = (), once: bool = False) -> Result:
        """Run the tests, those that are nearest to the changed file before the others.

        Args:
            tree: where.
            changed: the path of the changed file.
            without: tests, and files of tests, that are left out.
            once: whether the first test that fails is enough.
        """
        files = [name for name in self._files(tree.place, changed) if name not in without]
        command = [
            *(sys.executable, "-m", "pytest", *files),
            *("-q", "-p", "no:cacheprovider", "-p", "no:randomly", f"--timeout={TEST_LIMIT_S}", "--tb=no", "-rfE"),
            *(f"--deselect={name}" for name in without if name not in files),
            *(["-x"] if once else []),
        ]
        began = time.monotonic()
        with (tree.place / "output").open("w+b") as output:
            ended = self._run(command, tree.place, output.fileno())
            seconds = time.monotonic() - began
            output.seek(0)
            failed = failures(output.read().decode(errors="replace"))
        if ended == 0:
            return Result(None, seconds)
        if ended is None:
            return Result("the hard limit: it hangs", seconds)
        return Result(failed[0] if failed else f"pytest itself, which ended with {ended}", seconds, failed)

    def stop(self) -> None:
        """End what runs, and let nothing begin."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for process in running:
            end_group(process)

    def _files(self, place: Path, changed: str) -> list[str]:
        """List the files of tests: the room's, and of these the module's and those that search, come first."""
        room, module = changed.partition("/")[0], Path(changed).stem
        near = {f"test_{module}.py", "test_searched.py"}
        files = [path for folder in self._folders for path in sorted((place / "tests" / folder).rglob("test_*.py"))]
        names = [path.relative_to(place) for path in files]
        return [str(name) for name in sorted(names, key=lambda name: (name.parts[1] != room, name.name not in near))]

    def _run(self, command: Sequence[str], place: Path, output: int) -> int | None:
        """Return the exit status, or None when the time was up."""
        # CI makes Hypothesis try the same examples for each mutant.
        environment = {**os.environ, "CI": "1", "PYTHONPATH": str(place), "COLUMNS": "300"}
        with self._lock:
            if self._stopped:
                return None
            process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                cwd=place,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running.add(process)
        try:
            limit(process, self._limit_s)
            return process.wait(self._limit_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            end_group(process)
            with self._lock:
                self._running.discard(process)


def limit(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Let a process that nobody ends any more end by itself, and before it takes all memory."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        resource.prlimit(process.pid, resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 5))
        resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process with all that it started. It leads a group, which outlives it as long as anybody is in there."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def failures(output: str) -> tuple[str, ...]:
    """Return the tests that pytest's summary names."""
    kinds = ("FAILED ", "ERROR ")
    lines = (line for line in output.splitlines() if line.startswith(kinds))
    return tuple(line.partition(" ")[2].partition(" - ")[0].strip() for line in lines)
