"""From the names that a workload gives to engines to the engines that the GPU has.

A workload counts the instances of a class from 1 (`VCS1`), the GPU counts its engines from 0 (`vcs0`). There is one GT,
so the number of a GT in a name chooses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from fencepost.lab.wsim import Engine, EngineClass

__all__ = ["EngineNames", "named_by", "spellings", "union"]

EngineNames: TypeAlias = tuple[str, ...]
"""Engines of the GPU by name, in order of preference."""


def spellings(engines: Mapping[str, int]) -> list[str]:
    """Name all engines of a GPU as a workload spells them."""
    return [f"{name.upper()}{number}" for name, count in engines.items() for number in range(1, count + 1)]


def named_by(engine: Engine, engines: Mapping[str, int]) -> EngineNames:
    """Return what goes by a name: all of a class, or the one instance; nothing when the GPU has not got it.

    DEFAULT stands for the first render engine.
    """
    if engine.engine_class == EngineClass.DEFAULT:
        return named_by(Engine(EngineClass.RCS, 1), engines)
    name = engine.engine_class.lower()
    count = engines.get(name, 0)
    if engine.instance is None:
        return tuple(f"{name}{index}" for index in range(count))
    return (f"{name}{engine.instance - 1}",) if engine.instance <= count else ()


def union(names: Iterable[EngineNames]) -> EngineNames:
    """Join the engines of several names, each once."""
    return tuple(dict.fromkeys(name for each in names for name in each))
