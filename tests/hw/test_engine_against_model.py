"""The engine against one that goes through time step by step, on random work.

The model is written from the rules alone: it shares no line with the implementation, and takes no care of cost.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from fencepost.fences import Fence
from fencepost.hw.engine import Engine
from fencepost.hw.execution import Execution, RingBuffer

CANCELLED = -1
LONG = 10_000
"""More than all that is ever submitted takes."""


@dataclasses.dataclass(frozen=True)
class Submit:
    ring: int
    duration: int | None
    granularity: int


@dataclasses.dataclass(frozen=True)
class Terminate:
    batch: int


@dataclasses.dataclass(frozen=True)
class Cancel:
    batch: int


Action = Submit | Terminate | Cancel
Plan = list[tuple[int, Action]]
"""Actions, each with how long after the one before it comes."""


@dataclasses.dataclass(frozen=True)
class Story:
    """What became of a plan: stretches as (batch, start, end), and when each batch ended with which error."""

    stretches: list[tuple[int, int, int]]
    ends: dict[int, tuple[int, int]]


@dataclasses.dataclass(eq=False)
class ModelBatch:
    number: int
    ring: int
    duration: int | None
    granularity: int
    executed: int = 0


class Model:
    def __init__(self, priorities: Sequence[int]) -> None:
        self.priorities = priorities
        self.now = 0
        self.queues: list[list[ModelBatch]] = [[] for _ in priorities]
        self.waiting: list[int] = []  # rings, in the order they began to wait
        self.running: ModelBatch | None = None
        self.start = 0
        self.story = Story([], {})

    def best(self) -> int | None:
        return min(self.waiting, key=lambda ring: self.priorities[ring], default=None)

    def stop(self) -> ModelBatch:
        assert self.running is not None
        batch, self.running = self.running, None
        self.story.stretches.append((batch.number, self.start, self.now))
        return batch

    def end(self, batch: ModelBatch, error: int) -> None:
        self.queues[batch.ring].remove(batch)
        self.story.ends[batch.number] = (self.now, error)

    def start_best(self) -> None:
        ring = self.best()
        if ring is not None:
            self.waiting.remove(ring)
            self.running, self.start = self.queues[ring][0], self.now

    def complete(self) -> None:
        batch = self.stop()
        self.end(batch, 0)
        if self.queues[batch.ring]:
            self.waiting.append(batch.ring)
        self.start_best()

    def settle(self) -> None:
        """Let everything end that ends at this moment."""
        while self.running is not None and self.running.executed == self.running.duration:
            self.complete()

    def preempt(self) -> None:
        """Give way, if the running batch has just come to a point where it can."""
        running, best = self.running, self.best()
        if running is None or best is None or self.now == self.start or not running.granularity:
            return
        if running.executed % running.granularity == 0 and self.priorities[best] < self.priorities[running.ring]:
            self.stop()
            self.waiting.append(running.ring)
            self.start_best()

    def step(self) -> None:
        self.settle()
        self.now += 1
        if self.running is not None:
            self.running.executed += 1
        self.settle()
        self.preempt()
        self.settle()

    def act(self, number: int, action: Action) -> None:
        self.settle()
        if isinstance(action, Submit):
            self.queues[action.ring].append(ModelBatch(number, action.ring, action.duration, action.granularity))
            if len(self.queues[action.ring]) == 1:
                self.waiting.append(action.ring)
            if self.running is None:
                self.start_best()
            return
        batch = next((each for queue in self.queues for each in queue if each.number == action.batch), None)
        if batch is None:
            return
        if isinstance(action, Terminate):
            batch.duration = batch.executed
            if batch is self.running:
                self.complete()
        else:
            self.cancel(batch)

    def cancel(self, batch: ModelBatch) -> None:
        queue = self.queues[batch.ring]
        if batch is self.running:
            self.stop()
            self.end(batch, CANCELLED)
            if queue:
                self.waiting.append(batch.ring)
            self.start_best()
        else:
            self.end(batch, CANCELLED)
            if not queue:
                self.waiting.remove(batch.ring)


def closing(plan: Plan) -> Plan:
    """Tell each batch to end that would not by itself."""
    endless = [n for n, (_, action) in enumerate(plan) if isinstance(action, Submit) and action.duration is None]
    return [(0, Terminate(number)) for number in endless]


def told_by_model(priorities: Sequence[int], plan: Plan) -> Story:
    model = Model(priorities)
    for number, (gap, action) in enumerate(plan + closing(plan)):
        for _ in range(gap):
            model.step()
        model.act(number, action)
    while model.running is not None:
        model.step()
    return model.story


def told_by_engine(priorities: Sequence[int], plan: Plan, looks: Sequence[int]) -> Story:
    """Run a plan; `looks` says how often the engine is looked at before an action."""
    engine = Engine()
    rings = [RingBuffer(priority) for priority in priorities]
    batches: dict[int, Execution] = {}
    now = 0
    for number, (gap, action) in enumerate(plan + closing(plan)):
        count = looks[number % len(looks)]
        for look in range(1, count + 1):
            engine.advance(now + gap * look // count)
        now += gap
        act(engine, rings, batches, number, action)
    engine.advance(now + LONG)
    names = {id(execution): number for number, execution in batches.items()}
    ends = {names[id(execution)]: (execution.end_ns or 0, execution.error) for execution in engine.ended}
    return Story([(names[id(each.execution)], each.start_ns, each.end_ns) for each in engine.stretches], ends)


def act(
    engine: Engine, rings: Sequence[RingBuffer], batches: dict[int, Execution], number: int, action: Action
) -> None:
    if isinstance(action, Submit):
        batches[number] = Execution(
            ring=rings[action.ring],
            client=f"{number}",
            finished=Fence(),
            fence=Fence(),
            left_ns=action.duration,
            granularity_ns=action.granularity,
        )
        engine.submit(batches[number])
    elif (execution := batches.get(action.batch)) is not None:
        if isinstance(action, Terminate):
            engine.terminate(execution)
        else:
            engine.cancel(execution, CANCELLED)


durations = st.none() | st.integers(0, 12)
submits = st.builds(Submit, st.integers(0, 3), durations, st.sampled_from((0, 1, 2, 3, 5)))
targets = st.integers(0, 15)
plans = st.lists(
    st.tuples(
        st.integers(0, 8), submits | submits | submits | st.builds(Terminate, targets) | st.builds(Cancel, targets)
    ),
    max_size=16,
)
priorities = st.lists(st.integers(0, 2), min_size=4, max_size=4)


@given(priorities, plans, st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_engine_and_model_tell_the_same_story(ranks: list[int], plan: Plan, looks: list[int]) -> None:
    assert told_by_engine(ranks, plan, looks) == told_by_model(ranks, plan)


bounded = st.lists(
    st.tuples(
        st.integers(0, 8), st.builds(Submit, st.integers(0, 3), st.integers(1, 12), st.sampled_from((0, 1, 2, 3, 5)))
    ),
    min_size=1,
    max_size=16,
)


@given(priorities, bounded)
def test_work_is_conserved_in_order_without_idling(ranks: list[int], plan: Plan) -> None:
    """What must hold of any arbitration, whatever the model says."""
    story = told_by_engine(ranks, plan, [1])
    submits = [action for _, action in plan if isinstance(action, Submit)]
    arrivals = [sum(gap for gap, _ in plan[: number + 1]) for number in range(len(plan))]

    executed = [sum(end - start for batch, start, end in story.stretches if batch == n) for n in range(len(plan))]
    assert executed == [submit.duration for submit in submits]

    for ring in range(4):
        ends = [story.ends[number][0] for number, submit in enumerate(submits) if submit.ring == ring]
        assert ends == sorted(ends)

    free_at = 0
    for _, start, end in story.stretches:
        ready = min(arrivals[number] for number in range(len(plan)) if story.ends[number][0] > free_at)
        assert start == max(free_at, ready)
        free_at = end

    for number, submit in enumerate(submits):
        ran = 0
        for batch, start, end in story.stretches:
            if batch == number:
                ran += end - start
                assert ran == submit.duration or (submit.granularity and ran % submit.granularity == 0)
