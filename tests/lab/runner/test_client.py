"""Each kind of step, by the time that it takes: derived by hand, and exact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from fencepost.lab.result import RunResult

RunText = Callable[..., RunResult]


@dataclass(frozen=True)
class Case:
    """A workload and what it takes: the cycles of the client, and the whole run, both in us."""

    claim: str
    text: str
    cycle_times_us: tuple[float, ...]
    elapsed_us: float
    credit_limit: int = 2
    policy: str = "fair"
    missed: int = 0


CASES = [
    Case("a client waits for a batch that says so", "1.RCS.1000.0.1", (1000, 1000), 2000),
    Case("and for no other, but for all in the end", "1.RCS.1000.0.0", (0, 0, 0), 3000),
    Case("one engine runs one batch at a time", "1.RCS.1000.0.0,2.RCS.500.0.1", (1500,), 1500),
    Case("two engines run side by side", "1.RCS.1000.0.0,2.BCS.500.0.0", (0,), 1000),
    Case("a data dependency is waited for", "1.RCS.1000.0.0,2.BCS.500.-1.0", (0,), 1500),
    Case("a fence dependency too", "1.RCS.1000.0.0,2.BCS.500.f-1.0", (0,), 1500),
    Case("over several steps", "1.RCS.1000.0.0,2.BCS.500.0.0,3.VCS.100.-2/-1.1", (1100,), 1100),
    Case(
        "a submit dependency only until the batch begins",
        "3.RCS.700.0.0,1.RCS.1000.0.0,2.BCS.500.s-1.1",
        (1200,),
        1700,
        credit_limit=1,
    ),
    Case("a delay sleeps", "d.300,1.RCS.1000.0.1", (1300, 1300), 2600),
    Case("a sync waits for a batch", "1.RCS.1000.0.0,2.BCS.3000.0.0,s.-2", (1000,), 3000),
    Case("a period is slept to its end", "1.RCS.1000.0.1,p.5000", (1000, 1000, 1000), 15000),
    Case("one that is used up is not missed", "1.RCS.5000.0.1,p.5000", (5000, 5000), 10000),
    Case("one that is over is", "1.RCS.7000.0.1,p.5000", (7000, 7000), 14000, missed=2),
    Case("steps behind a period count, its sleep does not", "d.1000,p.5000,d.100", (1100, 1100), 10200),
    Case("what takes no time may follow the end of a period", "d.1000,p.5000,P.1.1", (1000, 1000), 10000),
    Case("a throttle waits for a batch so many steps back", "t.1,1.RCS.1000.0.0,2.BCS.500.0.0", (1000, 1500), 3000),
    Case("also in the cycle before", "t.2,1.RCS.1000.0.0,2.BCS.500.0.0", (0, 500), 2000),
    Case("and in the one before that", "t.2,1.RCS.1000.0.0", (0, 1000), 2000),
    Case("until it is taken back", "t.1,1.RCS.9.0.0,1.RCS.9.0.0,t.0,1.RCS.9.0.0", (9,), 27),
    Case("an engine takes only so many batches", "q.2,1.RCS.9.0.0,1.RCS.9.0.0,1.RCS.9.0.0,1.RCS.9.0.0", (18,), 36),
    Case("of all contexts together", "q.1,1.RCS.1000.0.0,2.RCS.500.0.0", (1000,), 1500),
    Case(
        "whichever of them is finished first",
        "M.1.VCS,B.1,M.2.VCS,B.2,M.3.VCS,B.3,q.2,1.VCS.900.0.0,2.VCS.100.0.0,3.VCS.50.0.0",
        (100,),
        900,
    ),
    Case("but of each engine by itself", "q.1,1.RCS.1000.0.0,2.BCS.500.0.0", (0,), 1000),
    Case("until this is taken back", "q.1,1.RCS.9.0.0,q.0,1.RCS.9.0.0", (0,), 18),
    Case("a fence holds a batch back", "f,1.RCS.1000.f-1.0,d.400,a.-3,s.-3", (1400, 1400), 2800),
    Case("at most to the end of the cycle", "f,1.RCS.1000.f-1.0,d.400", (400, 400), 2400),
    Case("one that has signalled does not", "f,a.-1,1.RCS.1000.f-2.1", (1000,), 1000),
    Case("an unbounded batch runs until it is ended", "1.RCS.*.0.0,d.700,T.-2,s.-3", (700, 700), 1400),
    Case("or not at all", "1.RCS.500.0.0,2.RCS.*.0.0,T.-1,s.-2", (500,), 500),
    Case(
        "a high priority goes first",
        "1.RCS.1000.0.0,1.RCS.1000.0.0,1.RCS.1000.0.0,P.2.7,d.1,2.RCS.100.0.1",
        (1100,),
        3100,
        credit_limit=1,
        policy="fifo",
    ),
    Case(
        "and a low one last",
        "P.1.-7,1.RCS.1000.0.0,1.RCS.1000.0.0,1.RCS.1000.0.0,d.1,2.RCS.100.0.1",
        (1100,),
        3100,
        credit_limit=1,
        policy="fifo",
    ),
    Case(
        "a normal one has its turn",
        "P.2.7,P.2.0,1.RCS.1000.0.0,1.RCS.1000.0.0,1.RCS.1000.0.0,d.1,2.RCS.100.0.1",
        (3100,),
        3100,
        credit_limit=1,
        policy="fifo",
    ),
    Case("context 0 is a context", "0.RCS.1000.0.0,0.RCS.1000.0.1", (2000,), 2000),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.claim)
def test_it_takes_exactly_so_long(case: Case, run_text: RunText) -> None:
    result = run_text(case.text, len(case.cycle_times_us), credit_limit=case.credit_limit, policy=case.policy)
    workload = result.workloads[0]
    assert workload.cycle_times_us == case.cycle_times_us
    assert round(result.elapsed_s * 1e6, 3) == case.elapsed_us
    assert (workload.missed_periods, result.deadlock, result.interrupted) == (case.missed, None, False)


def test_durations_are_drawn_in_whole_microseconds_from_both_bounds_and_between(run_text: RunText) -> None:
    times_us = run_text("1.RCS.7-9.0.1", 200).workloads[0].cycle_times_us
    assert set(times_us) == {7.0, 8.0, 9.0}


def test_the_work_of_the_game_is_the_sum_of_its_batches(run_text: RunText) -> None:
    """On the render engine 500 + 6 x 2000 + 2000 us, and 1000 us on the copy engine between its last two."""
    text = (
        "1.RCS.500.0.0,1.RCS.2000.0.0,1.RCS.2000.0.0,1.RCS.2000.0.0,1.RCS.2000.0.0,1.RCS.2000.0.0,1.RCS.2000.0.0,"
        "P.2.1,2.BCS.1000.-2.0,2.RCS.2000.-1.1,p.16667"
    )
    result = run_text(text, 60)
    workload = result.workloads[0]
    assert result.elapsed_s == 60 * 16667 / 1e6
    assert workload.gpu_time_us == {"rcs0": 60 * 14500, "bcs0": 60 * 1000}
    assert workload.cycle_times_us == (15500,) * 60
    assert round(workload.cycles_per_s, 6) == round(1e6 / 16667, 6)


def test_a_full_ring_holds_back_who_never_waits(run_text: RunText) -> None:
    """At 0 there is room for 128 batches, then for one each 100 us; the last cycle begins at 99.9 ms."""
    result = run_text("1.RCS.100.0.0", None, duration_s=0.1)
    assert result.workloads[0].cycles == 128 + 1000
    assert result.elapsed_s == 1128 * 100 / 1e6


def test_a_context_may_be_behind_another_of_its_own_on_a_virtual_engine(run_text: RunText) -> None:
    result = run_text("M.1.VCS,B.1,M.2.VCS,B.2,1.VCS.1000.0.0,2.VCS.1000.0.0")
    assert result.workloads[0].gpu_time_us == {"vcs0": 1000.0, "vcs1": 1000.0}
    assert result.elapsed_s == 0.001


def test_without_load_balancing_the_first_engine_of_the_map_has_it_all(run_text: RunText) -> None:
    result = run_text("M.1.VCS,M.2.VCS,1.VCS.1000.0.0,2.DEFAULT.1000.0.0")
    assert result.workloads[0].gpu_time_us == {"vcs0": 2000.0}
