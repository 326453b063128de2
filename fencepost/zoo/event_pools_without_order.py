"""Jobs that took from two pools, each in the order that suited it.

No lock is held while either waits, so whoever watches only the order of locks sees nothing.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.actors.resources import Resources
from fencepost.checks import Kind
from fencepost.policies.resources import Pool
from fencepost.zoo.bug import Bug
from fencepost.zoo.event_ids import run_one_each

__all__ = ["BUG"]


def model(grab: str, runtime: Runtime) -> None:
    """Run two jobs that name two pools, of one id each, in opposite order."""
    render, compute = Pool("render ids", 1), Pool("compute ids", 1)
    run_one_each(runtime, Resources(grab), {render: 1, compute: 1}, {compute: 1, render: 1})


BUG = Bug(
    name="event-pools-without-order",
    title=None,
    fix="foreseen in the thread on can_run_job, March 2023 (A. Lina)",
    symptom="two jobs hang, and no lock is held",
    interleaving="each job has taken the id of the pool that it named first; each waits for the other's",
    repair="take from all pools in one step; or in one order, whatever the job says",
    broken=lambda runtime: model("hold", runtime),
    fixed=lambda runtime: model("fifo", runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
