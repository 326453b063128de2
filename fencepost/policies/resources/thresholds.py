"""From how many jobs on ids that are taken one at a time can run out with no job complete.

With all but one of its ids each, jobs hold `sum(need - 1)` together. If there are no more than that, nobody gets its
last one: who keeps what it has waits for ever (a deadlock), who gives it back takes it again, for ever (a livelock).
With one id more, somebody always gets it. Who takes all its ids at once never holds but some of them.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["can_run_out", "fewest_that_run_out"]


def can_run_out(total: int, needs: Iterable[int]) -> bool:
    """Say whether jobs that take their ids one at a time, all at the same time, can get stuck.

    Args:
        total: how many ids there are.
        needs: how many each job needs; nobody needs more than there are.
    """
    return sum(need - 1 for need in needs) >= total


def fewest_that_run_out(total: int, need: int) -> int | None:
    """Return how many jobs that need so many can get stuck, at least; None where no number of them can."""
    return None if need == 1 else -(-total // (need - 1))
