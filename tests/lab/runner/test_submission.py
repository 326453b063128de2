"""Where batches go that are bonded to others."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fencepost.lab.result import RunResult

RunText = Callable[..., RunResult]

MAPS = "M.1.VCS,B.1,M.2.VCS,B.2,"


@pytest.mark.parametrize(
    ("claim", "text", "vcs0_us", "vcs1_us"),
    [
        ("without a bond it goes where there is room", "1.VCS.1000.0.0,2.VCS.500.s-1.0", 1000, 500),
        ("a bond decides", "b.2.VCS1.VCS1,1.VCS.1000.0.0,2.VCS.500.s-1.0", 1500, 0),
        ("if its master is there", "b.2.VCS1.VCS2,1.VCS.1000.0.0,2.VCS.500.s-1.0", 1000, 500),
        ("the first that does", "b.2.VCS2.VCS2,b.2.VCS1.VCS1,1.VCS.1000.0.0,2.VCS.500.s-1.0", 1500, 0),
        ("a class is all of its engines", "b.2.VCS1.VCS,1.VCS.1000.0.0,2.VCS.500.s-1.0", 1500, 0),
        ("unfinished batches of others are masters too", "b.2.VCS1.VCS1,1.VCS.1000.0.0,2.VCS.500.0.0", 1500, 0),
        ("but not finished ones", "b.2.VCS1.VCS1,1.VCS.1000.0.1,3.VCS.400.0.0,2.VCS.500.0.0", 1900, 0),
        ("nor those of its own context", "b.2.VCS1.VCS1,2.VCS.1000.0.0,2.VCS.500.0.0", 1500, 0),
        ("an engine that is named stays", "b.2.VCS1.VCS1,1.VCS.1000.0.0,2.VCS2.500.s-1.0", 1000, 500),
    ],
)
def test_a_bond_confines_a_batch(claim: str, text: str, vcs0_us: float, vcs1_us: float, run_text: RunText) -> None:
    engines = {engine.name: engine.busy_us for engine in run_text(MAPS + text).engines}
    assert (engines["vcs0"], engines["vcs1"]) == (vcs0_us, vcs1_us), claim


def test_a_bond_does_not_upset_the_order_of_a_context(run_text: RunText) -> None:
    """The second batch of context 2 goes to another engine than the first, and still comes after it."""
    result = run_text(f"{MAPS}b.2.VCS2.VCS1,2.VCS.3000.0.0,1.VCS1.100.0.0,2.VCS.500.s-1.1")
    assert result.workloads[0].gpu_time_us == {"vcs0": 3100.0, "vcs1": 500.0}
    assert result.workloads[0].cycle_times_us == (3500.0,)


def test_a_split_frame_takes_its_parts_together_and_then_joins_them(run_text: RunText) -> None:
    """Both halves begin with the fence at 300 and end at 5300, and 6000 us of work follow."""
    text = (
        "M.1.VCS1,B.1,M.2.VCS2,B.2,b.2.VCS2.VCS1,f,1.DEFAULT.*.f-1.0,2.DEFAULT.5000.s-1.0,d.300,a.-4,s.-3,T.-5,"
        "3.RCS.3000.-6/-5.0,3.VECS.2000.-1.0,4.BCS.1000.-1.0,s.-1,p.16667"
    )
    result = run_text(text, 3)
    workload = result.workloads[0]
    assert workload.cycle_times_us == (11300,) * 3
    assert workload.gpu_time_us == {"rcs0": 9000, "bcs0": 3000, "vcs0": 15000, "vcs1": 15000, "vecs0": 6000}
    assert result.elapsed_s == 3 * 16667 / 1e6
