"""Static priorities: what is written, what counts, and what drivers make of it."""

from __future__ import annotations

import pytest

from fencepost.actors import Entity
from fencepost.actors.cgroups import Driver
from fencepost.policies import Priority
from tests.actors.cgroups.kit import Machine, machine, shares, stat

PRIORITIES = {"P": -1000, "P/A": 0, "P/B": 100, "Q": -8000, "Q/A": -8000, "Q/A/B": 5000, "R": 10000, "R/A": 1}
EFFECTIVE = {"P": -1000, "P/A": -1000, "P/B": -900, "Q": -8000, "Q/A": -10000, "Q/A/B": -5000, "R": 10000, "R/A": 10000}


@pytest.mark.parametrize("top_down", [True, False])
def test_a_priority_counts_on_top_of_the_parents_within_the_limits_at_each_level(top_down: bool) -> None:  # noqa: FBT001
    with machine() as there:
        groups = {path: there.group(path) for path in PRIORITIES}
        for path in PRIORITIES if top_down else reversed(PRIORITIES):
            groups[path].write("drm.priority", str(PRIORITIES[path]))
        assert {path: int(group.read("drm.priority")) for path, group in groups.items()} == PRIORITIES
        assert {path: int(group.read("drm.effective_priority")) for path, group in groups.items()} == EFFECTIVE


def test_a_group_that_is_made_below_has_what_counts_for_the_one_above() -> None:
    with machine() as there:
        there.group("P", priority="-1000")
        assert there.group("P/A").read("drm.effective_priority") == "-1000\n"


@pytest.mark.parametrize(
    ("drivers", "levels"),
    [([], "n/a"), (["i915"], "3"), (["generic"], "0"), (["i915", "amdgpu"], "3"), (["i915", "generic"], "0")],
)
def test_how_many_priorities_there_are(drivers: list[str], levels: str) -> None:
    with machine() as there:
        group, below = there.group("A"), there.group("A").mkdir("B")
        for driver in drivers:
            group.attach(there.rt.cgroups.card(f"card-{driver}", driver=driver).open("client"))
        below.attach(there.card.open("client"))
        assert group.read("drm.priority_levels") == f"{levels}\n"


@pytest.mark.parametrize(
    ("drivers", "supported"),
    [([], "n/a"), (["i915"], "yes"), (["generic"], "no"), (["i915", "amdgpu"], "no"), (["i915", "i915"], "yes")],
)
def test_whether_budgets_are_any_use(drivers: list[str], supported: str) -> None:
    with machine() as there:
        group = there.group("A")
        for number, driver in enumerate(drivers):
            group.attach(there.rt.cgroups.card(f"card-{number}", driver=driver).open("client"))
        assert group.read("drm.budget_supported") == f"{supported}\n"


class Fine(Driver):
    """A driver with as many priorities as i915 has without its firmware."""

    def priority_levels(self) -> int:
        return 2047


def test_a_star_says_that_some_clients_can_tell_more_apart() -> None:
    with machine(driver="i915") as there:
        group, card = there.group("A"), there.rt.cgroups.card("fine", driver=Fine)
        there.client(group)
        group.attach(card.open("client"))
        assert group.read("drm.priority_levels") == "3*\n"


# As it was posted first.

POSTED = pytest.mark.parametrize(("controller", "posted"), [("rfc-priority", False), ("rfc-priority-faithful", True)])


@POSTED
def test_a_new_group_inherits_nothing_in_the_first_posting_until_something_is_changed(
    controller: str,
    posted: bool,  # noqa: FBT001
) -> None:
    with machine(controller, "i915") as there:
        parent, group = there.group("P", priority="-1000"), there.group("P/A")
        entity = there.client(group).entity([there.scheduler])
        for _ in range(2):
            assert group.read("drm.effective_priority") == ("0\n" if posted else "-1000\n")
            assert settled(there, entity) is (Priority.NORMAL if posted else Priority.LOW)
            # What it has already is no change.
            group.write("drm.priority", "0")
        parent.write("drm.priority", "-2000")
        assert group.read("drm.effective_priority") == "-2000\n"
        assert settled(there, entity) is Priority.LOW


@POSTED
def test_a_group_that_gets_the_controller_back_is_a_new_one(controller: str, posted: bool) -> None:  # noqa: FBT001
    with machine(controller) as there:
        parent, group = there.group("P", priority="-1000"), there.group("P/A", priority="7")
        assert group.read("drm.effective_priority") == "-993\n"
        assert group.drm is not None
        former = group.drm.group
        parent.write("cgroup.subtree_control", "-drm")
        parent.write("cgroup.subtree_control", "+drm")
        assert group.read("drm.effective_priority") == ("0\n" if posted else "-1000\n")
        # Of the former one nothing is kept but the tree it was in.
        assert there.rt.cgroups.priorities.effective(former) == (0 if posted else -993)


@POSTED
def test_clients_without_priorities_beside_others_make_a_star_in_the_first_posting(
    controller: str,
    posted: bool,  # noqa: FBT001
) -> None:
    with machine(controller, "i915") as there:
        group = there.group("A")
        there.client(group)
        group.attach(there.rt.cgroups.card("other").open("client"))
        assert group.read("drm.priority_levels") == ("0*\n" if posted else "0\n")


@POSTED
@pytest.mark.parametrize("first", [True, False])
def test_a_process_without_clients_behind_others_makes_a_star_in_the_first_posting(
    controller: str,
    posted: bool,  # noqa: FBT001
    first: bool,  # noqa: FBT001
) -> None:
    with machine(controller, "i915") as there:
        group, idle = there.group("A"), there.rt.cgroups.process("idle")
        if first:
            group.attach(idle)
        there.client(group)
        group.attach(idle)
        assert group.read("drm.priority_levels") == ("3*\n" if posted and not first else "3\n")


def settled(there: Machine, entity: Entity) -> Priority:
    there.settle()
    return entity.priority


DRIVERS = pytest.mark.parametrize("driver", ["i915", "amdgpu", "xe"])


@DRIVERS
def test_an_entity_has_the_priority_of_its_group(driver: str) -> None:
    with machine("rfc-priority", driver) as there:
        group = there.group("A", priority="-1")
        group.write("drm.priority", "-10")
        client = there.client(group)
        entity = client.entity([there.scheduler])
        assert settled(there, entity) is Priority.LOW
        group.write("drm.priority", "10")
        assert settled(there, entity) is Priority.HIGH
        there.rt.cgroups.root.attach(client)
        assert settled(there, entity) is Priority.NORMAL
        there.group("B", priority="-500").attach(client)
        assert settled(there, entity) is Priority.LOW


@DRIVERS
def test_a_write_reaches_what_is_below(driver: str) -> None:
    with machine("rfc-priority", driver) as there:
        entity = there.client(there.group("A/B")).entity([there.scheduler])
        beside = there.client(there.group("C")).entity([there.scheduler])
        there.group("A").write("drm.priority", "-1000")
        assert (settled(there, entity), settled(there, beside)) == (Priority.LOW, Priority.NORMAL)


@pytest.mark.parametrize(
    ("own", "written", "counts"),
    [
        (Priority.HIGH, -5120, Priority.NORMAL),
        (Priority.HIGH, -5130, Priority.LOW),
        (Priority.HIGH, -5000, Priority.HIGH),
        (Priority.LOW, 5120, Priority.NORMAL),
        (Priority.NORMAL, -9, Priority.NORMAL),
        (Priority.NORMAL, -10, Priority.LOW),
        (Priority.NORMAL, 1, Priority.HIGH),
        (Priority.KERNEL, -10000, Priority.HIGH),
    ],
)
def test_i915_adds_a_tenth_of_it_rounded_up_to_the_contexts_own(own: Priority, written: int, counts: Priority) -> None:
    with machine("rfc-priority", "i915") as there:
        entity = there.client(there.group("A", priority=str(written))).entity([there.scheduler], priority=own)
        assert settled(there, entity) is counts


def test_without_the_controller_a_priority_is_stored_and_no_more() -> None:
    with machine("none", "i915") as there:
        group = there.group("A", priority="-1000")
        entity = there.client(group).entity([there.scheduler])
        assert group.read("drm.effective_priority") == "-1000\n"
        assert settled(there, entity) is Priority.NORMAL


def test_in_strict_order_of_priority_who_is_lower_gets_nothing_while_the_other_has_jobs() -> None:
    with machine("rfc-priority", "i915", policy="rr") as there:
        groups = [there.group("foreground"), there.group("background")]
        for group in groups:
            there.busy(there.client(group))
        there.rt.world.sleep(0.1)
        assert shares(groups) == pytest.approx([0.5, 0.5], abs=0.01)
        groups[1].write("drm.priority", "-1000")
        before = [stat(group) for group in groups]
        there.rt.world.sleep(0.1)
        # But for the job that was on the hardware.
        assert stat(groups[1]) - before[1] <= 1000
        assert stat(groups[0]) - before[0] >= 99_000
