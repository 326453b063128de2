from __future__ import annotations

import re
from pathlib import Path

import pytest

from fencepost.events import Event
from fencepost.events.ftrace import write_ftrace
from fencepost.events.kinds import (
    BATCH,
    JOB_ADD_DEP,
    JOB_DONE,
    JOB_QUEUE,
    JOB_RUN,
    JOB_TIMEDOUT,
    JOB_UNSCHEDULABLE,
    RECOVERED,
)

COUNTS = r"dev=gpu0, fence=\d+:\d+, ring=\w+, job count:\d+, hw job count:\d+, client_id:\d+"
PRINTED = {
    "drm_sched_job_queue": COUNTS,
    "drm_sched_job_run": COUNTS,
    "drm_sched_job_add_dep": r"fence=\d+:\d+ depends on fence=\d+:\d+",
    "drm_sched_job_unschedulable": r"fence=\d+:\d+ depends on unsignalled fence=\d+:\d+",
    "drm_sched_job_done": r"fence=\d+:\d+ signaled",
}
LINE = re.compile(r" *(?P<task>.+)-(?P<pid>\d+) +\[000\] \.{5} +(?P<time>\d+\.\d{6}): (?P<event>\w+): (?P<text>.*)")


def lines(events: list[Event], path: Path) -> list[str]:
    write_ftrace(events, path, dev="gpu0")
    return [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]


def test_every_line_is_an_event_as_the_kernel_prints_it(run: list[Event], tmp_path: Path) -> None:
    matches = [LINE.fullmatch(line) for line in lines(run, tmp_path / "out.txt")]
    assert {match and match["event"] for match in matches} == set(PRINTED)
    assert all(match and re.fullmatch(PRINTED[match["event"]], match["text"]) for match in matches)


def test_the_lines_are_in_the_order_of_time(run: list[Event], tmp_path: Path) -> None:
    times = [line.split()[3] for line in lines(run[::-1], tmp_path / "out.txt")]
    assert times == sorted(times, key=lambda time: float(time[:-1]))


def test_the_path_of_a_job_reads_as_in_the_kernel(tmp_path: Path) -> None:
    events: list[Event] = [
        (1_000_001_999, JOB_QUEUE, "rcs0", "e", "a client of a long name", 8, 1, 2, 3),
        (1_000_002_000, JOB_ADD_DEP, 8, 1, 6, 5),
        (1_000_003_000, JOB_UNSCHEDULABLE, 8, 1, 6, 5),
        (1_000_004_000, JOB_RUN, "rcs0", "e", "a client of a long name", 8, 1, 0, 1),
        (1_000_005_000, BATCH, "rcs0", "a client of a long name", 8, 1, 0, 1),
        (1_000_006_000, JOB_DONE, "rcs0", 8, 1, 0),
    ]
    job = "dev=gpu0, fence=8:1, ring=rcs0, job count:{}, hw job count:{}, client_id:1"
    client, worker = " a client of a l-1000    [000] .....", "    kworker/rcs0-1001    [000] ....."
    assert lines(events, tmp_path / "out.txt") == [
        f"{client}     1.000001: drm_sched_job_queue: {job.format(2, 3)}",
        f"{client}     1.000002: drm_sched_job_add_dep: fence=8:1 depends on fence=6:5",
        f"{worker}     1.000003: drm_sched_job_unschedulable: fence=8:1 depends on unsignalled fence=6:5",
        f"{worker}     1.000004: drm_sched_job_run: {job.format(0, 1)}",
        f"{worker}     1.000006: drm_sched_job_done: fence=8:1 signaled",
    ]


def test_no_client_is_the_kernels(tmp_path: Path) -> None:
    event: Event = (0, JOB_QUEUE, "rcs0", "e", "", 8, 1, 0, 0)
    (line,) = lines([event], tmp_path / "out.txt")
    assert line.strip().startswith("fencepost-1000")
    assert line.endswith("client_id:0")


@pytest.mark.parametrize("kind", [JOB_ADD_DEP, JOB_UNSCHEDULABLE])
def test_a_task_that_is_not_known_is_printed_as_ftrace_does(tmp_path: Path, kind: str) -> None:
    (line,) = lines([(0, kind, 8, 1, 6, 5)], tmp_path / "out.txt")
    assert line.strip().startswith("<...>-")


def test_the_header_counts_the_entries(run: list[Event], tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    entries = len(lines(run, path))
    assert f"# entries-in-buffer/entries-written: {entries}/{entries}   #P:1\n" in path.read_text("utf-8")


def test_what_the_kernel_has_no_event_for_is_left_out(tmp_path: Path) -> None:
    events: list[Event] = [(0, JOB_TIMEDOUT, "rcs0", 8, 1), (1, RECOVERED, "rcs0", 8, 1, "reset", 0)]
    assert lines(events, tmp_path / "out.txt") == []
