"""What dfs leaves out, it leaves out rightly: it comes to the same outcomes and traces as trying every order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.errors import UnsatisfiedAssumption

from fencepost.actors import Runtime
from fencepost.checks.clock_policy import parse_clock_policy
from fencepost.checks.outcome import run_once
from fencepost.checks.search import DfsStrategy
from fencepost.checks.watched_fields import WATCHED_FIELDS
from fencepost.errors import Deadlock
from fencepost.fences import Fence
from fencepost.sync import current
from fencepost.sync.controlled import CLOCK, Step
from fencepost.sync.watched import watching

Op: TypeAlias = tuple[str, int]
Program: TypeAlias = list[list[Op]]

OPS = [(op, 0) for op in ("locked", "put", "get", "signal", "look", "wait")] + [("locked", 1), ("nap", 1), ("nap", 2)]

RUNS = 1000
"""Programs with more schedules than that are left to the patient."""

# Of a few kinds of steps only, so that they meet.
few_ops = st.lists(st.sampled_from(OPS), min_size=1, max_size=3, unique=True)
programs = few_ops.flatmap(
    lambda ops: st.lists(st.lists(st.sampled_from(ops), min_size=1, max_size=3), min_size=2, max_size=3)
)


class Machine:
    """Things that tasks share, and what each of them saw."""

    def __init__(self) -> None:
        world = current()
        self.world = world
        self.locks = [world.lock() for _ in range(2)]
        self.counts = [0, 0]
        self.mailbox = world.mailbox("mail")
        self.fence = Fence(1, 1)
        self.seen: list[list[Any]] = []

    def run(self, number: int, ops: list[Op]) -> None:
        self.seen[number].extend(getattr(self, op)(number, which) for op, which in ops)

    def locked(self, number: int, which: int) -> int:
        with self.locks[which]:
            self.counts[which] = 10 * self.counts[which] + number + 1
            return self.counts[which]

    def put(self, number: int, which: int) -> None:  # noqa: ARG002
        self.mailbox.put(number)

    def get(self, number: int, which: int) -> Any:  # noqa: ANN401, ARG002
        return self.mailbox.get()

    def signal(self, number: int, which: int) -> bool:  # noqa: ARG002
        return self.fence.signal()

    def look(self, number: int, which: int) -> bool:  # noqa: ARG002
        return self.fence.signaled

    def wait(self, number: int, which: int) -> bool:  # noqa: ARG002
        return self.fence.wait(0.001)

    def nap(self, number: int, which: int) -> int:  # noqa: ARG002
        self.world.sleep_until(which * 1_000_000)
        return self.world.now_ns()


def model_of(program: Program, outcomes: set[str]) -> Callable[[Runtime], None]:
    def model(runtime: Runtime) -> None:
        machine = Machine()
        machine.seen = [[] for _ in program]
        tasks = [
            runtime.spawn(lambda number=number, ops=ops: machine.run(number, ops), f"t{number}")  # type: ignore[misc]
            for number, ops in enumerate(program)
        ]
        stuck = False
        try:
            for task in tasks:
                task.join()
        except Deadlock:
            stuck = True
        outcomes.add(repr((machine.seen, machine.counts, machine.fence.error, stuck)))

    return model


def outcomes_of(program: Program, bound: int, timers: str, *, reduce: bool) -> tuple[set[str], int]:
    outcomes: set[str] = set()
    strategy = DfsStrategy(bound, reduce=reduce)
    runs = run_all(model_of(program, outcomes), strategy, timers, outcomes)
    return outcomes, runs


def orders_of(steps: Sequence[Step]) -> str:
    """Say in which order the steps on each thing came, looks between two changes being in no order: the whole trace."""
    orders: dict[int, list[list[str]]] = {}
    jumps = 0
    for who, action, thing in steps:
        if who == CLOCK:
            jumps += 1
            continue
        groups = orders.setdefault(thing, [])
        step = f"{who} {action} {jumps}"
        if action in ("look", "read") and groups and groups[-1][0].split()[1] in ("look", "read"):
            groups[-1].append(step)
            groups[-1].sort()
        else:
            groups.append([step])
    return repr(sorted(orders.items()))


def run_all(model: Callable[[Runtime], None], strategy: DfsStrategy, timers: str, traces: set[str]) -> int:
    runs = 0
    with watching(WATCHED_FIELDS):
        while (search := strategy.next_search()) is not None:
            if runs == RUNS:
                raise UnsatisfiedAssumption
            outcome = run_once(model, search, clock_slack_ns=parse_clock_policy(timers), step_limit=2000)
            traces.add(orders_of(outcome.steps))
            strategy.learn(0)
            runs += 1
    return runs


def compare(program: Program, bound: int, timers: str) -> None:
    every, runs = outcomes_of(program, bound, timers, reduce=False)
    reduced, fewer_runs = outcomes_of(program, bound, timers, reduce=True)
    assert reduced == every
    assert fewer_runs <= runs


every_case = given(program=programs, bound=st.integers(0, 2), timers=st.sampled_from(["never", "free"]))


@every_case
@example(program=[[("wait", 0), ("wait", 0)], [("get", 0)], [("wait", 0)]], bound=1, timers="free")
@example(program=[[("wait", 0), ("wait", 0)], [("wait", 0)], [("locked", 0)]], bound=1, timers="free")
@settings(max_examples=15, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_the_reduction_leaves_no_outcome_out(program: Program, bound: int, timers: str) -> None:
    compare(program, bound, timers)


@pytest.mark.slow
@pytest.mark.timeout(600)
@every_case
@settings(max_examples=300, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
def test_the_reduction_leaves_no_outcome_out_of_many_programs(program: Program, bound: int, timers: str) -> None:
    compare(program, bound, timers)


def test_related_steps_of_two_tasks_are_tried_in_both_orders() -> None:
    program: Program = [[("locked", 0)], [("locked", 0)]]
    outcomes, _ = outcomes_of(program, 0, "never", reduce=True)
    assert sum("False)" in outcome for outcome in outcomes) == 2


def test_unrelated_steps_are_tried_in_one_order() -> None:
    program: Program = [[("locked", 0)], [("locked", 1)]]
    assert outcomes_of(program, 2, "never", reduce=True)[1] < outcomes_of(program, 2, "never", reduce=False)[1]
