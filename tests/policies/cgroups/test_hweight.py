"""Shares of groups, on a device in exact time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from random import Random

import pytest

from fencepost.policies.cgroups.hweight import HierarchicalWeight
from fencepost.policies.group import Group
from fencepost.policies.priority import Priority
from fencepost.policies.run_queue import RunQueueStatistics
from tests.policies.cgroups.device import MS, Client, Device, Weights, tree

POINT = 1.0


def forever(length_ns: int) -> Iterator[int]:
    return itertools.repeat(length_ns)


def between(low_ns: int, high_ns: int, seed: int = 0) -> Iterator[int]:
    random = Random(seed)
    while True:
        yield random.randint(low_ns, high_ns)


def shares(
    device: Device, groups: dict[str, Group], *names: str, length_ns: int = MS, entities: int = 1, ms: int = 3000
) -> list[float]:
    """Let entities of some groups want all there is, and tell what these get, in percent."""
    for name in names:
        for number in range(entities):
            device.saturate(Client(f"{name}{number}", groups[name]), forever(length_ns))
    device.run(ms * MS)
    return [device.percent(groups[name]) for name in names]


# --- shares of those who want all they can get


FLATCG: Weights = {"A": (100, {"B": 100, "C": 100}), "D": 200}


@pytest.mark.parametrize("credit_limit", [1, 2, 4])
@pytest.mark.parametrize(
    ("weights", "wanting", "expected"),
    [
        pytest.param(FLATCG, "BCD", [100 / 6, 100 / 6, 200 / 3], id="scx_flatcg"),
        pytest.param(FLATCG, "BD", [100 / 3, 200 / 3], id="what a sibling leaves stays in the group"),
        pytest.param(FLATCG, "BC", [50, 50], id="what a group leaves goes to the others"),
        pytest.param(FLATCG, "B", [100], id="alone"),
        pytest.param({"A": 100, "B": 1}, "AB", [10000 / 101, 100 / 101], id="100 to 1"),
        pytest.param({"A": 50, "B": 100}, "AB", [100 / 3, 200 / 3], id="50 to 100"),
        pytest.param({"A": 10_000, "B": 1}, "AB", [100, 0], id="10000 to 1"),
        pytest.param({"A": 200, "B": 100, "C": 100}, "ABC", [50, 25, 25], id="200 to 100 to 100"),
        pytest.param(
            {"A": (1, {"B": (1, {"C": 1, "D": 3})}), "E": (2, {"F": (7, {"G": 9})})}, "CDG", [100 / 12, 25, 200 / 3],
            id="deep",
        ),
    ],
)  # fmt: skip
def test_time_goes_down_the_tree_by_weight(
    weights: Weights, wanting: str, expected: list[float], credit_limit: int
) -> None:
    device = Device(credit_limit)
    assert shares(device, tree(weights), *wanting) == pytest.approx(expected, abs=POINT)
    assert device.idle_ns == 0


@pytest.mark.parametrize("entities", [5, 50])
def test_a_group_of_many_has_no_more_than_a_group_of_one(entities: int) -> None:
    device, groups = Device(2), tree({"one": 100, "many": 100})
    device.saturate(Client("one", groups["one"]), forever(MS))
    assert shares(device, groups, "many", entities=entities) == pytest.approx([50], abs=POINT)


def test_the_entities_of_the_root_are_as_one_more_group() -> None:
    device, groups = Device(), tree({"A": 100, "B": 200})
    for number in range(3):
        device.saturate(Client(f"own{number}", groups[""]), forever(MS))
    assert shares(device, groups, "A", "B") == pytest.approx([25, 50], abs=POINT)


def test_who_has_no_group_is_in_the_root() -> None:
    device, groups = Device(), tree({"A": 100})
    device.saturate(Client("own", None), forever(MS))
    assert shares(device, groups, "A") == pytest.approx([50], abs=POINT)


def test_priorities_count_within_a_group_only() -> None:
    device, groups = Device(), tree({"A": 100, "B": 100})
    high = device.saturate(Client("high", groups["A"], Priority.HIGH), forever(MS))
    device.saturate(Client("normal", groups["A"]), forever(MS))
    assert shares(device, groups, "B", ms=3000) == pytest.approx([50], abs=POINT)
    had = [client is high for client, of, *_ in device.ran if of is groups["A"]]
    assert 100 * sum(had) / len(had) == pytest.approx(80, abs=POINT)


@pytest.mark.slow
@pytest.mark.parametrize("credit_limit", [1, 2, 4])
def test_lengths_of_jobs_do_not_matter(credit_limit: int) -> None:
    device, groups = Device(credit_limit), tree({"A": 100, "B": 300, "C": 50})
    device.saturate(Client("A", groups["A"]), between(MS // 2, 20 * MS))
    device.saturate(Client("B", groups["B"]), forever(MS))
    device.saturate(Client("C", groups["C"]), between(3 * MS, 5 * MS))
    assert shares(device, groups, "A", "B", "C", entities=0, ms=20_000) == pytest.approx(
        [200 / 9, 600 / 9, 100 / 9], abs=POINT
    )


@pytest.mark.slow
@pytest.mark.parametrize("credit_limit", [1, 2])
def test_a_small_group_of_long_jobs_pays_for_each(credit_limit: int) -> None:
    device, groups = Device(credit_limit), tree({"A": 100, "B": 1})
    device.saturate(Client("long", groups["B"]), forever(100 * MS))
    device.saturate(Client("short", groups["A"]), forever(MS))
    device.run(60_000 * MS)
    assert device.percent(groups["B"]) == pytest.approx(100 / 101, abs=POINT / 2)


@pytest.mark.slow
def test_nobody_waits_for_more_than_ten_seconds() -> None:
    device, groups = Device(), tree({"A": 10_000, "B": 1})
    device.saturate(Client("long", groups["B"]), forever(100 * MS))
    device.saturate(Client("short", groups["A"]), forever(4 * MS))
    device.run(60_000 * MS)
    begins = [start for client, _, start, _ in device.ran if client.name == "long"]
    assert len(begins) >= 5
    assert max(after - before for before, after in itertools.pairwise(begins)) <= 10_200 * MS


# --- changes


@pytest.mark.parametrize(("weight", "percent"), [(900, 90), (25, 20)])
@pytest.mark.parametrize("credit_limit", [1, 2])
def test_a_new_weight_shows_within_two_jobs(weight: int, percent: int, credit_limit: int) -> None:
    device, groups = Device(credit_limit), tree({"A": 100, "B": 100})
    shares(device, groups, "A", "B", ms=1000)
    device.change(lambda: device.queue.set_weight(groups["A"], weight))
    device.run(1200 * MS)
    assert device.percent(groups["A"], 1002 * MS) == pytest.approx(percent, abs=POINT)


@pytest.mark.parametrize("credit_limit", [1, 2])
def test_focus_that_changes_each_second_is_followed_at_once(credit_limit: int) -> None:
    device, groups = Device(credit_limit), tree({"A": 1000, "B": 100})
    for name in "AB":
        device.saturate(Client(name, groups[name]), between(MS, 4 * MS))
    for second in range(1, 10):
        front, back = ("A", "B") if second % 2 else ("B", "A")
        device.run(second * 1000 * MS)
        assert device.percent(groups[front], (second - 1) * 1000 * MS) == pytest.approx(1000 / 11, abs=POINT)
        device.queue.set_weight(groups[front], 100)
        device.queue.set_weight(groups[back], 1000)


def test_a_weight_may_be_set_before_anybody_comes() -> None:
    device, groups = Device(), tree({"A": 100, "B": 100})
    device.queue.set_weight(groups["A"], 300)
    device.queue.set_weight(groups[""], 7)
    assert shares(device, groups, "A", "B") == pytest.approx([75, 25], abs=POINT)


@pytest.mark.parametrize("idle_ms", [10, 1000, 5000])
def test_rest_earns_nothing(idle_ms: int) -> None:
    device, groups = Device(), tree({"A": 100, "B": 100})
    device.saturate(Client("busy", groups["B"]), forever(MS))
    device.saturate(Client("early", groups["A"]), [MS] * 10)
    device.run(idle_ms * MS)
    device.saturate(Client("late", groups["A"]), forever(MS))
    device.run((idle_ms + 20) * MS)
    assert device.percent(groups["A"], idle_ms * MS) <= 55


def test_what_was_used_alone_is_not_owed() -> None:
    device, groups = Device(), tree({"A": 100, "B": 100})
    device.saturate(Client("alone", groups["A"]), [MS] * 5000)
    device.run(5000 * MS)
    shares(device, groups, "A", "B", ms=5100)
    assert device.percent(groups["A"], 5000 * MS) == pytest.approx(50, abs=POINT)


def test_who_comes_and_goes_has_no_more_than_its_share() -> None:
    device, groups = Device(), tree({"A": 100, "B": 100})
    device.saturate(Client("stays", groups["A"]), forever(MS))
    for ms in range(0, 4000, 7):
        client = Client(f"comes{ms}", groups["B"])
        device.at(ms * MS, lambda client=client: device.saturate(client, [MS] * 6))  # type: ignore[misc]
    device.run(4000 * MS)
    assert device.percent(groups["B"]) == pytest.approx(50, abs=POINT)


def test_a_client_that_waits_for_each_job_has_what_it_asks_for_of_its_share() -> None:
    device, groups = Device(), tree({"A": 300, "B": 100})
    device.saturate(Client("waits", groups["A"]), forever(MS), depth=1)
    device.saturate(Client("queues", groups["B"]), forever(MS))
    device.run(1000 * MS)
    assert device.percent(groups["A"]) == pytest.approx(50, abs=POINT)


# --- moves


def test_who_moves_takes_its_jobs_along_and_leaves_what_it_used() -> None:
    device, groups = Device(2), tree({"A": 100, "B": 100, "C": 100})
    mover = device.saturate(Client("mover", groups["A"]), forever(MS))
    device.saturate(Client("stays", groups["C"]), forever(MS))
    device.run(1000 * MS)
    device.queue.move(mover, groups["B"])
    device.saturate(Client("left", groups["A"]), forever(MS))
    device.run(4000 * MS)
    for name in "ABC":
        assert device.percent(groups[name], 1000 * MS) == pytest.approx(100 / 3, abs=POINT)
    used = [device.queue.group_statistics(groups[name]) for name in "ABC"]
    assert sum(each.runtime_ns for each in used) == 4000 * MS
    assert sum(each.running for each in used) == 2


def test_who_is_outside_or_blocked_may_move_too() -> None:
    queue, groups = HierarchicalWeight[Client](), tree({"A": 100, "B": 100})
    client = Client("client", groups["A"])
    queue.move(client, groups["B"])
    queue.join(client, 5)
    queue.move(client, groups["A"])
    assert (client.group, client in queue, queue.any_ready, client.submit_ns) == (groups["A"], True, False, 5)
    queue.wake(client, 1)
    assert queue.select(1) is client


def test_a_job_that_will_not_run_costs_nothing() -> None:
    device, groups = Device(), tree({"A": 100, "B": 100})
    banned = device.saturate(Client("banned", groups["A"]), forever(MS))
    shares(device, groups, "B", ms=100)
    device.saturate(banned, forever(MS))
    for _ in range(3):
        device.queue.pop(banned, 0, 1)
        device.queue.drop(banned)
    device.run(1100 * MS)
    assert device.percent(groups["B"], 100 * MS) == pytest.approx(50, abs=POINT)


def test_a_group_is_forgotten_when_nobody_is_in_it() -> None:
    queue, groups = HierarchicalWeight[Client](), tree({"A": 100})
    client = Client("client", groups["A"])
    queue.join(client, 0, 1)
    with pytest.raises(ValueError, match=r"<Group /A> cannot be forgotten: <Node 'client' NORMAL ready> is in it"):
        queue.forget(groups["A"])
    queue.pop(client, None, None)
    queue.forget(groups["A"])
    queue.forget(groups["A"])
    queue.charge(client, 3 * MS)
    assert queue.group_statistics(groups["A"]).runtime_ns == 0


# --- caps


@pytest.mark.parametrize("credit_limit", [1, 3])
@pytest.mark.parametrize("share", [Fraction(1, 5), Fraction(1, 3), Fraction(1, 1000)])
def test_a_cap_holds_also_when_nobody_else_wants_anything(share: Fraction, credit_limit: int) -> None:
    device, groups = Device(credit_limit), tree({"A": 100})
    groups["A"].max_share = share
    assert shares(device, groups, "A", length_ns=4 * MS, ms=20_000) == pytest.approx([100 * share], abs=POINT)


@pytest.mark.slow
def test_what_a_cap_takes_goes_to_the_others() -> None:
    device, groups = Device(), tree({"A": (300, {"B": 100, "C": 100}), "D": 100})
    groups["A"].max_share = Fraction(3, 10)
    groups["B"].max_share = Fraction(1, 10)
    assert shares(device, groups, "B", "C", "D", ms=10_000) == pytest.approx([10, 20, 70], abs=POINT)
    assert device.idle_ns == 0
    statistics = device.queue.group_statistics(groups["A"])
    assert statistics.throttled > 10
    assert 5000 * MS < statistics.throttled_ns < 10_000 * MS


def test_a_cap_may_change_and_end() -> None:
    device, groups = Device(), tree({"A": 100})
    groups["A"].max_share = Fraction(1, 10)
    shares(device, groups, "A", ms=5000)
    device.change(lambda: device.queue.set_max_share(groups["A"], Fraction(1, 2)))
    device.run(10_000 * MS)
    assert device.percent(groups["A"], 5000 * MS) == pytest.approx(50, abs=2 * POINT)
    device.change(lambda: device.queue.set_max_share(groups["A"], None))
    device.run(11_000 * MS)
    assert device.percent(groups["A"], 10_000 * MS) == pytest.approx(100, abs=POINT)


def test_who_is_held_back_is_not_ready_though_it_is_a_member() -> None:
    queue, groups = HierarchicalWeight[Client](), tree({"A": 100})
    groups["A"].max_share = Fraction(1, 10)
    client = Client("client", groups["A"])
    queue.join(client, 0, 1)
    queue.pop(client, 0, 1)
    queue.charge(client, 30 * MS)
    assert (queue.any_ready, queue.select(9), queue.head, len(queue)) == (False, None, client, 1)
    assert queue.statistics() == RunQueueStatistics(ready=1, blocked=0, stale=0)
    # 20 ms more than the burst of 10 ms
    assert queue.refill(0) == 200 * MS + 1
    assert queue.refill(200 * MS) == 200 * MS + 1
    assert queue.refill(200 * MS + 1) is None
    assert (queue.select(9), queue.refill(0)) == (client, None)


# --- the calls of a run queue


def test_calls_that_do_not_fit_are_refused() -> None:
    queue, groups = HierarchicalWeight[Client](), tree({"A": 100})
    client = Client("client", groups["A"])
    queue.leave(client)
    with pytest.raises(ValueError, match="cannot wake: it is not a blocked member of this run queue"):
        queue.wake(client, 1)
    with pytest.raises(ValueError, match="no job to take: it is not a ready member of this run queue"):
        queue.pop(client, None, None)
    with pytest.raises(ValueError, match="no job to account"):
        queue.charge(client, 1)
    with pytest.raises(ValueError, match="no job to account"):
        queue.drop(client)
    queue.join(client, 0)
    with pytest.raises(ValueError, match="already"):
        queue.join(client, 0)
    with pytest.raises(ValueError, match="ready"):
        queue.pop(client, None, None)
    queue.wake(client, 1)
    with pytest.raises(ValueError, match="blocked"):
        queue.wake(client, 1)


def test_a_big_job_is_not_overtaken() -> None:
    queue, groups = HierarchicalWeight[Client](), tree({"A": 100, "B": 100})
    big, small = Client("big", groups["A"]), Client("small", groups["B"])
    queue.join(big, 0, 3)
    queue.join(small, 0, 1)
    assert queue.select(2) is None
    assert (queue.select(3), queue.head) == (big, big)
    queue.leave(big)
    assert (queue.select(2), queue.head, len(queue)) == (small, small, 1)
    queue.leave(small)
    assert (queue.head, queue.any_ready, big in queue) == (None, False, False)
