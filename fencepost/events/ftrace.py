"""Events as the text that ftrace prints for the kernel's stable gpu_scheduler events.

These tell the path of jobs: queued, dependencies, run, done. What engines and clients did has no such event and is left
out.
Times are cut to microseconds, as ftrace does. A client is a task and so is the worker of a ring; the CPU is always 0.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from fencepost.events.history import FenceId, by_time
from fencepost.events.kinds import JOB_ADD_DEP, JOB_DONE, JOB_QUEUE, JOB_RUN, JOB_UNSCHEDULABLE, Event
from fencepost.events.whole_file import whole_file

__all__ = ["write_ftrace"]

FIRST_PID: Final = 1000
LONGEST_COMM: Final = 15
"""The kernel keeps so much of the name of a task."""
UNKNOWN: Final = "<...>"
"""What ftrace prints for a task it did not get to know."""
NO_CLIENT: Final = "fencepost"
"""The task that pushes for no client."""

_HEADER: Final = """\
# tracer: nop
#
# entries-in-buffer/entries-written: {entries}/{entries}   #P:1
#
#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
"""


def write_ftrace(events: Iterable[Event], path: str | os.PathLike[str], *, dev: str = "fencepost") -> None:
    """Write events as ftrace text.

    Args:
        events: those that ftrace does not know are passed over.
        path: where to.
        dev: what the events call the device.

    Raises:
        BadInput: when the file cannot be written.
    """
    lines = list(_Printer(dev).lines(by_time(events)))
    with whole_file(path, "--trace") as file:
        file.write(_HEADER.format(entries=len(lines)).encode())
        file.writelines(line.encode() for line in lines)


class _Printer:
    """Prints events one by one, and remembers whose each job is."""

    def __init__(self, dev: str) -> None:
        self._dev = dev
        self._pids: dict[str, int] = {}
        self._client_ids: dict[str, int] = {"": 0}  # which the kernel takes for itself
        self._pushed_by: dict[FenceId, str] = {}
        self._run_by: dict[FenceId, str] = {}
        self._printers: dict[str, Callable[..., tuple[str, str]]] = {
            JOB_QUEUE: self._job_queue,
            JOB_ADD_DEP: self._job_add_dep,
            JOB_UNSCHEDULABLE: self._job_unschedulable,
            JOB_RUN: self._job_run,
            JOB_DONE: self._job_done,
        }

    def lines(self, events: Iterable[Event]) -> Iterator[str]:
        for time_ns, kind, *fields in events:
            printer = self._printers.get(kind)
            if printer is not None:
                task, text = printer(*fields)
                seconds, microseconds = divmod(time_ns // 1000, 1_000_000)
                yield f"{self._task(task)} [000] ..... {seconds:5}.{microseconds:06}: drm_sched_{kind}: {text}\n"

    def _task(self, name: str) -> str:
        pid = self._pids.setdefault(name, FIRST_PID + len(self._pids))
        return f"{name[:LONGEST_COMM]:>16}-{pid:<7}"

    # Each returns the task that the event happened in, and its fields as text.

    def _job_queue(
        self, ring: str, _entity: str, client: str, context: int, seqno: int, *counts: int
    ) -> tuple[str, str]:
        fence = context, seqno
        self._pushed_by[fence] = task = client or NO_CLIENT
        self._run_by[fence] = _worker(ring)
        return task, self._job(ring, client, fence, *counts)

    def _job_run(self, ring: str, _entity: str, client: str, context: int, seqno: int, *counts: int) -> tuple[str, str]:
        return _worker(ring), self._job(ring, client, (context, seqno), *counts)

    def _job_add_dep(self, context: int, seqno: int, on_context: int, on_seqno: int) -> tuple[str, str]:
        task = self._pushed_by.get((context, seqno), UNKNOWN)
        return task, f"fence={context}:{seqno} depends on fence={on_context}:{on_seqno}"

    def _job_unschedulable(self, context: int, seqno: int, on_context: int, on_seqno: int) -> tuple[str, str]:
        task = self._run_by.get((context, seqno), UNKNOWN)
        return task, f"fence={context}:{seqno} depends on unsignalled fence={on_context}:{on_seqno}"

    def _job_done(self, ring: str, context: int, seqno: int, _error: int) -> tuple[str, str]:
        return _worker(ring), f"fence={context}:{seqno} signaled"

    def _job(self, ring: str, client: str, fence: FenceId, queued_jobs: int, credits_in_use: int) -> str:
        context, seqno = fence
        client_id = self._client_ids.setdefault(client, len(self._client_ids))
        return (
            f"dev={self._dev}, fence={context}:{seqno}, ring={ring}, job count:{queued_jobs}, "
            f"hw job count:{credits_in_use}, client_id:{client_id}"
        )


def _worker(ring: str) -> str:
    """Name the task that runs the jobs of a ring."""
    return f"kworker/{ring}"
