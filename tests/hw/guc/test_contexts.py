"""The firmware's rule in bare hardware time; all numbers are in ns."""

from __future__ import annotations

from collections import deque

import pytest

from fencepost.fences import Fence
from fencepost.hw.guc.contexts import Contexts
from fencepost.hw.guc.emission import Emission
from fencepost.hw.guc.fence_irq import FenceIrq
from fencepost.hw.guc.messages import CatError, ContextId, ContextReset, DeregisterDone, Policies, ScheduleDone
from fencepost.hw.guc.seat import Context
from fencepost.sync import current

QUANTUM_US = 10
PATIENCE_US = 50


class Bench:
    """Contexts by name, and what was executed of each."""

    def __init__(self, engines: tuple[str, ...] = ("rcs0",)) -> None:
        self.contexts = Contexts(engines)
        self.by_name: dict[str, Context] = {}
        self.irq = FenceIrq(current(), "bench")

    def context(
        self,
        name: str,
        *lengths: int | None,
        priority: int = 2,
        engines: tuple[str, ...] = ("rcs0",),
        granularity_ns: int = 1_000,
        patience_us: int = PATIENCE_US,
    ) -> Context:
        """Make a context with batches of such lengths, and enable it."""
        number = len(self.by_name) + 1
        ring: deque[Emission] = deque()
        self.contexts.register(ContextId(number, 1), engines, ring)
        context = self.by_name[name] = self.contexts.contexts[number]
        self.contexts.set_policies(context, Policies(priority, QUANTUM_US, patience_us))
        for length in lengths:
            ring.append(self.batch(name, length, granularity_ns))
        self.contexts.enable(context)
        return context

    def batch(self, name: str, length: int | None, granularity_ns: int = 1_000) -> Emission:
        return Emission(
            client=name, finished=Fence(), irq=self.irq, seqno=1, left_ns=length, granularity_ns=granularity_ns
        )

    def ran(self, until_ns: int) -> list[tuple[str, str, int, int]]:
        """Let time pass; return engine, client, start and end of what was executed."""
        self.contexts.advance(until_ns)
        stretches = [(engine, client, start, end) for _, _, engine, client, _, _, start, end in self.contexts.stretches]
        self.contexts.stretches.clear()
        return stretches


def test_batches_of_one_context_run_in_order() -> None:
    bench = Bench()
    bench.context("a", 5, 7)
    assert bench.ran(100) == [("rcs0", "a", 0, 5), ("rcs0", "a", 5, 12)]
    assert len(bench.contexts.ended) == 2


def test_equals_take_turns_of_a_quantum() -> None:
    bench = Bench()
    bench.context("a", 25_000)
    bench.context("b", 15_000)
    assert bench.ran(100_000) == [
        ("rcs0", "a", 0, 10_000),
        ("rcs0", "b", 10_000, 20_000),
        ("rcs0", "a", 20_000, 30_000),
        ("rcs0", "b", 30_000, 35_000),
        ("rcs0", "a", 35_000, 40_000),
    ]


def test_who_is_alone_keeps_the_engine_beyond_its_quantum_and_yields_at_once_to_who_comes_then() -> None:
    bench = Bench()
    bench.context("a", 100_000)
    assert bench.ran(30_500) == []
    bench.context("b", 1_000)
    assert bench.ran(33_000) == [("rcs0", "a", 0, 31_000), ("rcs0", "b", 31_000, 32_000)]


def test_a_more_important_context_gets_the_engine_at_the_next_point_of_preemption() -> None:
    bench = Bench()
    bench.context("low", 10_000, priority=3, granularity_ns=400)
    bench.ran(1_000)
    bench.context("high", 500, priority=0)
    assert bench.ran(2_000)[:2] == [("rcs0", "low", 0, 1_200), ("rcs0", "high", 1_200, 1_700)]


def test_a_less_important_context_waits() -> None:
    bench = Bench()
    bench.context("high", 100_000, priority=0)
    bench.context("low", 1_000, priority=3)
    assert bench.ran(200_000) == [("rcs0", "high", 0, 100_000), ("rcs0", "low", 100_000, 101_000)]


def test_who_does_not_yield_in_time_loses_the_engine_and_what_it_executed() -> None:
    """The request comes when the quantum is over, at 10 us; patience ends 50 us later."""
    bench = Bench()
    stubborn = bench.context("stubborn", None, 1_000, granularity_ns=0)
    bench.context("other", 1_000)
    assert bench.ran(100_000) == [("rcs0", "stubborn", 0, 60_000), ("rcs0", "other", 60_000, 61_000)]
    assert bench.contexts.notices[-1] == ContextReset(stubborn.id)
    assert stubborn.halted
    assert len(stubborn.ring) == 1, "the next batch of it must not run: its number would complete the lost one"


def test_patience_without_end() -> None:
    bench = Bench()
    bench.context("stubborn", None, granularity_ns=0, patience_us=0)
    bench.context("other", 1_000)
    assert bench.ran(10**9) == []


def test_a_request_whose_reason_is_gone_is_withdrawn() -> None:
    bench = Bench()
    bench.context("a", 80_000, granularity_ns=0)
    other = bench.context("b", 1_000)
    bench.ran(20_000)
    bench.contexts.disable(other)
    assert bench.ran(100_000) == [("rcs0", "a", 0, 80_000)]


def test_a_context_runs_on_any_engine_that_it_may_use() -> None:
    both = ("vcs0", "vcs1")
    bench = Bench(both)
    for name in ("a", "b", "c"):
        bench.context(name, 4_000, engines=both)
    bench.context("d", 1_000, engines=("vcs1",))
    assert bench.ran(100_000) == [
        ("vcs0", "a", 0, 4_000),
        ("vcs1", "b", 0, 4_000),
        ("vcs1", "d", 4_000, 5_000),
        ("vcs0", "c", 4_000, 8_000),
    ]


def test_a_disabled_context_says_so_when_it_is_off_its_engine() -> None:
    bench = Bench()
    context = bench.context("a", 10_000)
    bench.ran(1_500)
    bench.contexts.notices.clear()
    bench.contexts.disable(context)
    assert bench.contexts.notices == []
    assert bench.ran(5_000) == [("rcs0", "a", 0, 2_000)]
    assert bench.contexts.notices == [ScheduleDone(context.id, enabled=False)]
    bench.contexts.enable(context)
    assert bench.ran(50_000) == [("rcs0", "a", 5_000, 13_000)]


def test_one_that_is_not_on_an_engine_says_so_at_once_and_can_be_forgotten() -> None:
    bench = Bench()
    context = bench.context("a")
    bench.contexts.notices.clear()
    bench.contexts.disable(context)
    bench.contexts.deregister(context)
    assert bench.contexts.notices == [ScheduleDone(context.id, enabled=False), DeregisterDone(context.id)]
    assert bench.contexts.contexts == {}


def test_nobody_looks_into_a_ring_without_being_told() -> None:
    bench = Bench()
    context = bench.context("a")
    context.ring.append(bench.batch("a", 10))
    assert bench.ran(100) == []
    bench.contexts.kick(context)
    assert bench.ran(200) == [("rcs0", "a", 100, 110)]


def test_a_dead_firmware_decides_nothing_and_what_runs_goes_on_to_the_end_of_its_ring() -> None:
    bench = Bench()
    bench.context("a", 30_000, 5_000)
    bench.context("b", 1_000)
    bench.contexts.frozen = True
    assert bench.ran(100_000) == [("rcs0", "a", 0, 30_000), ("rcs0", "a", 30_000, 35_000)]


def test_a_failed_engine_stands_still_until_all_is_cleared() -> None:
    bench = Bench()
    bench.context("a", 10_000)
    bench.ran(1_000)
    bench.contexts.fail_engine("rcs0")
    assert bench.ran(20_000) == [("rcs0", "a", 0, 1_000)]
    bench.contexts.clear()
    bench.by_name.clear()
    bench.context("b", 10)
    assert bench.ran(30_000) == [("rcs0", "b", 20_000, 20_010)]


def test_a_batch_that_faults_ends_its_context_where_it_starts() -> None:
    bench = Bench()
    context = bench.context("a", 10)
    bench.ran(100)
    faulty = bench.batch("a", 10)
    bench.contexts.faulting.add(faulty)
    context.ring.extend([faulty, bench.batch("a", 10)])
    bench.contexts.kick(context)
    assert bench.ran(200) == []
    assert bench.contexts.notices[-1] == CatError(context.id)
    assert context.halted


@pytest.mark.parametrize("running", [True, False])
def test_a_batch_that_is_dropped_leaves_the_others_alone(running: bool) -> None:  # noqa: FBT001 - a parameter
    bench = Bench()
    context = bench.context("a", 1_000, 500)
    first, second = context.ring
    bench.ran(100)
    bench.contexts.drop(first if running else second, context.ring)
    executed = bench.ran(5_000)
    assert executed[-1] == (("rcs0", "a", 100, 600) if running else ("rcs0", "a", 0, 1_000))
    assert bench.contexts.ended == [second if running else first]


def test_time_of_a_client_counts_up_to_now() -> None:
    bench = Bench()
    bench.context("a", 10_000)
    bench.contexts.advance(4_000)
    assert bench.contexts.busy_ns(bench.contexts.seats["rcs0"]) == {"a": 4_000}
