"""The experiments in examples/cgroup-*.toml: what hweight promises, exactly, and what the older series gave.

Figures that were published stand beside what is asserted.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

import pytest

from fencepost.events import Event
from fencepost.events.kinds import BATCH, JOB_DONE, JOB_QUEUE, JOB_RUN, PERIOD_MISSED
from fencepost.lab.overrides import Overrides, chosen_scenario
from fencepost.lab.result import RunResult, WorkloadResult
from fencepost.lab.runner import run
from fencepost.lab.shares import group_shares

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"
MS = 1_000_000
S = 1_000_000_000

SATURATED = {
    "sessions": {"/user/julia": 1 / 2, "/user/manhattan": 1 / 2},
    "sessions-50": {"/user/julia": 1 / 3, "/user/manhattan": 2 / 3},
    "weights": {"/user/heaven": 1 / 2, "/user/demo": 1 / 2},
    "weights-100-1": {"/user/heaven": 100 / 101, "/user/demo": 1 / 101},
    "nested": {"/A": 1 / 3, "/A/B": 1 / 6, "/A/C": 1 / 6, "/D": 2 / 3},
    "nested-c-idle": {"/A": 1 / 3, "/A/B": 1 / 3, "/D": 2 / 3},
    "nested-d-idle": {"/A": 1, "/A/B": 1 / 2, "/A/C": 1 / 2},
    "churn": {"/apps/steady": 1 / 2, "/apps/tabs": 1 / 2},
    "crowd": {"/apps/one": 1 / 2, "/apps/many": 1 / 2},
    "idle-engine": {"/user/fast": 3 / 4, "/user/slow": 1 / 4},
    "long-jobs": {"/user/desktop": 3 / 4, "/user/batch": 1 / 4},
}
"""What the weights ask for, while everybody in these groups has more to do than there is time for."""

ONE_ENGINE = [name for name in SATURATED if not name.startswith("sessions")] + ["focus", "foreground"]


@functools.cache
def carried_out(name: str, controller: str, policy: str = "fair") -> RunResult:
    """Run an experiment, once for all tests."""
    overrides = Overrides(controller=controller, policy=policy)
    scenario = chosen_scenario(EXAMPLES / f"cgroup-{name}.toml", (), overrides)
    return run(scenario.setup(keep_events=True))


def client(name: str, controller: str, who: str, policy: str = "fair") -> WorkloadResult:
    return next(each for each in carried_out(name, controller, policy).workloads if each.client == who)


def shares(result: RunResult, engine: str) -> dict[str, float]:
    """Return what groups had of an engine while clients began further cycles; what they left is not contested."""
    groups = {each.client: each.cgroup or "/" for each in result.workloads}
    events = [event for event in result.events if event[1] != BATCH or event[2] == engine]
    had = group_shares(events, groups, int(result.elapsed_s) * 1000).had
    return {path: values[0] for path, values in had.items()}


def busy(spells: Iterable[tuple[int, int]]) -> int:
    """Return for how long at least one spell lasted."""
    total = end_ns = 0
    for start_ns, until_ns in sorted(spells):
        total += max(0, until_ns - max(start_ns, end_ns))
        end_ns = max(end_ns, until_ns)
    return total


def pending(events: Iterable[Event]) -> Iterable[tuple[int, int]]:
    """Yield from when to when each job waited and ran."""
    since: dict[tuple[int, int], int] = {}
    for time_ns, kind, *fields in events:
        if kind == JOB_QUEUE:
            since[fields[3], fields[4]] = time_ns
        elif kind == JOB_DONE:
            yield since.pop((fields[1], fields[2])), time_ns
    assert not since


# What hweight promises.


@pytest.mark.parametrize("name", SATURATED)
def test_hweight_gives_every_group_what_its_weight_asks_for(name: str) -> None:
    """Within one percentage point, in every case where all want more than there is."""
    result = carried_out(name, "hweight")
    had = shares(result, "vcs0" if name == "idle-engine" else "rcs0")
    assert {path: had[path] for path in SATURATED[name]} == pytest.approx(SATURATED[name], abs=0.01)


def test_hweight_has_the_foreground_miss_no_frame() -> None:
    """The background can be preempted between two batches, every 3 to 5 ms."""
    browser = client("foreground", "hweight", "browser")
    assert (browser.missed_periods, round(browser.cycles_per_s, 1)) == (0, 60.0)


@pytest.mark.parametrize("name", ONE_ENGINE)
def test_hweight_lets_no_engine_rest_while_anybody_has_work(name: str) -> None:
    events = carried_out(name, "hweight").events
    worked = busy((fields[4], fields[5]) for _, kind, *fields in events if kind == BATCH)
    assert worked == busy(pending(events))


@pytest.mark.parametrize("at_s", [1, 2, 3, 4, 5])
def test_hweight_has_moved_the_shares_within_two_jobs_of_a_write(at_s: int) -> None:
    """Two jobs are on the hardware when the weights of 1000 and 100 change places; eleven is where both have a turn."""
    events = carried_out("focus", "hweight").events
    heavy = "right" if at_s % 2 else "left"
    executed = [fields[1] for _, kind, *fields in events if kind == BATCH and fields[4] >= at_s * S]
    taken = [fields[2] for time_ns, kind, *fields in events if kind == JOB_RUN and time_ns >= at_s * S]
    assert executed[2:13].count(heavy) >= 10
    assert taken[:11].count(heavy) >= 10


def test_hweight_follows_each_change_of_focus() -> None:
    result = carried_out("focus", "hweight")
    groups = {each.client: each.cgroup or "/" for each in result.workloads}
    left = group_shares(result.events, groups, 1000).had["/windows/left"]
    # What was on the hardware at the change is the difference.
    assert left == pytest.approx([10 / 11, 1 / 11] * 3, abs=0.015)


# What the older series gave.


def test_without_a_controller_the_game_takes_the_browsers_frames() -> None:
    """Published: about 45 frames a second."""
    assert client("foreground", "none", "browser", "fifo").cycles_per_s == pytest.approx(45, abs=1)


def test_priorities_bring_them_back() -> None:
    """Published: 60 frames a second, none dropped."""
    browser = client("foreground", "rfc-priority", "browser", "fifo")
    assert (browser.missed_periods, round(browser.cycles_per_s, 1)) == (0, 60.0)


def test_budgets_bring_them_back_after_two_scans() -> None:
    """Published: almost as effective, delayed by the scanning period; which is 0.5 s here."""
    result = carried_out("foreground", "rfc-budget", "fifo")
    missed_ns = [event[0] for event in result.events if event[1] == PERIOD_MISSED]
    assert missed_ns[0] < 0.1 * S
    assert 0.9 * S < missed_ns[-1] < 1.1 * S


@pytest.mark.parametrize("controller", ["none", "rfc-budget-faithful", "v6", "v8", "hweight"])
def test_sessions_of_equal_weight_run_as_published(controller: str) -> None:
    """Published, for the sixth version: 252 and 96 frames a second."""
    rates = [each.cycles_per_s for each in carried_out("sessions", controller).workloads]
    assert rates == pytest.approx([252, 96], rel=0.01)


@pytest.mark.parametrize("controller", ["rfc-budget-faithful", "v6"])
def test_budgets_give_the_lighter_session_more_than_its_weight_asks_for(controller: str) -> None:
    """Published, for the sixth version: 41.3 to 59.4 of the time where 33.3 to 66.7 was asked for.

    The session is over budget for a scan before it is throttled at the next, and back within it after one more: two
    scans at a half, one at the ninth that the lowest priority gets.
    """
    had = shares(carried_out("sessions-50", controller), "rcs0")
    assert had["/user/julia"] == pytest.approx((0.5 + 0.5 + 1 / 9) / 3, abs=0.01)


def test_without_a_second_engine_the_sixth_version_lends_everything_to_whoever_has_it() -> None:
    """What all used together is no more than there was, so what one used too much others seem to have left."""
    had = shares(carried_out("weights-100-1", "v6"), "rcs0")
    assert had["/user/demo"] > 0.4


def test_weighed_entities_give_two_saturated_groups_their_shares() -> None:
    had = shares(carried_out("weights-100-1", "v8"), "rcs0")
    assert had["/user/demo"] == pytest.approx(1 / 101, abs=0.01)


def test_weighed_entities_whose_queues_run_dry_get_what_was_published() -> None:
    """Published, for the eighth version: about 75 to 25 with weights of 100 and 1."""
    had = shares(carried_out("frames-100-1", "v8"), "rcs0")
    assert had["/user/heaven"] == pytest.approx(0.75, abs=0.03)
    assert shares(carried_out("frames-100-1", "hweight"), "rcs0")["/user/heaven"] > had["/user/heaven"] + 0.1


def test_weighed_entities_know_no_ancestors() -> None:
    """Each child of A is half of its siblings and D two thirds: times pass at 1/2, 1/2 and 1/3, whatever A weighs."""
    had = shares(carried_out("nested", "v8"), "rcs0")
    assert [had["/A/B"], had["/A/C"], had["/D"]] == pytest.approx([2 / 7, 2 / 7, 3 / 7], abs=0.01)


@pytest.mark.parametrize("controller", ["none", "v6", "v8"])
def test_a_crowd_takes_all_where_entities_have_shares(controller: str) -> None:
    had = shares(carried_out("crowd", controller), "rcs0")
    assert had["/apps/one"] < 0.04


def test_clients_that_come_and_go_keep_the_first_budgets_from_taking_effect() -> None:
    assert shares(carried_out("churn", "rfc-budget-faithful"), "rcs0")["/apps/steady"] < 0.45
