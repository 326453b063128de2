"""Jobs that took their event ids one at a time, and kept them while they waited for more."""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.actors.resources import Resources
from fencepost.checks import Kind
from fencepost.policies.resources import Pool
from fencepost.zoo.bug import Bug
from fencepost.zoo.event_ids import run_one_each

__all__ = ["BUG"]

IDS: Final = 4
NEEDED: Final = 3
JOBS: Final = 2


def model(grab: str, runtime: Runtime) -> None:
    """Run two jobs, each of which needs more than half of the ids."""
    run_one_each(runtime, Resources(grab), *[{Pool("event ids", IDS): NEEDED}] * JOBS)


BUG = Bug(
    name="event-ids-held-one-by-one",
    title=None,
    fix="foreseen in the thread on can_run_job, March 2023 (A. Lina); reachable where the sum of (needed - 1) over the"
    " jobs is no less than the ids",
    symptom="all ids are held, no job runs",
    interleaving="of four ids, two jobs that need three have taken two each; either waits for one that the other holds",
    repair="take all the event ids of a job in one step",
    broken=lambda runtime: model("hold", runtime),
    fixed=lambda runtime: model("fifo", runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
