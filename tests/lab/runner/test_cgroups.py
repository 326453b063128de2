"""Runs whose clients are in control groups."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from fencepost.lab.cgroups import CgroupSetup, ChangeSetup, Move, Write
from fencepost.lab.faults import FaultSetup
from fencepost.lab.result import CgroupResult, RunResult, WorkloadResult
from fencepost.lab.runner import Stop, run
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.lab.wsim import parse_text

HOG = "q.4,1.RCS.1000.0.0"
"""Wants the engine all the time, in jobs of a size at which one can go on with another."""

FOREGROUND = "1.RCS.5000.0.0,1.RCS.4500-5500.0.1,p.16667"
"""About 10 ms for each frame, at 60 Hz."""


def client(
    name: str,
    text: str = HOG,
    cgroup: str | None = None,
    *,
    repeats: int | None = None,
    background: bool = False,
) -> ClientSetup:
    workload = parse_text(text, name="steps", where="-w")
    return ClientSetup(name, workload, repeats=repeats, background=background, cgroup=cgroup)


def group(path: str, **files: object) -> CgroupSetup:
    writes = (Write(path, path, f"drm.{name}", str(value)) for name, value in files.items())
    return CgroupSetup(path, path, tuple(writes))


def write(at_s: float, path: str, name: str, text: str) -> ChangeSetup:
    return ChangeSetup(at_s, Write("at", path, name, text))


def setup(clients: tuple[ClientSetup, ...], *groups: CgroupSetup, **options: Any) -> Setup:  # noqa: ANN401
    given: dict[str, Any] = {"engines": {"rcs": 1}, "world": "virtual", "duration_s": 1.0, "controller": "hweight"}
    return Setup("test", clients, cgroups=groups, **{**given, **options})


def groups_of(result: RunResult) -> dict[str, CgroupResult]:
    return {each.path: each for each in result.cgroups}


def used_us(result: RunResult, *clients: str) -> float:
    return sum(sum(each.gpu_time_us.values()) for each in result.workloads if each.client in clients)


def only(result: RunResult, name: str) -> WorkloadResult:
    return next(each for each in result.workloads if each.client == name)


# Who is where, and what it gets.


def test_time_goes_by_the_weight_of_the_group() -> None:
    result = run(setup((client("a", cgroup="A"), client("b", cgroup="B")), group("A", weight=50), group("B")))
    shares = {path: each.share for path, each in groups_of(result).items()}
    assert shares == {"/": 1.0, "/A": pytest.approx(1 / 3, abs=0.01), "/B": pytest.approx(2 / 3, abs=0.01)}
    assert [(each.client, each.cgroup) for each in result.workloads] == [("a", "/A"), ("b", "/B")]


def test_a_group_pays_for_all_below_it() -> None:
    clients = (client("b", cgroup="A/B"), client("c", cgroup="/A/C"), client("d", cgroup="D"))
    tree = (group("A", weight=100), group("A/B"), group("A/C"), group("D", weight=200))
    result = groups_of(run(setup(clients, *tree)))
    assert result["/A"].usage_us == result["/A/B"].usage_us + result["/A/C"].usage_us
    assert [result[path].share for path in ("/A/B", "/A/C", "/D")] == [
        pytest.approx(share, abs=0.01) for share in (1 / 6, 1 / 6, 2 / 3)
    ]


def test_who_is_in_no_group_is_in_the_root() -> None:
    result = run(setup((client("a", cgroup="A"), client("free")), group("A")))
    groups = groups_of(result)
    assert only(result, "free").cgroup == "/"
    assert groups["/"].usage_us - groups["/A"].usage_us == used_us(result, "free")
    assert groups["/"].weight is None


def test_a_cap_is_told_of() -> None:
    result = groups_of(run(setup((client("a", cgroup="A"),), group("A", max="25000"))))
    assert result["/A"].usage_us == pytest.approx(250_000, abs=30_000 + 25_000)
    assert result["/A"].nr_throttled > 0
    assert result["/A"].throttled_us > 500_000


def test_a_share_is_of_engines_in_full_use() -> None:
    """The copy engine is idle most of the time: who has it takes nothing from anybody."""
    clients = (client("a", cgroup="A"), client("b", "1.BCS.500.0.1,d.5000", cgroup="B"))
    result = groups_of(run(setup(clients, group("A"), group("B"), engines={"rcs": 1, "bcs": 1})))
    assert (result["/A"].share, result["/B"].share) == (1.0, 0.0)
    assert result["/B"].engine_us["bcs"] == result["/B"].usage_us > 0


def test_nothing_is_a_share_where_nobody_had_to_wait() -> None:
    result = run(setup((client("a", "1.RCS.500.0.1,d.5000", cgroup="A"),), group("A")))
    assert [each.share for each in result.cgroups] == [None, None]


@pytest.mark.parametrize("submission", ["ring", "guc"])
def test_groups_pay_for_what_engines_executed(submission: Literal["ring", "guc"]) -> None:
    """However clients wait for each other, and come back after they were killed."""
    faults = (FaultSetup("-", "kill_client", "any", 0.0, every_s=0.05, restart_s=0.01),)
    clients = (client("a", FOREGROUND, "A"), client("b", cgroup="B"), client("c", cgroup="B"))
    result = run(setup(clients, group("A"), group("B"), submission=submission, faults=faults, timeout_s=0.1))
    groups = groups_of(result)
    assert only(result, "a").contexts_lost > 0
    assert groups["/A"].usage_us == int(used_us(result, "a"))
    assert groups["/B"].usage_us == int(used_us(result, "b", "c"))


def test_a_controller_reaches_the_queues_of_a_firmware() -> None:
    clients = (client("game", FOREGROUND, "A"), client("hog", cgroup="B", background=True))
    missed = [
        only(run(setup(clients, group("A", priority=1), group("B"), submission="guc", controller=controller)), "game")
        for controller in ("none", "rfc-priority")
    ]
    assert [each.missed_periods > 0 for each in missed] == [True, False]


# The experiment that the first series was posted with: a foreground at 60 Hz beside a hog.


@pytest.mark.parametrize(
    ("controller", "frames_per_s", "in_time"),
    [("none", 44.6, False), ("rfc-priority", 60.0, True), ("hweight", 60.0, True)],
)
def test_a_foreground_keeps_its_frames(controller: str, frames_per_s: float, *, in_time: bool) -> None:
    clients = (client("game", FOREGROUND, "fore"), client("hog", "q.8,1.RCS.1000.0.0", "back", background=True))
    groups = (group("fore", weight=1000, priority=100), group("back", weight=100))
    game = only(run(setup(clients, *groups, controller=controller, duration_s=2.0)), "game")
    assert game.cycles_per_s == pytest.approx(frames_per_s, abs=0.1)
    assert (game.missed_periods == 0) == in_time


# Changes.


def test_a_weight_counts_from_its_time_on() -> None:
    clients = (client("a", cgroup="A"), client("b", cgroup="B"))
    result = run(setup(clients, group("A"), group("B"), changes=(write(0.5, "A", "drm.weight", "300"),)))
    groups = groups_of(result)
    assert groups["/A"].weight == 300
    assert groups["/A"].share == pytest.approx((0.5 + 0.75) / 2, abs=0.01)
    assert [(each.at_s, each.change, each.outcome) for each in result.changes] == [(0.5, "A/drm.weight=300", "done")]


def test_who_moves_leaves_behind_what_it_used() -> None:
    moves = (ChangeSetup(0.75, Move("at", "a", "/")), ChangeSetup(0.5, Move("at", "a", "B")))
    result = run(setup((client("a", cgroup="A"),), group("A"), group("B"), changes=moves))
    groups = groups_of(result)
    assert [groups[path].usage_us for path in ("/A", "/B")] == [
        pytest.approx(500_000, abs=5_000),
        pytest.approx(250_000, abs=5_000),
    ]
    assert groups["/"].usage_us == used_us(result, "a")
    assert [each.change for each in result.changes] == ["a -> B", "a -> /"]
    assert only(result, "a").cgroup == "/A"


def test_a_client_leaves_its_group_at_its_end() -> None:
    clients = (client("a", repeats=1, cgroup="A"), client("b", cgroup="A"))
    moves = (ChangeSetup(0.5, Move("at", "a", "/")), ChangeSetup(0.6, Move("at", "b", "/")))
    result = run(setup(clients, group("A"), changes=moves))
    assert [(each.change, each.outcome) for each in result.changes] == [("a -> /", "ESRCH"), ("b -> /", "done")]
    assert groups_of(result)["/A"].usage_us > used_us(result, "a")


def test_what_comes_after_the_end_is_told_of() -> None:
    changes = (write(0.5, "A", "drm.weight", "2"), write(0.01, "A", "drm.weight", "1"))
    result = run(setup((client("a", repeats=20, cgroup="A"),), group("A"), changes=changes, duration_s=None))
    assert [(each.at_s, each.outcome) for each in result.changes] == [(0.01, "done"), (0.5, "not reached")]
    assert result.elapsed_s < 0.1


@pytest.mark.parametrize("world", ["virtual", "native"])
def test_an_interrupted_run_tells_what_groups_had(world: Literal["virtual", "native"]) -> None:
    stop = Stop()
    changes = (write(80_000, "A", "drm.weight", "2"),)
    one = setup((client("a", cgroup="A"),), group("A"), world=world, duration_s=None, changes=changes)
    result = run(one, stop=stop, progress=lambda _: stop.set())
    assert result.interrupted
    assert groups_of(result)["/A"].usage_us == int(used_us(result, "a"))
    assert [each.outcome for each in result.changes] == ["not reached"]
    assert result.statistics.tasks_left == 0


# What groups cost.


def test_nothing_is_made_or_told_without_groups() -> None:
    clients = (client("a"), client("b"))
    without, grouped = (
        run(setup(clients, controller=controller, duration_s=0.1)) for controller in ("none", "hweight")
    )
    assert grouped.statistics.tasks_started == without.statistics.tasks_started + 1
    assert (without.cgroups, without.driver) == ((), None)
    words = {"controller", "driver", "cgroups", "changes"}
    assert words & set(without.as_json()) == set()
    assert words <= set(grouped.as_json())
    assert "cgroup" not in without.as_json()["workloads"][0]
    assert grouped.as_json()["workloads"][0]["cgroup"] == "/"


def test_the_same_setup_is_the_same_result() -> None:
    clients = (client("a", cgroup="A"), client("b", cgroup="B"))
    one = setup(clients, group("A", weight=50), group("B"), duration_s=0.2)
    assert run(one).as_json() == run(one).as_json()


@pytest.mark.slow
def test_a_thousand_groups() -> None:
    """At the end each client has two jobs left, whatever it weighs: so nothing is exactly 2 to 1."""
    clients = tuple(client(f"c{number}", "q.2,1.RCS.1000.0.0", f"g{number}") for number in range(1000))
    groups = [group(f"g{number}", weight=number % 2 * 100 + 100) for number in range(1000)]
    result = run(setup(clients, *groups, duration_s=6.0))
    root, *others = result.cgroups
    light, heavy = ([each.usage_us for each in others if each.weight == weight] for weight in (100, 200))
    assert max(light) < min(heavy)
    assert sum(light) + sum(heavy) == root.usage_us


# On threads: whoever weighs more has more, and everything adds up. How much more depends on what else the machine does.


@pytest.mark.slow
@pytest.mark.parametrize("dispatch", ["thread", "workqueue"])
@pytest.mark.parametrize("submission", ["ring", "guc"])
@pytest.mark.parametrize("controller", ["none", "rfc-priority", "rfc-budget", "v6", "v8", "hweight"])
def test_threads_do_the_same(
    controller: str, submission: Literal["ring", "guc"], dispatch: Literal["thread", "workqueue"]
) -> None:
    tree = (
        group("A", weight=100, priority=-100, period_us=500_000),
        group("A/B"),
        group("D", weight=800, priority=100),
    )
    clients = (client("b", cgroup="A/B"), client("d", cgroup="D"), client("free", "1.RCS.200.0.1,d.2000"))
    changes = (ChangeSetup(0.2, Move("at", "free", "D")), write(0.2, "A/B", "drm.weight", "1"))
    result = run(
        setup(
            clients,
            *tree,
            world="native",
            controller=controller,
            submission=submission,
            dispatch=dispatch,
            duration_s=0.4,
            changes=changes,
            observe=True,
        )
    )
    groups = groups_of(result)
    assert [each.outcome for each in result.changes] == ["done", "done"]
    assert groups["/"].usage_us == int(used_us(result, "b", "d", "free"))
    assert groups["/A"].usage_us == groups["/A/B"].usage_us
    if controller == "hweight" and submission == "ring":
        assert groups["/D"].usage_us > groups["/A"].usage_us
    statistics = result.statistics
    assert (statistics.jobs_completed, statistics.tasks_left) == (statistics.jobs_submitted, 0)
    assert (result.races, result.lock_order, result.stalls) == ((), (), ())
