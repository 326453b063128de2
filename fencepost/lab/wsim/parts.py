"""Readers for the fields that have an inner shape: engines, durations, dependencies and sizes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from fencepost.lab.wsim.record import Record
from fencepost.lab.wsim.refusal import quoted
from fencepost.lab.wsim.steps import (
    DataDependency,
    Dependency,
    Duration,
    Engine,
    EngineClass,
    FenceDependency,
    ObjectAccess,
    ObjectSize,
    SubmitDependency,
)

__all__ = ["DAY_US", "dependencies", "duration", "engine", "real_engine", "real_engines", "sizes"]

DAY_US: Final = 24 * 60 * 60 * 1_000_000
"""The longest time that a step may ask for; longer is taken for a slip of the pen."""

_MAX_ENGINES: Final = 64  # what an engine map of i915 has room for
_MAX_BYTES: Final = 1 << 40
_MAX_COUNT: Final = 1 << 16
_UNIT_BYTES: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}

_ENGINE = re.compile(r"(DEFAULT|RCS|BCS|VCS|VECS|CCS)([0-9]*)(?:-([0-9]+))?", re.ASCII | re.IGNORECASE)
_OFFSET_DEPENDENCY = re.compile(r"([fs]?)(-[0-9]+)")
_ACCESS = re.compile(r"([rw])([0-9]+)-([0-9]+)(?:-([0-9]+))?")
_SIZE = re.compile(r"(?:([0-9]+)n)?([0-9]+)([kmg]?)(?:-([0-9]+)([kmg]?))?", re.ASCII | re.IGNORECASE)

_OFFSET_KINDS: Final[Mapping[str, Callable[[int], Dependency]]] = {
    "": DataDependency,
    "f": FenceDependency,
    "s": SubmitDependency,
}


def engine(record: Record, text: str) -> Engine:
    """Return the engine of a name such as `VCS`, `vcs2` or `RCS1-0`."""
    match = _ENGINE.fullmatch(text)
    if match is None:
        raise record.refuse(
            f"engine {quoted(text)}", f"one of {', '.join(EngineClass)}, then INSTANCE and -GT if needed"
        )
    name, instance, gt = match.groups()
    if instance and name.upper() == EngineClass.DEFAULT:
        raise record.refuse(f"engine {quoted(text)}", "no instance, DEFAULT has none")
    return Engine(
        EngineClass(name.upper()),
        record.number(instance, "engine instance", 1) if instance else None,
        record.number(gt, "GT", 0) if gt else None,
    )


def real_engine(record: Record, text: str) -> Engine:
    """Return an engine that hardware has, which DEFAULT is not."""
    found = engine(record, text)
    if found.engine_class == EngineClass.DEFAULT:
        raise record.refuse(f"engine {quoted(text)}", "a real engine, DEFAULT only suits a batch")
    return found


def real_engines(record: Record, text: str) -> tuple[Engine, ...]:
    """Return the engines of a list such as `VCS1|VCS2`."""
    parts = record.parts(text, "|", "engine")
    if len(parts) > _MAX_ENGINES:
        raise record.refuse(f"{len(parts)} engines", f"at most {_MAX_ENGINES}")
    return tuple(real_engine(record, part) for part in parts)


def duration(record: Record, text: str) -> Duration | None:
    """Return the duration of `500`, `500-1500` or `*`, which is None."""
    if text == "*":
        return None
    low, dash, high = text.partition("-")
    min_us = record.number(low, "duration", 1, DAY_US)
    max_us = record.number(high, "longest duration", min_us + 1, DAY_US) if dash else min_us
    return Duration(min_us, max_us)


def dependencies(record: Record, text: str) -> tuple[Dependency, ...]:
    """Return the dependencies of a list such as `-1/f-2/r1-0`; `0` alone stands for none."""
    if text == "0":
        return ()
    return tuple(_dependency(record, part) for part in record.parts(text, "/", "dependency"))


def _dependency(record: Record, text: str) -> Dependency:
    if match := _OFFSET_DEPENDENCY.fullmatch(text):
        return _OFFSET_KINDS[match[1]](record.earlier(match[2]))
    if match := _ACCESS.fullmatch(text):
        return _access(record, *match.groups())
    raise record.refuse(f"dependency {quoted(text)}", "-N, f-N, s-N, rSET-OBJECT, wSET-OBJECT, or 0 alone for none")


def _access(record: Record, kind: str, set_id: str, first: str, last: str | None) -> ObjectAccess:
    first_object = record.number(first, "object", 0)
    last_object = first_object if last is None else record.number(last, "last object", first_object)
    return ObjectAccess(record.number(set_id, "working set", 0), first_object, last_object, write=kind == "w")


def sizes(record: Record, text: str) -> tuple[ObjectSize, ...]:
    """Return the sizes of a list such as `10n8m/4k-16k`."""
    return tuple(_size(record, part) for part in record.parts(text, "/", "size"))


def _size(record: Record, text: str) -> ObjectSize:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise record.refuse(f"size {quoted(text)}", "[COUNTn]BYTES[k|m|g][-BYTES[k|m|g]]")
    count, low, low_unit, high, high_unit = match.groups()
    min_bytes = _bytes(record, low, low_unit)
    max_bytes = min_bytes if high is None else _bytes(record, high, high_unit)
    if high is not None and max_bytes <= min_bytes:
        raise record.refuse(f"size {quoted(text)}", "a largest size above the smallest")
    return ObjectSize(1 if count is None else record.number(count, "object count", 1, _MAX_COUNT), min_bytes, max_bytes)


def _bytes(record: Record, number: str, unit: str) -> int:
    unit_bytes = _UNIT_BYTES[unit.lower()]
    return record.number(number, "size", 1, _MAX_BYTES // unit_bytes) * unit_bytes
