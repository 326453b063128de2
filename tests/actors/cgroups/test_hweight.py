"""Hierarchical weights, from the files to what the hardware does: exact, in virtual time."""

from __future__ import annotations

import pytest

from fencepost.actors import Runtime
from fencepost.actors.cgroups.group_scheduler import GroupSchedulerActor
from fencepost.hw import MockBackend
from tests.actors.cgroups.kit import machine, shares, stat

POINT = 0.01


@pytest.mark.parametrize(
    ("weights", "entities", "ideal"),
    [
        ({"A": 100, "B": 100}, {}, [1 / 2, 1 / 2]),
        ({"A": 100, "B": 50}, {}, [2 / 3, 1 / 3]),
        ({"A": 100, "B": 1}, {}, [100 / 101, 1 / 101]),
        ({"A": 200, "B": 100, "C": 100}, {}, [1 / 2, 1 / 4, 1 / 4]),
        ({"A": 100, "B": 100}, {"A": 7}, [1 / 2, 1 / 2]),
        ({"A/B": 100, "A/C": 100, "D": 200}, {}, [1 / 6, 1 / 6, 2 / 3]),
    ],
)
def test_shares_are_as_the_files_say(weights: dict[str, int], entities: dict[str, int], ideal: list[float]) -> None:
    with machine("hweight") as there:
        groups = [there.group(path, weight=str(weight)) for path, weight in weights.items()]
        for path, group in zip(weights, groups, strict=True):
            for _ in range(entities.get(path, 1)):
                there.busy(there.client(group))
        there.rt.world.sleep(0.6)
        assert shares(groups) == pytest.approx(ideal, abs=POINT)


@pytest.mark.parametrize("text", ["1000", "default 1000", "card0 1000"])
def test_a_weight_counts_from_the_next_pick_on(text: str) -> None:
    with machine("hweight") as there:
        groups = [there.group("A"), there.group("B")]
        for group in groups:
            there.busy(there.client(group))
        there.rt.world.sleep(0.5)
        before = [stat(group) for group in groups]
        groups[0].write("drm.weight", text)
        there.rt.world.sleep(0.011)
        # Two jobs late at most: the one on the hardware, and the one it was the turn of.
        assert stat(groups[1]) - before[1] <= 3000
        there.rt.world.sleep(0.5)
        now = shares(groups, before)
        assert now == pytest.approx([10 / 11, 1 / 11], abs=POINT)


def test_a_card_has_a_weight_of_its_own_also_when_it_was_written_before_anybody_came() -> None:
    with Runtime("virtual", controller="hweight") as rt:
        schedulers = [rt.scheduler(MockBackend(), name=f"gpu{number} rcs") for number in range(2)]
        cards = [rt.cgroups.card(f"card{number}", [scheduler]) for number, scheduler in enumerate(schedulers)]
        groups = [rt.cgroups.root.mkdir(name) for name in "AB"]
        groups[0].write("drm.weight", "card1 300")
        for group in groups:
            process = rt.cgroups.process(group.name)
            group.attach(process)
            for card in cards:
                entity = card.open(group.name, process).entity(card.schedulers)
                for _ in range(1000):
                    entity.submit(1000)
        rt.world.sleep(0.4)
        on_card = [
            [int(line.split("=")[1].split()[0]) for line in group.read("drm.stat").splitlines()[3:]] for group in groups
        ]
        assert on_card[0][0] / (on_card[0][0] + on_card[1][0]) == pytest.approx(1 / 2, abs=POINT)
        assert on_card[0][1] / (on_card[0][1] + on_card[1][1]) == pytest.approx(3 / 4, abs=POINT)
        assert groups[0].read("drm.weight") == "default 100\ncard1 300\n"
        groups[0].write("drm.weight", "card1 default")
        assert groups[0].read("drm.weight") == "100\n"
        before = on_card[0][1]
        rt.world.sleep(0.4)
        used = int(groups[0].read("drm.stat").splitlines()[4].split("=")[1].split()[0])
        assert (used - before) / 400_000 == pytest.approx(1 / 2, abs=POINT)


def test_a_client_takes_its_new_groups_part_at_once() -> None:
    with machine("hweight") as there:
        small, great, other = there.group("A", weight="10"), there.group("B", weight="90"), there.group("C")
        client = there.client(small)
        there.busy(client)
        there.busy(there.client(other))
        there.rt.world.sleep(0.5)
        great.attach(client)
        small.rmdir()
        there.rt.world.sleep(0.5)
        before = stat(great), stat(other)
        there.rt.world.sleep(0.5)
        assert shares([great, other], before) == pytest.approx([90 / 190, 100 / 190], abs=POINT)


def test_who_comes_with_jobs_into_a_group_finds_the_cards_weight_there() -> None:
    with machine("hweight") as there:
        heavy, first, other = there.group("A", weight="card0 300"), there.group("B"), there.group("C")
        client = there.client(first)
        there.busy(client)
        there.busy(there.client(other))
        there.rt.world.sleep(0.1)
        heavy.attach(client)
        before = stat(heavy), stat(other)
        there.rt.world.sleep(0.4)
        assert shares([heavy, other], before) == pytest.approx([3 / 4, 1 / 4], abs=POINT)


def test_nothing_is_kept_of_a_group_that_is_gone() -> None:
    with machine("hweight") as there:
        group = there.group("A", weight="card0 300")
        client = there.client(group)
        client.entity([there.scheduler]).submit(1000).finished.wait()
        actor, governed = there.scheduler.actor, client.group
        assert isinstance(actor, GroupSchedulerActor)
        assert actor.group_statistics(governed).runtime_ns == 1_000_000
        group.write("drm.weight", "card0 400")
        client.close()
        group.rmdir()
        there.settle()
        assert actor.group_statistics(governed).runtime_ns == 0


def test_who_enables_the_controller_below_divides_the_share() -> None:
    with machine("hweight") as there:
        outer, other = there.group("A"), there.group("B")
        first, second = outer.mkdir("C"), outer.mkdir("D")
        for group in (first, second, other):
            there.busy(there.client(group))
        there.rt.world.sleep(0.3)
        assert stat(outer) == pytest.approx(stat(other), abs=2000)
        outer.write("cgroup.subtree_control", "+drm")
        first.write("drm.weight", "300")
        before = stat(outer), stat(other), stat(first), stat(second)
        there.rt.world.sleep(0.4)
        now = [
            each - then
            for each, then in zip((stat(outer), stat(other), stat(first), stat(second)), before, strict=True)
        ]
        assert [each / 400_000 for each in now] == pytest.approx([1 / 2, 1 / 2, 3 / 8, 1 / 8], abs=POINT)


def test_a_cap_holds_also_when_nobody_else_wants_the_engine() -> None:
    with machine("hweight") as there:
        group = there.group("A", max="20000 100000")
        there.busy(there.client(group))
        there.rt.world.sleep(1)
        used = stat(group)
        # A fifth, and what a burst allows.
        assert 200_000 <= used <= 221_000
        assert stat(group, "nr_throttled") > 0
        # All the time but that of the first burst: a job that is under way has spent what comes next.
        assert 1_000_000 - used <= stat(group, "throttled_usec") <= 1_000_000


def test_a_cap_can_be_changed_and_lifted() -> None:
    with machine("hweight") as there:
        group = there.group("A", max="20000 100000")
        assert group.read("drm.max") == "20000 100000\n"
        there.busy(there.client(group))
        there.rt.world.sleep(1)
        group.write("drm.max", "50000")
        before = stat(group)
        there.rt.world.sleep(1)
        assert stat(group) - before == pytest.approx(500_000, abs=60_000)
        group.write("drm.max", "max")
        assert group.read("drm.max") == "max 100000\n"
        before = stat(group)
        there.rt.world.sleep(0.1)
        assert stat(group) - before >= 99_000


def test_who_is_held_back_for_long_goes_on_when_the_cap_is_lifted() -> None:
    with machine("hweight") as there:
        group = there.group("A", max="1000 1000000")
        there.busy(there.client(group))
        there.rt.world.sleep(0.5)
        assert stat(group) <= 2000
        group.write("drm.max", "max")
        before = stat(group)
        there.rt.world.sleep(0.1)
        assert stat(group) - before >= 98_000


def test_who_may_go_on_soon_does_not_wait_for_who_may_late() -> None:
    with machine("hweight") as there:
        late, soon = there.group("A", max="1000 1000000"), there.group("B", max="50000 100000")
        there.busy(there.client(late))
        there.rt.world.sleep(0.01)
        there.busy(there.client(soon))
        there.rt.world.sleep(0.8)
        assert stat(soon) >= 400_000
        assert stat(late) <= 3000


def test_a_cap_of_a_group_holds_for_all_below() -> None:
    with machine("hweight") as there:
        groups = [there.group("A/B"), there.group("A/C")]
        there.group("A").write("drm.max", "30000")
        for group in groups:
            there.busy(there.client(group))
        there.rt.world.sleep(1)
        assert stat(there.group("A")) == pytest.approx(300_000, abs=32_000)
        assert shares(groups) == pytest.approx([1 / 2, 1 / 2], abs=0.02)


def test_the_engine_is_never_idle_while_anybody_has_work() -> None:
    with machine("hweight") as there:
        groups = [there.group("A", weight="1"), there.group("B", weight="10000")]
        there.busy(there.client(groups[0]))
        there.rt.world.sleep(0.2)
        assert stat(groups[0]) >= 199_000


def test_banned_jobs_do_not_confuse_the_account() -> None:
    with machine("hweight") as there:
        groups = [there.group("A"), there.group("B")]
        clients = [there.client(group) for group in groups]
        entity = there.busy(clients[0])
        there.busy(clients[1])
        there.rt.world.sleep(0.05)
        job = entity.submit(1000)
        job.queue.ban(job.queue.health)
        with pytest.raises(OSError, match="lost jobs"):
            entity.wait_idle()
        last = clients[0].entity([there.scheduler])
        for _ in range(300):
            last.submit(1000)
        before = [stat(group) for group in groups]
        there.rt.world.sleep(0.2)
        assert shares(groups, before) == pytest.approx([1 / 2, 1 / 2], abs=0.02)


def test_an_entity_on_another_cards_scheduler_is_refused() -> None:
    with machine("hweight") as there:
        other = there.rt.cgroups.card("card1", [there.rt.scheduler(MockBackend(), name="gpu1")])
        with pytest.raises(ValueError, match="may run on <Scheduler rcs0>, expected one of <Card card1>'s"):
            other.open("client").entity([there.scheduler])
