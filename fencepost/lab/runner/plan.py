"""Where the batches of a workload may run, found out before anything starts.

context has   batch says   it runs on
-----------   ----------   ------------------------------
no map        DEFAULT      rcs0
no map        VCS          the first of the class
M             DEFAULT      the first of the map
M             VCS          the first of the class in the map
M and B       DEFAULT      any of the map
M and B       VCS          any of the class in the map
anything      VCS2         that one
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fencepost.lab.runner.engines import EngineNames, named_by, spellings, union
from fencepost.lab.wsim import Batch, Bond, Engine, EngineClass, EngineMap, LoadBalance, Step, Workload
from fencepost.lab.wsim.refusal import refusal, step_name

__all__ = ["BondRule", "Place", "Plan", "choices", "confined", "make_plan"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where batches of one context may go: one engine, or several of which the load decides (a virtual engine)."""

    ctx: int
    engines: EngineNames


@dataclass(frozen=True, slots=True)
class BondRule:
    """A batch whose master runs on one of `masters` is confined to `engines`."""

    masters: EngineNames
    engines: EngineNames


@dataclass(frozen=True, slots=True)
class Plan:
    """The places of a workload.

    Attributes:
        places: index of a batch among the steps -> where it may go.
        bonds: context -> its rules, in the order of the steps.
    """

    places: Mapping[int, Place]
    bonds: Mapping[int, tuple[BondRule, ...]]


def make_plan(workload: Workload, engines: Mapping[str, int]) -> Plan:
    """Place the batches of a workload on a GPU that has so many engines of each class.

    Raises:
        BadInput: a step names an engine that the GPU has not got.
    """
    steps = workload.steps
    _check(workload, engines)
    maps = {
        step.ctx: union(named_by(each, engines) for each in step.engines)
        for step in steps
        if isinstance(step, EngineMap)
    }
    balanced = {step.ctx for step in steps if isinstance(step, LoadBalance)}
    places: dict[int, Place] = {}
    bonds: dict[int, tuple[BondRule, ...]] = {}
    for index, step in enumerate(steps):
        if isinstance(step, Batch):
            choice = _choice(step.engine, maps.get(step.ctx), engines)
            places[index] = Place(step.ctx, choice if step.ctx in balanced else choice[:1])
        elif isinstance(step, Bond):
            bonded = union(named_by(each, engines) for each in step.engines)
            bonds[step.ctx] = (*bonds.get(step.ctx, ()), BondRule(named_by(step.master, engines), bonded))
    return Plan(places, bonds)


def confined(place: Place, bond: BondRule) -> EngineNames:
    """Return what a bond leaves of a place: all of it if they have nothing in common, as with an explicit instance."""
    return tuple(name for name in place.engines if name in bond.engines) or place.engines


def choices(place: Place, plan: Plan) -> list[EngineNames]:
    """Return the choices of engines that a batch at a place can have: all of them first, then what each bond leaves."""
    bonds = plan.bonds.get(place.ctx, ())
    return list(dict.fromkeys([place.engines, *(confined(place, bond) for bond in bonds)]))


def _choice(engine: Engine, mapped: EngineNames | None, engines: Mapping[str, int]) -> EngineNames:
    if mapped is None:
        return named_by(engine, engines)[:1]
    if engine.engine_class == EngineClass.DEFAULT:
        return mapped
    named = named_by(engine, engines)
    return tuple(name for name in mapped if name in named)


def _check(workload: Workload, engines: Mapping[str, int]) -> None:
    mapped = {step.ctx for step in workload.steps if isinstance(step, EngineMap)}
    for index, step in enumerate(workload.steps):
        for engine in _named(step, mapped):
            if not named_by(engine, engines):
                found = f"engine {engine}{' (RCS1)' if engine.engine_class == EngineClass.DEFAULT else ''}"
                expected = f"an engine of this GPU: {', '.join(spellings(engines))}"
                raise refusal(workload.where or workload.name, step.line, step_name(index, step.text), found, expected)


def _named(step: Step, mapped: set[int]) -> Iterator[Engine]:
    """Yield the engines that a step names; the DEFAULT of a context with a map names none."""
    match step:
        case Batch() if step.engine.engine_class != EngineClass.DEFAULT or step.ctx not in mapped:
            yield step.engine
        case EngineMap():
            yield from step.engines
        case Bond():
            yield from (*step.engines, step.master)
        case _:
            pass
