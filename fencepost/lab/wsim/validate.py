"""What the steps of a workload must agree on.

Each check is a function over all steps that yields what it finds; the first problem refuses the workload. The checks of
engines and of waits are big enough to have files of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from fencepost.lab.wsim.engine_maps import check_engine_maps
from fencepost.lab.wsim.problem import Problem
from fencepost.lab.wsim.refusal import refusal, step_name
from fencepost.lab.wsim.steps import (
    Batch,
    DataDependency,
    Dependency,
    FenceDependency,
    ObjectAccess,
    SignalFence,
    SoftwareFence,
    Step,
    SubmitDependency,
    Sync,
    Terminate,
    WorkingSet,
)
from fencepost.lab.wsim.waits import check_waits

__all__ = ["validate"]


def validate(steps: Sequence[Step], where: str) -> None:
    """Check that steps, each right in itself, make a workload together.

    Raises:
        BadInput: for the first thing that does not fit.
    """
    checks = (_check_targets, _check_working_sets, check_engine_maps, _check_ends, check_waits)
    problem = next(chain.from_iterable(check(steps) for check in checks), None)
    if problem is not None:
        step = steps[problem.index]
        raise refusal(where, step.line, step_name(problem.index, step.text), problem.found, problem.expected)


@dataclass(frozen=True, slots=True)
class _Role:
    """What a step must be for another one to point at it."""

    words: str
    fits: Callable[[Step], bool]


_BATCH = _Role("a batch", lambda step: isinstance(step, Batch))
_BATCH_OR_FENCE = _Role("a batch or an f step", lambda step: isinstance(step, Batch | SoftwareFence))
_FENCE = _Role("an f step", lambda step: isinstance(step, SoftwareFence))
_UNBOUNDED = _Role("a batch with duration *", lambda step: isinstance(step, Batch) and step.unbounded)


def _check_targets(steps: Sequence[Step]) -> Iterator[Problem]:
    """Yield the steps that point at a step of the wrong kind."""
    for index, step in enumerate(steps):
        for target, role in _targets(step):
            if not role.fits(steps[target]):
                yield Problem(index, f"as target {step_name(target, steps[target].text)}", role.words)


def _targets(step: Step) -> Iterator[tuple[int, _Role]]:
    match step:
        case Sync():
            yield step.target, _BATCH
        case SignalFence():
            yield step.target, _FENCE
        case Terminate():
            yield step.target, _UNBOUNDED
        case Batch():
            yield from _dependency_targets(step.dependencies)
        case _:
            pass


def _dependency_targets(dependencies: Sequence[Dependency]) -> Iterator[tuple[int, _Role]]:
    for dependency in dependencies:
        match dependency:
            case DataDependency() | SubmitDependency():
                yield dependency.target, _BATCH
            case FenceDependency():
                yield dependency.target, _BATCH_OR_FENCE
            case ObjectAccess():
                pass


def _check_working_sets(steps: Sequence[Step]) -> Iterator[Problem]:
    """Yield working sets declared twice, and batches that use objects which no working set has."""
    declared: dict[int, int] = {}
    for index, step in enumerate(steps):
        if isinstance(step, WorkingSet):
            if step.set_id in declared:
                yield Problem(index, f"working set {step.set_id} for the second time", "an id of its own")
            declared[step.set_id] = step.object_count
    for index, access in _accesses(steps):
        if access.working_set not in declared:
            yield Problem(index, f"working set {access.working_set}", "a set that a w or W step declares")
        elif access.last >= declared[access.working_set]:
            last = declared[access.working_set] - 1
            yield Problem(index, f"object {access.last} of working set {access.working_set}", f"objects 0 to {last}")


def _accesses(steps: Sequence[Step]) -> Iterator[tuple[int, ObjectAccess]]:
    for index, step in enumerate(steps):
        if isinstance(step, Batch):
            yield from ((index, each) for each in step.dependencies if isinstance(each, ObjectAccess))


def _check_ends(steps: Sequence[Step]) -> Iterator[Problem]:
    """Yield the unbounded batches that would run for ever."""
    ended = {step.target for step in steps if isinstance(step, Terminate)}
    for index, step in enumerate(steps):
        if isinstance(step, Batch) and step.unbounded and index not in ended:
            yield Problem(index, "duration * and no T step for it", "a T step that ends this batch")
