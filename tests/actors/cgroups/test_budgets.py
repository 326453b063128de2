"""The budgets of 2022 and 2023, from the files to what the hardware does; and the faults of the first posting."""

from __future__ import annotations

import pytest

from fencepost.actors import Cgroup, Client, Entity, Runtime
from fencepost.hw import Gpu
from fencepost.policies import Priority
from tests.actors.cgroups.kit import Machine, machine, shares, stat
from tests.actors.cgroups.scans import hears

BOTH = pytest.mark.parametrize("controller", ["rfc-budget", "rfc-budget-faithful"])


def hog(there: Machine, group: Cgroup, busy_s: float = 6) -> tuple[Client, Entity]:
    """Make a client that always has something to do, in jobs of 5 ms."""
    client = there.client(group, group.name)
    return client, there.busy(client, 5000, round(busy_s * 200))


@BOTH
def test_who_is_over_budget_twice_in_a_row_is_lowered_and_raised_when_that_is_over(controller: str) -> None:
    """Two that share an engine in halves, of which one has a quarter: told after one period, lowered after two."""
    with machine(controller, "i915", policy="rr") as there:
        groups = [there.group("top/A", weight="300"), there.group("top/B", weight="100")]
        first, second = (hog(there, group)[1] for group in groups)
        there.group("top").write("drm.period_us", "500000")
        seen: list[tuple[Priority, Priority]] = []
        there.rt.world.sleep(0.25)
        for _ in range(4):
            seen.append((first.priority, second.priority))
            there.rt.world.sleep(0.5)
        normal, low = Priority.NORMAL, Priority.LOW
        assert seen == [(normal, normal), (normal, normal), (normal, low), (normal, normal)]


def test_with_strict_priorities_the_two_take_turns_at_having_nothing() -> None:
    """Three quarters were asked for. Who is lowered gets nothing, so that the other is over budget next."""
    with machine("rfc-budget", "i915", policy="rr") as there:
        groups = [there.group("top/A", weight="300"), there.group("top/B", weight="100")]
        for group in groups:
            hog(there, group)
        there.group("top").write("drm.period_us", "500000")
        there.rt.world.sleep(1)
        parts: list[float] = []
        for _ in range(4):
            before = [stat(group) for group in groups]
            there.rt.world.sleep(1)
            parts.append(shares(groups, before)[0])
        assert parts == pytest.approx([1, 0, 1, 0], abs=0.02)


@pytest.mark.parametrize(
    ("controller", "after"), [("rfc-budget", Priority.NORMAL), ("rfc-budget-faithful", Priority.LOW)]
)
def test_the_end_of_scanning_frees_who_was_held_back_but_not_in_the_first_posting(
    controller: str, after: Priority
) -> None:
    with machine(controller, "i915", policy="rr") as there:
        groups = [there.group("top/A", weight="300"), there.group("top/B", weight="100")]
        _, second = [hog(there, group)[1] for group in groups]
        there.group("top").write("drm.period_us", "500000")
        there.rt.world.sleep(1.2)
        assert second.priority is Priority.LOW
        there.group("top").write("drm.period_us", "0")
        there.rt.world.sleep(1.2)
        assert second.priority is after


@pytest.mark.parametrize(("controller", "told"), [("rfc-budget", True), ("rfc-budget-faithful", False)])
def test_who_opens_and_closes_devices_keeps_the_first_posting_from_ever_telling_anybody(
    controller: str,
    told: bool,  # noqa: FBT001
) -> None:
    with machine(controller, "i915") as there:
        client, _ = hog(there, there.group("top/A", weight="1"))
        there.group("top/B", weight="10000")
        heard = hears(client)
        there.group("top").write("drm.period_us", "500000")
        for _ in range(6):
            there.rt.world.sleep(0.4)
            there.client(there.group("top/B"), "churn").close()
        assert bool(heard) is told


@BOTH
def test_one_who_is_alone_is_told_of_a_part_that_nobody_else_wants(controller: str) -> None:
    """And is lowered, as the engine is in full use; which does no harm."""
    with machine(controller, "i915", policy="rr") as there:
        group = there.group("top/A")
        there.group("top/B")
        _, entity = hog(there, group)
        there.group("top").write("drm.period_us", "500000")
        there.rt.world.sleep(1.25)
        assert entity.priority is Priority.LOW
        assert stat(group) >= 1_240_000


@BOTH
def test_a_child_of_the_root_is_held_to_nothing_itself(controller: str) -> None:
    with machine(controller, "i915", policy="rr") as there:
        groups = [there.group("A", weight="1"), there.group("B", weight="10000")]
        entities = [hog(there, group)[1] for group in groups]
        groups[0].write("drm.period_us", "500000")
        there.rt.world.sleep(1.6)
        assert [entity.priority for entity in entities] == [Priority.NORMAL] * 2


@pytest.mark.parametrize(("controller", "over"), [("rfc-budget", []), ("rfc-budget-faithful", [(900_000, 500_000)])])
def test_who_uses_two_classes_looks_over_budget_in_the_first_posting(
    controller: str, over: list[tuple[int, int]]
) -> None:
    with Runtime("virtual", controller=controller) as rt:
        gpu = Gpu({"rcs": 1, "vcs": 1})
        rings = [rt.scheduler(gpu.ring(name), name=name) for name in ("rcs0", "vcs0")]
        card = rt.cgroups.card("card0", rings, driver="i915")
        top = rt.cgroups.root.mkdir("top")
        top.write("cgroup.subtree_control", "+drm")
        groups = [top.mkdir("A"), top.mkdir("B")]
        client = card.open("client")
        groups[0].attach(client)
        for ring in rings:
            entity = client.entity([ring])
            for _ in range(45):
                entity.submit(10_000)
        rt.world.sleep(0.001)
        heard = hears(client)
        top.write("drm.period_us", "1000000")
        rt.world.sleep(1.1)
        assert [signal for signal in heard if signal[0] > signal[1]] == over


@pytest.mark.parametrize(
    ("controller", "last"), [("rfc-budget", Priority.NORMAL), ("rfc-budget-faithful", Priority.LOW)]
)
def test_who_is_moved_while_held_back_stays_so_in_the_first_posting(controller: str, last: Priority) -> None:
    with machine(controller, "i915", policy="rr") as there:
        groups = [there.group("top/A", weight="300"), there.group("top/B", weight="100")]
        (_, _), (client, second) = [hog(there, group) for group in groups]
        there.group("top").write("drm.period_us", "500000")
        there.rt.world.sleep(1.2)
        assert second.priority is Priority.LOW
        there.group("elsewhere").attach(client)
        there.rt.world.sleep(1.2)
        assert second.priority is last


@BOTH
def test_migration_does_not_count_what_was_used_elsewhere(controller: str) -> None:
    with machine(controller, "i915") as there:
        client = there.client(there.group("top/A"))
        client.entity([there.scheduler]).submit(400_000).finished.wait()
        other = there.client(there.group("top/B"), "other")
        heard = hears(other)
        there.group("top").write("drm.period_us", "500000")
        there.rt.world.sleep(0.1)
        there.group("top/B").attach(client)
        there.rt.world.sleep(1.3)
        assert heard == []


# The sixth version.


@pytest.mark.parametrize(("weights", "busy"), [(("1", "10000"), "A"), (("300", "100"), "AB"), (("10000", "1"), "AB")])
def test_v6_tells_nobody_while_all_use_one_engine(weights: tuple[str, str], busy: str) -> None:
    """What is unused is lent, and what was used is taken for all that was wanted: so there is enough for everybody."""
    with machine("v6", "i915") as there:
        names = dict(zip("AB", weights, strict=True))
        clients = {name: there.client(there.group(name, weight=weight)) for name, weight in names.items()}
        heard = [hears(client) for client in clients.values()]
        for name in busy:
            there.busy(clients[name], 10_000, 1000)
        there.rt.world.sleep(6.1)
        assert heard == [[], []]


def test_v6_tells_who_has_used_more_than_its_share_on_several() -> None:
    with Runtime("virtual", controller="v6") as rt:
        gpu = Gpu({"rcs": 1, "vcs": 1})
        rings = {name: rt.scheduler(gpu.ring(name), name=name) for name in ("rcs0", "vcs0")}
        card = rt.cgroups.card("card0", list(rings.values()), driver="i915")
        clients = {name: card.open(name) for name in "AB"}
        for name, client in clients.items():
            rt.cgroups.root.mkdir(name).attach(client)
        heard = {name: hears(client) for name, client in clients.items()}
        for name, engine in (("A", "rcs0"), ("A", "vcs0"), ("B", "rcs0")):
            entity = clients[name].entity([rings[engine]])
            for _ in range(500):
                entity.submit(10_000)
        rt.world.sleep(2.1)
        ((used_us, budget_us),) = (signal for signal in heard["A"] if signal[0])
        assert used_us == pytest.approx(3_000_000, abs=20_000)
        assert budget_us == pytest.approx(1_000_000, abs=10_000)
        assert not any(used_us for used_us, _ in heard["B"])


def test_v6_scans_while_there_are_clients() -> None:
    with machine("v6", "i915") as there:
        client, _ = hog(there, there.group("A"), busy_s=1)
        there.rt.world.sleep(1.5)
        assert there.rt.world.timers.pending
        client.close()
        there.settle()
        assert not there.rt.world.timers.pending


def test_v6_does_not_look_at_the_period_of_a_group() -> None:
    with machine("v6", "i915") as there:
        there.group("A", period_us="500000")
        there.settle()
        assert not there.rt.world.timers.pending
