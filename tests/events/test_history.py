from __future__ import annotations

import errno

from fencepost.events import Event
from fencepost.events.history import Batch, JobHistory, by_time, job_histories, phases
from fencepost.events.kinds import BATCH, JOB_DONE, JOB_QUEUE, JOB_RUN, JOB_UNSCHEDULABLE

QUEUED: Event = (10, JOB_QUEUE, "rcs0", "e", "game", 4, 1, 0, 0)
RUN: Event = (40, JOB_RUN, "rcs0", "e", "game", 4, 1, 0, 1)
DONE: Event = (100, JOB_DONE, "rcs0", 4, 1, 0)


def names(events: list[Event], end_ns: int = 100) -> list[tuple[str, int, int]]:
    jobs = job_histories(events)
    return [(phase.name, phase.start_ns, phase.end_ns) for phase in phases(jobs[4, 1], jobs, end_ns)]


def test_a_job_is_brought_together() -> None:
    batch: Event = (90, BATCH, "rcs0", "game", 4, 1, 50, 90)
    jobs = job_histories([QUEUED, RUN, batch, (100, JOB_DONE, "rcs0", 4, 1, -errno.EIO)])
    assert jobs == {
        (4, 1): JobHistory((4, 1), "rcs0", "e", "game", 10, 40, 100, -errno.EIO, batches=[Batch("rcs0", 50, 90)])
    }


def test_a_preempted_job_has_all_its_phases() -> None:
    batches: list[Event] = [(60, BATCH, "rcs0", "game", 4, 1, 50, 60), (90, BATCH, "rcs0", "game", 4, 1, 70, 90)]
    assert names([QUEUED, RUN, *batches, DONE]) == [
        ("queued", 10, 40),
        ("on ring", 40, 50),
        ("running", 50, 60),
        ("preempted", 60, 70),
        ("running", 70, 90),
        ("completing", 90, 100),
    ]


def test_a_job_waits_until_the_job_it_depends_on_is_done() -> None:
    wait: Event = (20, JOB_UNSCHEDULABLE, 4, 1, 6, 7)
    other: Event = (30, JOB_DONE, "vcs0", 6, 7, 0)
    assert names([QUEUED, wait, other, RUN, DONE])[:3] == [("queued", 10, 20), ("waiting", 20, 30), ("queued", 30, 40)]


def test_a_job_waits_for_a_scheduled_fence_until_that_job_runs() -> None:
    wait: Event = (20, JOB_UNSCHEDULABLE, 4, 1, 5, 7)
    other: Event = (25, JOB_RUN, "rcs0", "f", "game", 6, 7, 0, 1)
    assert names([QUEUED, wait, other, RUN, DONE])[1] == ("waiting", 20, 25)


def test_a_job_waits_for_a_foreign_fence_until_it_runs() -> None:
    assert names([QUEUED, (20, JOB_UNSCHEDULABLE, 4, 1, 99, 1), RUN, DONE])[1:] == [
        ("waiting", 20, 40),
        ("on ring", 40, 100),
    ]


def test_a_job_that_is_not_done_is_what_it_was_last() -> None:
    assert names([QUEUED], end_ns=70) == [("queued", 10, 70)]


def test_a_job_whose_push_was_dropped_begins_with_its_run() -> None:
    jobs = job_histories([RUN, DONE])
    assert jobs[4, 1].start_ns == 40
    assert names([RUN, DONE]) == [("on ring", 40, 100)]


def test_events_of_one_time_keep_their_order() -> None:
    assert by_time([(5, "b"), (1, "z"), (5, "a")]) == [(1, "z"), (5, "b"), (5, "a")]
