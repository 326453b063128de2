"""What holds for every text: a workload that was written down is read back, and all else is refused."""

from __future__ import annotations

import doctest
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from fencepost.errors import BadInput
from fencepost.lab import wsim
from fencepost.lab.wsim import (
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
    parse_text,
)

MAPPED = 9  # the one context with a map; the batches drawn below keep off it
SET = WorkingSet(7, (ObjectSize(3, 4096, 4096), ObjectSize(1, 1, 2)))


def spell_dependency(dependency: Dependency, index: int) -> str:
    match dependency:
        case DataDependency(target):
            return f"{target - index}"
        case FenceDependency(target):
            return f"f{target - index}"
        case SubmitDependency(target):
            return f"s{target - index}"
        case ObjectAccess(working_set, first, last, write):
            return f"{'w' if write else 'r'}{working_set}-{first}-{last}"


def spell_batch(batch: Batch, index: int) -> str:
    duration = "*" if batch.duration is None else spell_range(batch.duration.min_us, batch.duration.max_us)
    dependencies = "/".join(spell_dependency(each, index) for each in batch.dependencies) or "0"
    return f"{batch.ctx}.{batch.engine}.{duration}.{dependencies}.{int(batch.wait)}"


def spell_range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"


def spell_size(size: ObjectSize) -> str:
    return f"{size.count}n{spell_range(size.min_bytes, size.max_bytes)}"


def spell_engines(engines: Sequence[Engine]) -> str:
    return "|".join(map(str, engines))


def spell(step: Step, index: int) -> str:  # noqa: C901, PLR0911, PLR0912 - one case per step kind
    match step:
        case Batch():
            return spell_batch(step, index)
        case Delay():
            return f"d.{step.delay_us}"
        case Period():
            return f"p.{step.period_us}"
        case Sync():
            return f"s.{step.target - index}"
        case Throttle():
            return f"t.{step.steps_back}"
        case QueueThrottle():
            return f"q.{step.limit}"
        case SoftwareFence():
            return "f"
        case SignalFence():
            return f"a.{step.target - index}"
        case Terminate():
            return f"T.{step.target - index}"
        case ContextPriority():
            return f"P.{step.ctx}.{step.priority}"
        case Preemption():
            return f"X.{step.ctx}.{step.preempt_us}"
        case EngineMap():
            return f"M.{step.ctx}.{spell_engines(step.engines)}"
        case LoadBalance():
            return f"B.{step.ctx}"
        case Bond():
            return f"b.{step.ctx}.{spell_engines(step.engines)}.{step.master}"
        case SliceMask():
            return f"S.{step.ctx}.{step.mask}"
        case WorkingSet():
            return f"{'W' if step.shared else 'w'}.{step.set_id}.{'/'.join(map(spell_size, step.sizes))}"


def written(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Give steps the lines and texts that they have in a file with one step per line."""
    return tuple(replace(step, line=index + 1, text=spell(step, index)) for index, step in enumerate(steps))


contexts = st.integers(1, MAPPED - 1)
times_us = st.integers(1, 24 * 3600 * 10**6)
real_classes = st.sampled_from([each for each in EngineClass if each != EngineClass.DEFAULT])
real_engines = st.builds(Engine, real_classes, st.none() | st.integers(1, 4), st.none() | st.integers(0, 1))
engines = real_engines | st.just(Engine(EngineClass.DEFAULT))
durations = st.tuples(times_us, times_us).map(lambda pair: Duration(min(pair), max(pair)))
accesses = st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()).map(
    lambda drawn: ObjectAccess(SET.set_id, min(drawn[:2]), max(drawn[:2]), write=drawn[2])
)
sizes = st.tuples(st.integers(1, 1 << 16), st.integers(1, 1 << 40), st.integers(1, 1 << 40)).map(
    lambda drawn: ObjectSize(drawn[0], min(drawn[1:]), max(drawn[1:]))
)
lone_steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(Delay, times_us),
    st.builds(Period, times_us),
    st.builds(Throttle, st.integers(0, 20)),
    st.builds(QueueThrottle, st.integers(0, 20)),
    st.builds(SoftwareFence),
    st.builds(ContextPriority, contexts, st.integers(-1023, 1023)),
    st.builds(Preemption, contexts, times_us | st.just(0)),
    st.builds(SliceMask, contexts, st.integers(-1, 255)),
)


@st.composite
def set_ups(draw: st.DrawFn) -> list[Step]:
    """Draw the steps that come first: working sets, and a context with map, load balancing and bond."""
    mapped = tuple(draw(st.lists(real_engines, min_size=1, max_size=3)))
    bond = Bond(MAPPED, mapped, draw(real_engines))
    other_set = WorkingSet(8, tuple(draw(st.lists(sizes, min_size=1, max_size=3))), shared=draw(st.booleans()))
    return [SET, other_set, EngineMap(MAPPED, mapped), LoadBalance(MAPPED), bond]


def places(steps: Sequence[Step], kind: type[Step]) -> list[int]:
    return [index for index, step in enumerate(steps) if isinstance(step, kind)]


@st.composite
def batches(draw: st.DrawFn, steps: Sequence[Step]) -> Batch:
    """Draw a batch that may depend on the given steps."""
    targets = places(steps, Batch)
    kinds: list[st.SearchStrategy[Dependency]] = [accesses]
    if targets:
        earlier = st.sampled_from(targets)
        kinds += [st.builds(DataDependency, earlier), st.builds(SubmitDependency, earlier)]
    if fences := targets + places(steps, SoftwareFence):
        kinds.append(st.builds(FenceDependency, st.sampled_from(fences)))
    dependencies = tuple(draw(st.lists(st.one_of(kinds), max_size=3)))
    return Batch(draw(st.just(0) | contexts), draw(engines), draw(st.none() | durations), dependencies)


@st.composite
def workloads(draw: st.DrawFn) -> Workload:
    """Draw a workload of every step kind; a fence is signalled and a batch ended before anyone waits."""
    steps = draw(set_ups())
    for _ in range(draw(st.integers(0, 12))):
        steps.append(draw(lone_steps | batches(steps)))
    steps += [Terminate(index) for index, step in enumerate(steps) if isinstance(step, Batch) and step.unbounded]
    steps += [SignalFence(index) for index in places(steps, SoftwareFence)]
    steps += [Sync(index) for index in places(steps, Batch)]
    steps.append(Batch(1, Engine(EngineClass.RCS), Duration(1, 1), wait=True))
    return Workload("game", written(steps))


@given(workloads())
def test_a_workload_written_down_is_read_back(workload: Workload) -> None:
    text = "\n".join(step.text for step in workload.steps)
    assert parse_text(text, name="game", where="-w") == workload


FIRST_FIELDS = ["0", "1", "-1", *"dpstqfaTPXMBbSwW#"]
OTHER_FIELDS = ["0", "1", "-1", "-2", "RCS", "VCS2", "vcs|RCS", "DEFAULT", "*", "5-9", "2n4k-8k", "", "x"]
DEPENDENCIES = ["f-1", "s-1", "-1/f-2", "r1-0", "w1-0-1"]
nearly_steps = st.tuples(
    st.sampled_from(FIRST_FIELDS), st.lists(st.sampled_from(OTHER_FIELDS + DEPENDENCIES), max_size=4)
).map(lambda drawn: ".".join([drawn[0], *drawn[1]]))
nearly_workloads = st.lists(nearly_steps, max_size=8).map("\n".join)


def answer(text: str) -> str:
    """Return the message that refuses a text, or nothing."""
    try:
        parse_text(text, name="game", where="-w")
    except BadInput as refusal:
        return str(refusal)
    return ""


@given(st.text() | st.text("0123456789.,-/|*#\nfsaTPXMBbSwWdptqRCVn kmg") | nearly_workloads)
def test_a_text_is_read_or_refused_in_one_line(text: str) -> None:
    assert answer(text).isprintable()


def test_the_examples_in_the_documentation_are_true() -> None:
    results = doctest.testmod(wsim)
    assert results.attempted
    assert not results.failed
