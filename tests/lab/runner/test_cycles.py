"""The account of cycles, with clocks that are late."""

from __future__ import annotations

from fencepost.events import EventRing
from fencepost.events.kinds import CYCLE, PERIOD_MISSED
from fencepost.lab.runner.cycles import Cycles
from fencepost.lab.wsim import parse_text

STEPS = parse_text("1.RCS.1.0.1,p.10", name="game", where="-w").steps


def test_a_late_wake_up_does_not_move_the_next_cycle() -> None:
    cycles = Cycles("a", STEPS, None)
    cycles.begin(0)
    assert cycles.period(1, 10, 4_000) == 10_000
    cycles.end(10_700)
    assert cycles.start_ns == 10_000
    assert cycles.times_ns == [4_000]


def test_a_missed_period_lets_the_next_cycle_begin_at_once() -> None:
    ring = EventRing()
    cycles = Cycles("a", STEPS, ring)
    cycles.begin(0)
    assert cycles.period(1, 10, 10_001) is None
    cycles.end(10_050)
    assert (cycles.start_ns, cycles.missed, cycles.times_ns) == (10_050, 1, [10_050])
    assert [*ring] == [(10_001, PERIOD_MISSED, "a", 1), (10_050, CYCLE, "a", 0, 10_050)]


def test_a_step_behind_the_period_takes_its_time() -> None:
    cycles = Cycles("a", parse_text("p.10,1.RCS.1.0.1", name="game", where="-w").steps, None)
    cycles.begin(0)
    cycles.period(0, 10, 1_000)
    cycles.end(12_000)
    assert (cycles.start_ns, cycles.times_ns) == (12_000, [3_000])


def test_each_cycle_has_an_account_of_its_own() -> None:
    cycles = Cycles("a", STEPS, None)
    cycles.begin(0)
    cycles.period(1, 10, 4_000)
    cycles.end(10_000)
    cycles.period(1, 10, 25_000)
    cycles.end(25_000)
    assert (cycles.times_ns, cycles.missed, cycles.count) == ([4_000, 15_000], 1, 2)
