"""Jobs that took their event ids one at a time, and gave them back when there were not enough.

That nobody starts for so many rounds is taken for "for ever": the circle is there, and a search that stayed in it until
the step limit would only take longer.
"""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.actors.resources import Resources
from fencepost.checks import Kind
from fencepost.checks.livelock import Livelocks
from fencepost.checks.waits import Stall
from fencepost.policies.resources import Pool
from fencepost.zoo.bug import Bug
from fencepost.zoo.event_ids import run_one_each

__all__ = ["BUG"]

IDS: Final = 4
NEEDED: Final = 3
JOBS: Final = 3
ROUNDS: Final = 3


def model(grab: str, runtime: Runtime) -> None:
    """Run three jobs, each of which needs more than half of the ids."""
    resources = Resources(grab, watches=[Livelocks(ROUNDS, fail)])
    run_one_each(runtime, resources, *[{Pool("event ids", IDS): NEEDED}] * JOBS)


def fail(stall: Stall) -> None:
    """End the run with a report."""
    raise AssertionError(str(stall))


BUG = Bug(
    name="event-ids-dropped-when-short",
    title=None,
    fix="foreseen in the thread on can_run_job, March 2023 (A. Lina); reachable just where holding them is a deadlock",
    symptom="jobs take and drop ids without end, none runs",
    interleaving="of four ids, two of three jobs that need three have two each; the first finds no third, and drops"
    " its own; one of the others takes them; then the second does the same; all are busy, none gets further",
    repair="take all the event ids of a job in one step",
    broken=lambda runtime: model("drop", runtime),
    fixed=lambda runtime: model("fifo", runtime),
    finds=frozenset({Kind.ASSERTION}),
)
