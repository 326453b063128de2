"""From the text of one step to its value: a table from the first field to the function that reads the others.

The language is that of IGT's gem_wsim. This module judges each step alone, knowing only how many steps stand before it;
what several steps must agree on is checked in `fencepost.lab.wsim.validate`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from fencepost.lab.wsim.parts import DAY_US, dependencies, duration, engine, real_engine, real_engines, sizes
from fencepost.lab.wsim.record import Record, split
from fencepost.lab.wsim.refusal import quoted
from fencepost.lab.wsim.steps import (
    Batch,
    Bond,
    ContextPriority,
    Delay,
    EngineMap,
    LoadBalance,
    Period,
    Preemption,
    QueueThrottle,
    SignalFence,
    SliceMask,
    SoftwareFence,
    Step,
    Sync,
    Terminate,
    Throttle,
    WorkingSet,
)

__all__ = ["parse_step"]

_MAX_PRIORITY: Final = 1023  # what i915 lets a context ask for, either way


@dataclass(frozen=True, slots=True)
class _Form:
    """One row of the table: how the step is spelled, and who reads its fields."""

    spelling: str
    read: Callable[[Record, list[str]], Step]


def parse_step(record: Record) -> Step:
    """Return the step that a record spells.

    Raises:
        BadInput: when it spells none.
    """
    fields = split(record.text, ".")
    form = _form(record, fields[0] if fields else "")
    expected = form.spelling.count(".") + 1
    if len(fields) != expected:
        raise record.refuse(f"field count {len(fields)}", f"{expected}: {form.spelling}")
    return replace(form.read(record, fields), line=record.line, text=record.text)


def _form(record: Record, kind: str) -> _Form:
    if kind.startswith(tuple("-0123456789")):
        return _BATCH
    if kind not in _FORMS:
        letters = " ".join(_FORMS)
        raise record.refuse(f"step kind {quoted(kind)}", f"a batch ({_BATCH.spelling}) or one of {letters}")
    return _FORMS[kind]


def _batch(record: Record, fields: list[str]) -> Batch:
    ctx, engine_text, duration_text, dependencies_text, wait = fields
    return Batch(
        record.number(ctx, "context", 0),
        engine(record, engine_text),
        duration(record, duration_text),
        dependencies(record, dependencies_text),
        _wait(record, wait),
    )


def _wait(record: Record, text: str) -> bool:
    if text not in {"0", "1"}:
        raise record.refuse(f"wait {quoted(text)}", "0 or 1")
    return text == "1"


def _delay(record: Record, fields: list[str]) -> Delay:
    return Delay(record.number(fields[1], "delay", 1, DAY_US))


def _period(record: Record, fields: list[str]) -> Period:
    return Period(record.number(fields[1], "period", 1, DAY_US))


def _sync(record: Record, fields: list[str]) -> Sync:
    return Sync(record.earlier(fields[1]))


def _throttle(record: Record, fields: list[str]) -> Throttle:
    return Throttle(record.number(fields[1], "throttle", 0))


def _queue_throttle(record: Record, fields: list[str]) -> QueueThrottle:
    return QueueThrottle(record.number(fields[1], "queue throttle", 0))


def _software_fence(_record: Record, _fields: list[str]) -> SoftwareFence:
    return SoftwareFence()


def _signal_fence(record: Record, fields: list[str]) -> SignalFence:
    return SignalFence(record.earlier(fields[1]))


def _terminate(record: Record, fields: list[str]) -> Terminate:
    return Terminate(record.earlier(fields[1]))


def _context_priority(record: Record, fields: list[str]) -> ContextPriority:
    priority = record.number(fields[2], "priority", -_MAX_PRIORITY, _MAX_PRIORITY)
    return ContextPriority(record.context(fields[1]), priority)


def _preemption(record: Record, fields: list[str]) -> Preemption:
    return Preemption(record.context(fields[1]), record.number(fields[2], "preemption", 0, DAY_US))


def _engine_map(record: Record, fields: list[str]) -> EngineMap:
    return EngineMap(record.context(fields[1]), real_engines(record, fields[2]))


def _load_balance(record: Record, fields: list[str]) -> LoadBalance:
    return LoadBalance(record.context(fields[1]))


def _bond(record: Record, fields: list[str]) -> Bond:
    return Bond(record.context(fields[1]), real_engines(record, fields[2]), real_engine(record, fields[3]))


def _slice_mask(record: Record, fields: list[str]) -> SliceMask:
    return SliceMask(record.context(fields[1]), record.number(fields[2], "slice mask", -1))


def _working_set(record: Record, fields: list[str]) -> WorkingSet:
    set_id = record.number(fields[1], "working set", 0)
    return WorkingSet(set_id, sizes(record, fields[2]), shared=fields[0] == "W")


_BATCH: Final = _Form("CTX.ENGINE.DURATION.DEPS.WAIT", _batch)

_FORMS: Final[Mapping[str, _Form]] = {
    "d": _Form("d.US", _delay),
    "p": _Form("p.US", _period),
    "s": _Form("s.-N", _sync),
    "t": _Form("t.N", _throttle),
    "q": _Form("q.N", _queue_throttle),
    "f": _Form("f", _software_fence),
    "a": _Form("a.-N", _signal_fence),
    "T": _Form("T.-N", _terminate),
    "P": _Form("P.CTX.PRIORITY", _context_priority),
    "X": _Form("X.CTX.US", _preemption),
    "M": _Form("M.CTX.ENGINE|ENGINE", _engine_map),
    "B": _Form("B.CTX", _load_balance),
    "b": _Form("b.CTX.ENGINE|ENGINE.MASTER", _bond),
    "S": _Form("S.CTX.MASK", _slice_mask),
    "w": _Form("w.ID.SIZE/SIZE", _working_set),
    "W": _Form("W.ID.SIZE/SIZE", _working_set),
}
