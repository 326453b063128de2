"""When clients and runs end: by number, by time, by others, from outside, and never."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest

from fencepost.errors import ActorFailed, BadInput
from fencepost.lab.result import RunResult
from fencepost.lab.runner import Progress, Stop, run
from fencepost.lab.runner.submission import Submission
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.lab.wsim import parse_text
from fencepost.sync import current

RunText = Callable[..., RunResult]

STUCK = "f,1.RCS.1000.f-1.0,q.1,2.RCS.1000.0.0,a.-4"
"""The second batch is not submitted before the first has finished, which needs the fence that is signalled after it."""


class StopAt:
    """A wish to stop that comes true at a time of the world in which it is asked."""

    def __init__(self, when_us: int) -> None:
        self._when_ns = 1000 * when_us

    def is_set(self) -> bool:
        return current().now_ns() >= self._when_ns


def client(text: str, name: str = "a", **options: Any) -> ClientSetup:  # noqa: ANN401
    return ClientSetup(name, parse_text(text, name="game", where="-w"), **options)


def test_no_cycle_begins_when_the_time_is_up(run_text: RunText) -> None:
    result = run_text("d.1000", None, duration_s=0.0105)
    assert (result.workloads[0].cycles, result.elapsed_s) == (11, 0.011)


def test_the_end_of_the_time_is_no_beginning(run_text: RunText) -> None:
    assert run_text("d.1000", None, duration_s=0.010).workloads[0].cycles == 10


def test_repeats_end_a_client_before_its_time(run_text: RunText) -> None:
    assert run_text("d.1000", 3, duration_s=1.0).elapsed_s == 0.003


def test_a_client_begins_when_it_is_told() -> None:
    clients = (client("d.1000", "a", repeats=2), client("d.1000", "b", repeats=2, start_s=0.0015))
    result = run(Setup("test", clients, world="virtual"))
    assert result.elapsed_s == 0.0035
    assert [workload.cycles_per_s for workload in result.workloads] == [1000, 1000]


def test_a_client_whose_time_is_up_before_it_begins_holds_nobody_up() -> None:
    clients = (client("d.1000", "a", repeats=2), client("d.1000", "b", start_s=3600.0))
    result = run(Setup("test", clients, world="virtual", duration_s=1.0))
    assert (result.elapsed_s, result.workloads[1].cycles, result.workloads[1].time_us) == (0.002, 0, None)


def test_a_client_in_the_background_ends_with_the_others_in_the_middle_of_its_cycle() -> None:
    """It waits for its third batch at 5000, and for nothing else than what it has submitted."""
    background = client("1.RCS.2000.0.1,d.1", "b", repeats=None, background=True)
    result = run(Setup("test", (client("d.5000"), background), world="virtual"))
    assert (result.elapsed_s, result.workloads[1].cycles) == (0.006002, 2)
    assert result.statistics.jobs_completed == 3
    assert not result.interrupted


def test_it_does_not_sleep_on() -> None:
    background = client("d.2000", "b", repeats=None, background=True)
    result = run(Setup("test", (client("d.5000"), background), world="virtual"))
    assert (result.elapsed_s, result.workloads[1].cycles) == (0.005, 2)


def test_it_closes_what_its_cycle_left_open() -> None:
    background = client("f,1.RCS.500.f-1.0,2.BCS.*.0.0,d.9999,T.-2", "b", background=True)
    result = run(Setup("test", (client("d.5000"), background), world="virtual"))
    assert result.elapsed_s == 0.0055
    assert {engine.name: engine.busy_us for engine in result.engines if engine.jobs} == {"rcs0": 500, "bcs0": 5000}


def test_it_may_end_before_the_others() -> None:
    background = client("d.1000", "b", repeats=2, background=True)
    result = run(Setup("test", (client("d.5000"), background), world="virtual"))
    assert (result.elapsed_s, result.workloads[1].cycles) == (0.005, 2)


def test_a_stop_ends_a_run_with_the_results_so_far() -> None:
    """The first client sees it before its next step at 11000; the second waits for a batch that is cancelled then."""
    clients = (client("1.RCS.1000.0.1", "a", repeats=None), client("1.BCS.1000000.0.1", "b"))
    result = run(Setup("test", clients, world="virtual"), stop=StopAt(10_500))
    assert (result.interrupted, result.deadlock, result.elapsed_s) == (True, None, 0.011)
    assert [workload.cycles for workload in result.workloads] == [10, 0]
    assert [dict(workload.gpu_time_us) for workload in result.workloads] == [{"rcs0": 11000}, {"bcs0": 11000}]
    assert (result.statistics.jobs_completed, result.statistics.jobs_cancelled) == (11, 1)
    assert result.statistics.fences_armed == result.statistics.fences_signaled


@pytest.mark.parametrize(
    "text",
    [
        "d.1000000",
        "p.1000000",
        "1.RCS.1000000.0.0,s.-1",
        "1.RCS.1000000.0.0,2.BCS.100.-1.1",
        "t.1,1.RCS.1000000.0.0,1.RCS.9.0.0",
        "q.1,1.RCS.1000000.0.0,2.RCS.9.0.0",
        "f,1.RCS.9.f-1.0,d.1000000",
        "1.RCS.*.0.0,2.RCS.9.0.0,d.1000000,T.-3",
        "w.1.4k,1.RCS.1000000.w1-0.0,2.BCS.9.r1-0.1",
    ],
)
def test_a_stop_ends_every_wait(text: str) -> None:
    clock = client("d.100", "clock", repeats=None)
    result = run(Setup("test", (clock, client(text)), world="virtual"), stop=StopAt(1_000))
    assert (result.interrupted, result.elapsed_s, result.workloads[1].cycles) == (True, 0.001, 0)
    assert result.statistics.tasks_left == 0
    assert result.statistics.fences_armed == result.statistics.fences_signaled


def test_a_stop_before_the_start_leaves_nothing_to_tell() -> None:
    stop = Stop()
    stop.set()
    result = run(Setup("test", (client("1.RCS.1000.0.1"),), world="virtual"), stop=stop)
    assert (result.interrupted, result.elapsed_s, result.workloads[0].cycles) == (True, 0.0, 0)
    assert (result.workloads[0].cycles_per_s, result.engines[0].busy_pct) == (0.0, 0.0)


def test_a_stop_that_nobody_asks_for_changes_nothing() -> None:
    assert not run(Setup("test", (client("1.RCS.9.0.1"),), world="virtual"), stop=Stop()).interrupted


def test_a_deadlock_is_told_in_the_result(run_text: RunText) -> None:
    result = run_text(f"d.500,{STUCK}")
    assert result.deadlock is not None
    assert result.deadlock.splitlines() == [
        result.deadlock.splitlines()[0],
        "  main waits for the clients",
        "  a waits for <FinishedFence a.1.rcs0:1 pending>",
    ]
    assert result.deadlock.startswith("nothing can run any more at 0.000500 s")
    assert (result.interrupted, result.elapsed_s, result.workloads[0].cycles) == (False, 0.0005, 0)
    assert (result.statistics.jobs_cancelled, result.statistics.tasks_left) == (1, 0)


def test_one_client_in_a_deadlock_does_not_keep_the_others_from_their_end() -> None:
    result = run(Setup("test", (client(STUCK, "a"), client("d.700", "b", repeats=2)), world="virtual"))
    assert result.deadlock is not None
    assert [workload.cycles for workload in result.workloads] == [0, 2]


def test_a_run_that_hangs_in_the_native_world_is_ended_by_a_stop() -> None:
    stop = Stop()

    def lose_patience(_progress: Progress) -> None:
        stop.set()

    result = run(Setup("test", (client(STUCK),), world="native"), progress=lose_patience, stop=stop)
    assert (result.interrupted, result.deadlock, result.statistics.tasks_left) == (True, None, 0)


@pytest.mark.parametrize("world", ["native", "virtual"])
def test_a_mistake_in_a_client_is_raised(world: Literal["native", "virtual"], monkeypatch: pytest.MonkeyPatch) -> None:
    def slip(*_arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Submission, "submit", slip)
    clients = (client("1.RCS.1000.0.1", "a"), client("d.1000", "b", repeats=None))
    with pytest.raises(ActorFailed, match="ZeroDivisionError"):
        run(Setup("test", clients, world=world, duration_s=3600))


def test_an_exception_out_of_the_progress_function_ends_the_run() -> None:
    def give_up(_progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(Setup("test", (client("d.3600000000"),), world="native"), progress=give_up)


@pytest.mark.parametrize(
    ("claim", "text", "options", "message"),
    [
        ("an endless client", "d.1", {}, "client a: found no number of repeats and no duration of the run"),
        (
            "one for which no time passes",
            "f,a.-1",
            {"duration_s": 1.0},
            "client a: found a workload that takes no time",
        ),
        ("an unknown policy", "d.1", {"policy": "luck", "duration_s": 1.0}, "policy: found 'luck'"),
        ("an engine that is not there", "1.VCS9.1.0.0", {"duration_s": 1.0}, '-w:1: step 1 "1.VCS9.1.0.0": found'),
    ],
)
def test_what_cannot_be_run_is_refused(claim: str, text: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        run(Setup("test", (client(text, repeats=None),), world="virtual", **options))
    assert str(caught.value).startswith(message), claim


def test_clients_of_one_name_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="clients called a, a, expected each to have a name of its own"):
        run(Setup("test", (client("d.1"), client("d.1")), world="virtual"))


def test_somebody_must_be_in_the_foreground() -> None:
    with pytest.raises(ValueError, match="no client in the foreground"):
        run(Setup("test", (client("d.1", background=True),), world="virtual"))
