"""Whether engine maps, load balancing, bonds and batches of a context go together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from fencepost.lab.wsim.problem import Problem
from fencepost.lab.wsim.steps import Batch, Bond, Engine, EngineClass, EngineMap, LoadBalance, Step

__all__ = ["check_engine_maps"]

_Maps: TypeAlias = Mapping[int, Sequence[Engine]]  # by context


def check_engine_maps(steps: Sequence[Step]) -> Iterator[Problem]:
    """Yield the set-up steps in the wrong order and the batches on engines that their context has not.

    A context is set up in the order M, B, b, before the first loop; so its map binds all of its batches, also those
    further up. The master of a bond belongs to another context and may be any engine.
    """
    maps = {step.ctx: step.engines for step in reversed(steps) if isinstance(step, EngineMap)}
    yield from _check_maps(steps, maps)
    yield from _check_load_balances(steps)
    yield from _check_bonds(steps, maps)
    yield from _check_batches(steps, maps)


def _check_maps(steps: Sequence[Step], maps: _Maps) -> Iterator[Problem]:
    for index, step in enumerate(steps):
        if isinstance(step, EngineMap) and step.engines != maps[step.ctx]:
            yield Problem(index, f"another map of context {step.ctx}", f"one map, it was {_names(maps[step.ctx])}")


def _check_load_balances(steps: Sequence[Step]) -> Iterator[Problem]:
    mapped: set[int] = set()
    for index, step in enumerate(steps):
        if isinstance(step, EngineMap):
            mapped.add(step.ctx)
        elif isinstance(step, LoadBalance) and step.ctx not in mapped:
            yield Problem(index, f"no engine map of context {step.ctx} before it", f"a step M.{step.ctx}.ENGINE first")


def _check_bonds(steps: Sequence[Step], maps: _Maps) -> Iterator[Problem]:
    balanced: set[int] = set()
    for index, step in enumerate(steps):
        if isinstance(step, LoadBalance):
            balanced.add(step.ctx)
        elif isinstance(step, Bond) and step.ctx not in balanced:
            yield Problem(index, f"no load balancing of context {step.ctx} before it", f"a step B.{step.ctx} first")
        elif isinstance(step, Bond):
            yield from _outside(index, step.engines, step.ctx, maps)


def _check_batches(steps: Sequence[Step], maps: _Maps) -> Iterator[Problem]:
    for index, step in enumerate(steps):
        if isinstance(step, Batch) and step.ctx in maps and step.engine.engine_class != EngineClass.DEFAULT:
            yield from _outside(index, [step.engine], step.ctx, maps)


def _outside(index: int, engines: Iterable[Engine], ctx: int, maps: _Maps) -> Iterator[Problem]:
    for engine in engines:
        if not any(engine.overlaps(mapped) for mapped in maps[ctx]):
            yield Problem(index, f"engine {engine}", f"an engine of context {ctx}, its map is {_names(maps[ctx])}")


def _names(engines: Iterable[Engine]) -> str:
    return "|".join(map(str, engines))
