"""The steps of a gem_wsim workload as plain values, one class per step kind.

A workload is a list of steps that one client runs in order, and then again from the top. Whatever a step points at - a
dependency, a fence, a batch to end - is a `target`: the index of an earlier step in `Workload.steps`, counted from 0.
The parser has turned the relative offsets of the text into these, so nobody else does arithmetic on them.

Contexts are numbered, as `ctx`, within their workload. Engine maps, load balancing, bonds and working sets describe the
set-up: they hold for the whole run, wherever they stand. All other steps act when they are reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

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
]


class EngineClass(StrEnum):
    """What kind of engine a batch asks for; DEFAULT leaves the choice to the context."""

    DEFAULT = "DEFAULT"
    RCS = "RCS"
    BCS = "BCS"
    VCS = "VCS"
    VECS = "VECS"
    CCS = "CCS"


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine as a workload names it: a class, and as much of instance and GT as was written.

    Args:
        engine_class: the kind of engine.
        instance: which one of the class, counted from 1 as in the text; None for any of them.
        gt: which GT it sits on, counted from 0; None for any.
    """

    engine_class: EngineClass
    instance: int | None = None
    gt: int | None = None

    def __str__(self) -> str:
        """Return the name as the language spells it, such as `VCS2` or `RCS-1`."""
        instance = "" if self.instance is None else str(self.instance)
        gt = "" if self.gt is None else f"-{self.gt}"
        return f"{self.engine_class}{instance}{gt}"

    def overlaps(self, other: Engine) -> bool:
        """Tell whether one real engine can go by both names, as with `VCS` and `VCS2`."""
        return (
            self.engine_class == other.engine_class
            and _agree(self.instance, other.instance)
            and _agree(self.gt, other.gt)
        )


def _agree(one: int | None, other: int | None) -> bool:
    return one is None or other is None or one == other


@dataclass(frozen=True, slots=True)
class Duration:
    """How long a batch keeps its engine: drawn evenly from both bounds and what lies between, anew at each submit."""

    min_us: int
    max_us: int


@dataclass(frozen=True, slots=True)
class ObjectSize:
    """A run of `count` buffer objects in a working set; the size of each is drawn between the bounds."""

    count: int
    min_bytes: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class DataDependency:
    """`-N`: read what the target batch writes, so start after it has finished."""

    target: int


@dataclass(frozen=True, slots=True)
class FenceDependency:
    """`f-N`: start after the target has signalled; the target is a batch or a software fence."""

    target: int


@dataclass(frozen=True, slots=True)
class SubmitDependency:
    """`s-N`: start no earlier than the target batch starts."""

    target: int


@dataclass(frozen=True, slots=True)
class ObjectAccess:
    """`rS-O` or `wS-O`, with `-O2` for a range: use the objects `first` to `last`, both included, of a working set."""

    working_set: int
    first: int
    last: int
    write: bool


Dependency: TypeAlias = DataDependency | FenceDependency | SubmitDependency | ObjectAccess


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Where a step was written: what all step kinds share, for messages and names.

    Args:
        line: line of the file, counted from 1; in a one-line text the place between the commas; 0 if made in code.
        text: the step as it was written, without surrounding blanks.
    """

    line: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Batch(Written):
    """`CTX.ENGINE.DURATION.DEPS.WAIT`: submit work to an engine.

    Batches of one context on one engine run in the order of submission.

    Args:
        ctx: the context that submits.
        engine: where it runs.
        duration: how long it runs; None until a `Terminate` step ends it.
        dependencies: what must come first.
        wait: whether the client waits for completion before its next step.
    """

    ctx: int
    engine: Engine
    duration: Duration | None
    dependencies: tuple[Dependency, ...] = ()
    wait: bool = False

    @property
    def unbounded(self) -> bool:
        """Whether the batch runs until a `Terminate` step ends it."""
        return self.duration is None


@dataclass(frozen=True, slots=True)
class Delay(Written):
    """`d.US`: sleep that long."""

    delay_us: int


@dataclass(frozen=True, slots=True)
class Period(Written):
    """`p.US`: sleep until that long after the loop began; a loop that is already late is counted and does not sleep."""

    period_us: int


@dataclass(frozen=True, slots=True)
class Sync(Written):
    """`s.-N`: wait until the target batch has finished."""

    target: int


@dataclass(frozen=True, slots=True)
class Throttle(Written):
    """`t.N`: from here on, before each batch wait for the batch `steps_back` steps earlier; 0 ends the rule.

    The count goes back into the previous loop, and on to the nearest earlier batch where it meets another step kind.
    """

    steps_back: int


@dataclass(frozen=True, slots=True)
class QueueThrottle(Written):
    """`q.N`: from here on, keep at most `limit` unfinished batches on each engine; 0 ends the rule."""

    limit: int


@dataclass(frozen=True, slots=True)
class SoftwareFence(Written):
    """`f`: create a fence that a `SignalFence` step signals, or else the end of the loop."""


@dataclass(frozen=True, slots=True)
class SignalFence(Written):
    """`a.-N`: signal the software fence at the target; a second signal changes nothing."""

    target: int


@dataclass(frozen=True, slots=True)
class Terminate(Written):
    """`T.-N`: end the unbounded batch at the target; a second end changes nothing."""

    target: int


@dataclass(frozen=True, slots=True)
class ContextPriority(Written):
    """`P.CTX.PRIORITY`: give the context this priority from here on; 0 is normal, more is more urgent."""

    ctx: int
    priority: int


@dataclass(frozen=True, slots=True)
class Preemption(Written):
    """`X.CTX.US`: let the batches of the context that follow be preempted every `preempt_us`; 0 for never."""

    ctx: int
    preempt_us: int


@dataclass(frozen=True, slots=True)
class EngineMap(Written):
    """`M.CTX.ENGINE|ENGINE`: confine the context to these engines; a class without instance stands for all of it."""

    ctx: int
    engines: tuple[Engine, ...]


@dataclass(frozen=True, slots=True)
class LoadBalance(Written):
    """`B.CTX`: let each batch of the context go to whichever engine of its map is best placed to run it."""

    ctx: int


@dataclass(frozen=True, slots=True)
class Bond(Written):
    """`b.CTX.ENGINE|ENGINE.MASTER`: confine a batch to these engines when its submit dependency runs on `master`."""

    ctx: int
    engines: tuple[Engine, ...]
    master: Engine


@dataclass(frozen=True, slots=True)
class SliceMask(Written):
    """`S.CTX.MASK`: choose the slices that the context may use, -1 for all of them."""

    ctx: int
    mask: int


@dataclass(frozen=True, slots=True)
class WorkingSet(Written):
    """`w.ID.SIZE/SIZE`: buffer objects that batches read and write; with `W` all clones of the client share them."""

    set_id: int
    sizes: tuple[ObjectSize, ...]
    shared: bool = False

    @property
    def object_count(self) -> int:
        """How many objects the set holds; their numbers start at 0."""
        return sum(size.count for size in self.sizes)


Step: TypeAlias = (
    Batch
    | Delay
    | Period
    | Sync
    | Throttle
    | QueueThrottle
    | SoftwareFence
    | SignalFence
    | Terminate
    | ContextPriority
    | Preemption
    | EngineMap
    | LoadBalance
    | Bond
    | SliceMask
    | WorkingSet
)

NO_EFFECT: Final[Mapping[type[Step], str]] = MappingProxyType(
    {SliceMask: "simulated engines have no slices, so a mask cannot make them slower or faster"}
)
"""The step kinds that are understood and then change nothing in this simulator, each with the reason."""


@dataclass(frozen=True, slots=True)
class Workload:
    """The steps that one client runs in a loop, checked to fit together.

    Args:
        name: what reports call it.
        steps: at least one step.
        where: what messages call the text it was read from; two workloads that differ only in this are equal.
    """

    name: str
    steps: tuple[Step, ...]
    where: str = field(default="", compare=False)
