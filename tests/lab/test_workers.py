"""Worker processes: all tasks are done, and a worker that dies takes only its own."""

from __future__ import annotations

import os
import signal

from fencepost.lab.workers import Died, Workers


def squared_unless_odd(number: int) -> int:
    """Do a task that kills its worker when it is odd."""
    if number % 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def never() -> bool:
    return False


def test_every_task_is_done_once() -> None:
    with Workers(squared_unless_odd, 2) as workers:
        assert dict(workers.results([0, 2, 4, 6], never)) == {0: 0, 2: 4, 4: 16, 6: 36}


def test_a_worker_that_is_killed_takes_only_its_own_task() -> None:
    with Workers(squared_unless_odd, 1) as workers:
        results = dict(workers.results([2, 3, 4], never))
    assert results == {2: 4, 3: Died(-signal.SIGKILL), 4: 16}
    assert str(results[3]) == "the worker was killed by SIGKILL"


def test_nothing_is_begun_when_stopped() -> None:
    with Workers(squared_unless_odd, 1) as workers:
        assert not list(workers.results([2], lambda: True))
