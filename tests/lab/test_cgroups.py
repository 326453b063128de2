from __future__ import annotations

import pytest

from fencepost.actors import Runtime
from fencepost.errors import BadInput
from fencepost.lab.cgroups import (
    CARD,
    CgroupSetup,
    Move,
    Write,
    driver_for,
    goes_with,
    make_change,
    make_groups,
    no_effect,
    try_out,
)

GROUPS = (
    CgroupSetup("A", "A", (Write("A weight", "A", "drm.weight", "300"),)),
    CgroupSetup("B", "A/B", (Write("B weight", "A/B", "drm.weight", f"{CARD} 50"),)),
)


def test_groups_are_made_with_what_is_in_their_files() -> None:
    with Runtime("virtual") as runtime:
        tree = runtime.cgroups
        tree.card(CARD)
        make_groups(tree, GROUPS)
        assert tree.lookup("A").read("drm.weight") == "300\n"
        assert tree.lookup("A/B").read("drm.weight") == "default 100\ncard0 50\n"


def test_a_change_is_a_write_or_a_move() -> None:
    with Runtime("virtual") as runtime:
        tree = runtime.cgroups
        client = tree.card(CARD).open("game")
        make_groups(tree, GROUPS)
        make_change(tree, Write("w", "A", "drm.weight", "7"), {})
        make_change(tree, Move("m", "game", "A/B"), {"game": client})
        assert tree.lookup("A").read("drm.weight") == "7\n"
        assert client.process.group is tree.lookup("A/B")
        client.close()
        with pytest.raises(OSError, match="has exited"):
            make_change(tree, Move("m", "game", "/"), {"game": client})


def test_what_goes_well_on_trial_is_not_refused() -> None:
    changes: list[Write | Move] = [
        Move("m2", "game", "/"),
        Move("m1", "game", "A/B"),
        Write("w", "A", "drm.max", "5000"),
    ]
    try_out(GROUPS, [("c", "game", "A/B")], changes, {"rcs": 1})


def test_a_refusal_names_what_the_person_wrote() -> None:
    with pytest.raises(BadInput, match=r'^w: found "1" \(EINVAL\), expected 1000 to 1000000 us$'):
        try_out(GROUPS, [], [Write("w", "A", "drm.max", "1")], {"rcs": 1})


@pytest.mark.parametrize(
    ("controller", "submission", "driver"),
    [("hweight", "ring", "i915"), ("v6", "guc", "i915"), ("v8", "ring", "amdgpu"), ("v8", "guc", "xe")],
)
def test_a_controller_has_the_driver_it_was_made_for(controller: str, submission: str, driver: str) -> None:
    assert driver_for(controller, submission) == driver
    assert (no_effect(controller, driver, submission) is None) == (controller != "hweight" or submission == "ring")


@pytest.mark.parametrize(
    ("controller", "driver", "submission", "reason"),
    [
        ("hweight", "i915", "ring", None),
        ("hweight", "i915", "guc", "it divides what entities share, and each queue of a firmware has one"),
        ("rfc-budget", "xe", "ring", "the driver xe takes no budgets"),
        ("v6", "amdgpu", "guc", "the driver amdgpu takes no budgets"),
        ("v8", "i915", "ring", "the driver i915 takes no weights"),
        ("v8", "amdgpu", "guc", "amdgpu weighs what entities share, and each queue of a firmware has one"),
        ("v8", "xe", "ring", None),
        ("rfc-priority", "xe", "guc", None),
        ("none", "i915", "ring", None),
    ],
)
def test_what_changes_nothing_is_known(controller: str, driver: str, submission: str, reason: str | None) -> None:
    assert no_effect(controller, driver, submission) == reason


@pytest.mark.parametrize(
    ("policy", "controller", "submission", "possible"),
    [
        ("fair", "hweight", "ring", True),
        ("rr", "hweight", "ring", False),
        ("fifo", "v8", "ring", False),
        ("fifo", "v6", "ring", True),
        ("rr", "hweight", "guc", True),
    ],
)
def test_a_controller_that_orders_picks_needs_the_fair_policy(
    policy: str, controller: str, submission: str, *, possible: bool
) -> None:
    assert goes_with(policy, controller, submission) == possible
