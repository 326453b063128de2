"""What a workload asks for and cannot get in this simulator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from fencepost.lab.wsim import NO_EFFECT, Batch, Bond, Engine, EngineMap, Preemption, Step, Workload

__all__ = ["no_effect"]

_NO_PREEMPTION: Final[Mapping[str, str]] = MappingProxyType(
    {"ring": "an engine has one ring, which runs its jobs in order, so there is nothing to be preempted for"}
)
"""Ways of submission in which a batch is never preempted, each with the reason."""

_ONE_GT: Final = "the simulated GPU has one GT, so its number chooses nothing"


def no_effect(workload: Workload, submission: str) -> tuple[str, ...]:
    """Return the steps that will change nothing, each with the reason, each once."""
    found = (
        f"{step.text or type(step).__name__}: {why}" for step in workload.steps for why in _reasons(step, submission)
    )
    return tuple(dict.fromkeys(found))


def _reasons(step: Step, submission: str) -> Iterator[str]:
    if type(step) in NO_EFFECT:
        yield NO_EFFECT[type(step)]
    if isinstance(step, Preemption) and submission in _NO_PREEMPTION:
        yield _NO_PREEMPTION[submission]
    if any(engine.gt for engine in _engines(step)):
        yield _ONE_GT


def _engines(step: Step) -> tuple[Engine, ...]:
    match step:
        case Batch():
            return (step.engine,)
        case EngineMap():
            return step.engines
        case Bond():
            return (*step.engines, step.master)
        case _:
            return ()
