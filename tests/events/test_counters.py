from __future__ import annotations

from fencepost.events import Event
from fencepost.events.counters import ring_levels
from fencepost.events.kinds import JOB_DONE, JOB_QUEUE, JOB_RUN


def queue(time_ns: int, seqno: int) -> Event:
    return (time_ns, JOB_QUEUE, "rcs0", "e", "game", 4, seqno, 0, 0)


def handed_over(time_ns: int, seqno: int, credits_in_use: int) -> Event:
    return (time_ns, JOB_RUN, "rcs0", "e", "game", 4, seqno, 0, credits_in_use)


def done(time_ns: int, seqno: int) -> Event:
    return (time_ns, JOB_DONE, "rcs0", 4, seqno, 0)


def levels(*events: Event) -> list[tuple[int, int]]:
    return [(level.queued_jobs, level.credits_in_use) for level in ring_levels(events)]


def test_a_job_gives_back_the_credits_it_took() -> None:
    assert levels(queue(0, 1), queue(1, 2), handed_over(2, 1, 3), handed_over(3, 2, 4), done(4, 1), done(5, 2)) == [
        (1, 0),
        (2, 0),
        (1, 3),
        (0, 4),
        (0, 1),
        (0, 0),
    ]


def test_a_killed_job_is_no_longer_queued() -> None:
    assert levels(queue(0, 1), done(1, 1)) == [(1, 0), (0, 0)]


def test_jobs_whose_push_was_dropped_do_not_count() -> None:
    assert levels(handed_over(0, 1, 1), done(1, 1), done(2, 9)) == [(0, 1), (0, 0), (0, 0)]


def test_a_run_ends_with_empty_rings(run: list[Event]) -> None:
    last = {level.ring: (level.queued_jobs, level.credits_in_use) for level in ring_levels(run)}
    assert last == {"rcs0": (0, 0), "vcs0": (0, 0)}
