"""Which waits of the client can never end.

A client that waits runs no further step, so whatever a wait needs from the client must come before it: the `T` of an
unbounded batch, the `a` of a fence. For each batch this module computes its *release*, the last step that must have run
for the batch to finish; a wait that stands before the release of its batch would always hang.

What counts is what the text alone decides: `-N`, `f-N` and `s-N` dependencies, and the order of batches with the same
context and engine. Left to the deadlock detector of the run are accesses to working sets, the throttles `t` and `q`,
waits that a run adds for data dependencies, and contexts that keep each other off an engine.

A fence that no `a` signals is no mistake in itself: the end of the loop signals it, if the client can get there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fencepost.lab.wsim.problem import Problem
from fencepost.lab.wsim.refusal import step_name
from fencepost.lab.wsim.steps import (
    Batch,
    DataDependency,
    Dependency,
    Engine,
    FenceDependency,
    ObjectAccess,
    SignalFence,
    SoftwareFence,
    Step,
    SubmitDependency,
    Sync,
    Terminate,
)

__all__ = ["check_waits"]


def check_waits(steps: Sequence[Step]) -> Iterator[Problem]:
    """Yield the waits for batches that cannot finish while the client waits."""
    releases = _Releases(steps)
    for index, target in _waits(steps):
        release = releases.finish[target]
        if release > index:
            waiting_for = "its own batch" if target == index else step_name(target, steps[target].text)
            yield Problem(index, f"a wait for {waiting_for}", f"the wait to come after {_moment(steps, release)}")


def _waits(steps: Sequence[Step]) -> Iterator[tuple[int, int]]:
    """Yield each step at which the client waits, and the batch that it waits for."""
    for index, step in enumerate(steps):
        if isinstance(step, Sync):
            yield index, step.target
        elif isinstance(step, Batch) and step.wait:
            yield index, index


def _moment(steps: Sequence[Step], release: int) -> str:
    if release == len(steps):
        return "an a step for the fence that it needs"
    return f"{step_name(release, steps[release].text)}, which it needs"


class _Releases:
    """When batches start and finish, and fences signal, counted in steps of the client that must have run before.

    `start` and `finish` are by the index of the batch or fence. One pass finds them all: steps only point back.

    Args:
        steps: steps whose targets are of the right kind, and whose unbounded batches are all ended.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self.start: dict[int, int] = {}
        self.finish: dict[int, int] = {}
        self._closers = _closers(steps)
        self._last_in_queue: dict[tuple[int, Engine], int] = {}
        for index, step in enumerate(steps):
            if isinstance(step, SoftwareFence):
                # The end of the loop signals what is left.
                self.finish[index] = self._closers.get(index, len(steps))
            elif isinstance(step, Batch):
                self._add_batch(index, step)

    def _add_batch(self, index: int, batch: Batch) -> None:
        queue = (batch.ctx, batch.engine)
        before = [self._of_dependency(dependency) for dependency in batch.dependencies]
        if queue in self._last_in_queue:
            before.append(self.finish[self._last_in_queue[queue]])
        self.start[index] = max([index, *before])
        self.finish[index] = max(self.start[index], self._closers.get(index, index))
        self._last_in_queue[queue] = index

    def _of_dependency(self, dependency: Dependency) -> int:
        match dependency:
            case DataDependency() | FenceDependency():
                return self.finish[dependency.target]
            case SubmitDependency():
                return self.start[dependency.target]
            case ObjectAccess():
                return 0


def _closers(steps: Sequence[Step]) -> dict[int, int]:
    """Return, by its target, the first step that signals a fence or ends a batch."""
    closers: dict[int, int] = {}
    for index, step in enumerate(steps):
        if isinstance(step, SignalFence | Terminate):
            closers.setdefault(step.target, index)
    return closers
