"""The gem_wsim workload language of IGT: from a `.wsim` file to steps that are checked to fit together.

Each line knows only those above it:

    steps                           the values, one class per step kind
    refusal, record, parts          how a field is read or refused
    grammar                         from the text of one step to its value
    problem, engine_maps, waits     what several steps must agree on,
    validate                        and who asks
    reader, joining                 a whole text or file; two workloads in one loop

Reading runs nothing and starts nothing. Every text that is not a workload is answered with `fencepost.errors.BadInput`.

    >>> from fencepost.lab.wsim import parse_text
    >>> workload = parse_text("1.RCS.500-1500.0.0,2.BCS.1000.-1.1,p.16667", name="demo", where="-w")
    >>> workload.steps[1].dependencies
    (DataDependency(target=0),)
    >>> parse_text("1.RCS.500.0.0,1.RCS.500.-2.0", name="demo", where="-w")
    Traceback (most recent call last):
    fencepost.errors.BadInput: -w:2: step 2 "1.RCS.500.-2.0": found offset "-2", expected a whole number from -1 to -1
"""

from __future__ import annotations

from fencepost.lab.wsim.joining import append
from fencepost.lab.wsim.reader import load, parse_text
from fencepost.lab.wsim.steps import (
    NO_EFFECT,
    Batch,
    Bond,
    ContextPriority,
    DataDependency,
    Delay,
    Dependency,
    Duration,
    Engine,
    EngineClass,
    EngineMap,
    FenceDependency,
    LoadBalance,
    ObjectAccess,
    ObjectSize,
    Period,
    Preemption,
    QueueThrottle,
    SignalFence,
    SliceMask,
    SoftwareFence,
    Step,
    SubmitDependency,
    Sync,
    Terminate,
    Throttle,
    WorkingSet,
    Workload,
    Written,
)

__all__ = [
    "NO_EFFECT",
    "Batch",
    "Bond",
    "ContextPriority",
    "DataDependency",
    "Delay",
    "Dependency",
    "Duration",
    "Engine",
    "EngineClass",
    "EngineMap",
    "FenceDependency",
    "LoadBalance",
    "ObjectAccess",
    "ObjectSize",
    "Period",
    "Preemption",
    "QueueThrottle",
    "SignalFence",
    "SliceMask",
    "SoftwareFence",
    "Step",
    "SubmitDependency",
    "Sync",
    "Terminate",
    "Throttle",
    "WorkingSet",
    "Workload",
    "Written",
    "append",
    "load",
    "parse_text",
]
