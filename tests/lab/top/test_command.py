from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fencepost.lab.cli import app

ROOT = Path(__file__).parents[3]
NESTED = str(ROOT / "examples/cgroup-nested.toml")
DEMO = str(ROOT / "examples/demo.toml")


def top(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["top", *arguments])


def samples(*arguments: str) -> list[dict[str, Any]]:
    result = top(*arguments, "--unpaced", "--json", "-")
    assert (result.exit_code, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_pipe_gets_a_block_for_each_sample() -> None:
    result = top(NESTED, "-d", "0.2", "-n", "2", "--unpaced")
    assert (result.exit_code, result.stderr) == (0, "")
    first, second = result.stdout.split("\n\nA tree of groups - ")
    assert first.startswith("A tree of groups - 0.2 s\n\nDRM minor 0: i915 0000:01:00.0\n   PID ")
    assert second.startswith("0.4 s\n")
    assert "\x1b" not in result.stdout


def test_groups_have_the_shares_that_a_controller_gives_them() -> None:
    (sample,) = samples(NESTED, "-d", "5", "-n", "1", "--controller", "hweight")
    shares = {group["path"]: group["share_pct"] for group in sample["groups"]}
    assert shares == pytest.approx({"/": 100, "/A": 100 / 3, "/A/B": 100 / 6, "/A/C": 100 / 6, "/D": 200 / 3}, abs=1)


def test_usage_of_the_clients_is_that_of_their_groups() -> None:
    for sample in samples(NESTED, "-d", "0.5", "-n", "3"):
        (device,) = sample["devices"]
        by_name = {client["name"]: sum(client["engines"].values()) for client in device["clients"]}
        by_path = {group["path"]: group["usage_pct"] for group in sample["groups"]}
        # A file of control groups tells whole microseconds.
        assert by_path["/A/B"] == pytest.approx(by_name["b"], abs=0.001)
        assert by_path["/"] == pytest.approx(sum(by_name.values()), abs=0.001)


def test_the_same_run_shows_the_same_samples() -> None:
    assert samples(DEMO, "-d", "0.1", "-n", "5") == samples(DEMO, "-d", "0.1", "-n", "5")


def test_a_run_ends_by_itself() -> None:
    assert [sample["time_s"] for sample in samples(DEMO, "-d", "0.25", "-s", "1")] == [0.25, 0.5, 0.75, 1.0]


def test_no_more_samples_are_shown_than_were_asked_for(tmp_path: Path) -> None:
    """The only client sleeps, and learns a second late that all is over."""
    sleeper = tmp_path / "sleeper.toml"
    client = '[[client]]\nname = "sleeper"\nsteps = "d.1000000"\n'
    sleeper.write_text(f'world = "virtual"\nduration_s = 9\n{client}', "utf-8")
    assert [sample["time_s"] for sample in samples(str(sleeper), "-d", "0.25", "-n", "2")] == [0.25, 0.5]


def test_clients_without_control_groups_have_no_tree() -> None:
    result = top(DEMO, "-d", "0.2", "-n", "1", "--unpaced")
    assert "GROUP" not in result.stdout
    assert "hog" in result.stdout


def test_other_drivers_have_names_of_their_own_for_engines() -> None:
    result = top(NESTED, "-d", "0.2", "-n", "1", "--unpaced", "--controller", "v8")
    assert "DRM minor 0: amdgpu" in result.stdout
    assert "gfx" in result.stdout


def test_a_native_run_is_shown_as_well() -> None:
    result = top(DEMO, "-d", "0.05", "-n", "2", "--world", "native")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.count("DRM minor 0") == 2


def test_json_goes_into_a_file_beside_the_blocks(tmp_path: Path) -> None:
    result = top(DEMO, "-d", "0.1", "-n", "3", "--unpaced", "--json", str(tmp_path / "top.json"))
    assert result.stdout.count("DRM minor 0") == 3
    assert result.stdout.endswith(f"json in {tmp_path / 'top.json'}\n")
    lines = (tmp_path / "top.json").read_text("utf-8").splitlines()
    assert [json.loads(line)["time_s"] for line in lines] == [0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["nowhere.toml"], "nowhere.toml: found no file to read", id="no file"),
        pytest.param([DEMO, "-d", "0"], "'-d'", id="no time between samples"),
        pytest.param([DEMO, "-n", "0"], "'-n'", id="no samples"),
        pytest.param([DEMO, "--controller", "budget"], '--controller: found "budget"', id="unknown controller"),
        pytest.param([DEMO, "--policy", "fifo", "--controller", "hweight"], "expected fair", id="forbidden policy"),
        pytest.param([DEMO, "--json", "/nowhere/top.json"], "--json: found /nowhere/top.json", id="no directory"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(arguments: list[str], said: str) -> None:
    result = top(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


# A terminal.


class Terminal:
    """A program on a terminal of 100 by 30."""

    def __init__(self, *arguments: str) -> None:
        self._master, self._slave = pty.openpty()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.before = self.settings()
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "fencepost", "top", *arguments],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            cwd=ROOT,
            process_group=0,
        )
        self.output = b""

    def settings(self) -> object:
        return termios.tcgetattr(self._slave)

    def read_until(self, what: bytes | None) -> None:
        """Read on until something was written, or the program has ended."""
        while what is None or what not in self.output:
            ended = self.process.poll() is not None
            if select.select([self._master], [], [], 0.05)[0]:
                self.output += os.read(self._master, 65536)
            elif ended:
                return

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)
        os.close(self._slave)


@contextmanager
def terminal(*arguments: str) -> Generator[Terminal]:
    made = Terminal(*arguments)
    try:
        yield made
    finally:
        made.close()


def assert_as_before(screen: Terminal) -> None:
    """Check that the program has left its own screen, shows the cursor and has changed no settings."""
    output = screen.output
    assert output.count(b"\x1b[?1049h") == output.count(b"\x1b[?1049l") == 1
    assert output.count(b"\x1b[?25l") == output.count(b"\x1b[?25h") == 1
    assert screen.settings() == screen.before


@pytest.mark.slow
def test_a_terminal_is_painted_and_keeps_the_last_sample() -> None:
    with terminal(NESTED, "-d", "0.3", "-n", "2") as screen:
        screen.read_until(None)
        assert screen.process.wait() == 0
        assert_as_before(screen)
        left = screen.output[screen.output.index(b"\x1b[?1049l") :].decode()
    assert "A tree of groups - 0.6 s" in left
    assert "A tree of groups - 0.3 s" not in left


@pytest.mark.slow
@pytest.mark.parametrize("world", ["virtual", "native"])
def test_ctrl_c_leaves_the_terminal_as_it_was(world: str) -> None:
    """In the midst of a long interval, too: nobody waits for its end."""
    with terminal(NESTED, "-d", "0.2", "--world", world, "-s", "3600") as screen:
        screen.read_until(b"DRM minor")
        os.killpg(screen.process.pid, signal.SIGINT)
        screen.read_until(None)
        assert screen.process.wait() == 130
        assert_as_before(screen)
        assert screen.output.endswith(b"\x1b[?1049l") or b"DRM minor" not in screen.output.partition(b"\x1b[?1049l")[2]


@pytest.mark.slow
def test_whoever_reads_no_further_ends_it_quietly() -> None:
    command = [sys.executable, "-m", "fencepost", "top", DEMO, "-d", "0.05", "--unpaced", "-s", "3600"]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"A game and a player beside a hog - 0.1 s\n"
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0
