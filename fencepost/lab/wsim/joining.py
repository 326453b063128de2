"""Joining two workloads into one loop, which is what the option `-a` asks for."""

from __future__ import annotations

from dataclasses import replace

from fencepost.lab.wsim.steps import (
    Batch,
    Dependency,
    ObjectAccess,
    SignalFence,
    Step,
    Sync,
    Terminate,
    Workload,
)
from fencepost.lab.wsim.validate import validate

__all__ = ["append"]


def append(workload: Workload, appended: Workload) -> Workload:
    """Return a workload that runs the steps of both, one after the other, under the name of the first.

    The two share their contexts: context 1 of both is one context, and so are working sets with the same id.

    Raises:
        BadInput: when they do not go together, such as two working sets of one id, or two maps for one context.
    """
    shifted = tuple(_shift(step, len(workload.steps)) for step in appended.steps)
    steps = workload.steps + shifted
    where = f"{workload.name} + {appended.name}"
    validate(steps, where)
    return Workload(workload.name, steps, where)


def _shift(step: Step, by: int) -> Step:
    match step:
        case Sync() | SignalFence() | Terminate():
            return replace(step, target=step.target + by)
        case Batch():
            return replace(step, dependencies=tuple(_shift_dependency(each, by) for each in step.dependencies))
        case _:
            return step


def _shift_dependency(dependency: Dependency, by: int) -> Dependency:
    if isinstance(dependency, ObjectAccess):
        return dependency
    return replace(dependency, target=dependency.target + by)
