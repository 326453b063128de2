"""Scans under search: clients move, leave and use the hardware at the moment of a look."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Final

import pytest

from fencepost.actors import Client, Runtime
from fencepost.actors.cgroups import hierarchy
from fencepost.actors.cgroups.account import Account
from fencepost.actors.cgroups.budget_controllers import FaithfulBudgetController
from fencepost.actors.cgroups.cgroup import Cgroup
from fencepost.actors.cgroups.hierarchy import Cgroups
from fencepost.actors.cgroups.process import Process
from fencepost.hw import MockBackend
from tests import searching
from tests.actors.cgroups.scans import ScriptedController, ScriptedScan, hears
from tests.actors.kit import ask_name

FIELDS: Final[Mapping[type, str]] = {
    Account: "_used_ns _parent",
    Process: "group _exiting _clients",
    Client: "closed process group _entities",
    Cgroup: "removed drm children processes",
    Cgroups: "_cards _processes",
}
assert_clean = partial(searching.assert_clean, fields=FIELDS, schedules=150)

PERIOD_S: Final = 0.5


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hierarchy, "CONTROLLERS", {"none": ScriptedController})


class Scene:
    """A scan that is due in half a second; A is over its budget, B is not; a client in A has used 10 us."""

    def __init__(self, rt: Runtime) -> None:
        self.rt = rt
        self.scheduler = rt.scheduler(MockBackend(), name="rcs0")
        self.card = rt.cgroups.card("card0", [self.scheduler])
        self.top = rt.cgroups.root.mkdir("top")
        self.top.write("cgroup.subtree_control", "+drm")
        self.over, self.under = self.top.mkdir("A"), self.top.mkdir("B")
        self.client = self.card.open("client")
        self.over.attach(self.client)
        self.entity = self.client.entity([self.scheduler])
        self.entity.submit(10).finished.wait()
        ask_name(rt.cgroups.actor)
        self.heard = hears(self.client)
        self.top.write("drm.period_us", "500000")
        ask_name(rt.cgroups.actor)

    def wait_for_the_look(self) -> None:
        begin_ns, _ = self.scan.looks[0]
        self.rt.world.sleep_until(begin_ns + 500_000_000)

    def end(self) -> None:
        self.top.write("drm.period_us", "0")
        ask_name(self.rt.cgroups.actor)

    @property
    def scan(self) -> ScriptedScan:
        actor = self.rt.cgroups.actor
        assert isinstance(actor, ScriptedController)
        return actor.scans[0]


def test_a_migration_during_a_scan_counts_the_client_once_and_it_ends_up_under_no_budget() -> None:
    def model(rt: Runtime) -> None:
        scene = Scene(rt)
        job = scene.entity.submit(500_000)
        scene.wait_for_the_look()
        scene.under.attach(scene.client)
        job.finished.wait()
        ask_name(rt.cgroups.actor)
        _, used_us = scene.scan.looks[1]
        assert sum(used_us.values()) in (10, 500_010)
        # Whatever it was told by the look, the last word is that of the move.
        assert scene.heard[-1] == (0, 0)
        scene.end()
        assert scene.heard[-1] == (0, 0)

    assert_clean(model)


def test_an_exit_during_a_scan() -> None:
    def model(rt: Runtime) -> None:
        scene = Scene(rt)

        def close() -> None:
            scene.wait_for_the_look()
            scene.client.close()

        closer = rt.spawn(close)
        scene.wait_for_the_look()
        closer.join()
        scene.over.rmdir()
        ask_name(rt.cgroups.actor)
        _, used_us = scene.scan.looks[-1]
        assert sum(used_us.values()) <= 10
        assert scene.heard in ([], [(10, 0)])
        scene.end()

    assert_clean(model)


def test_a_scan_that_is_ended_when_it_is_due_ends() -> None:
    def model(rt: Runtime) -> None:
        scene = Scene(rt)
        scene.wait_for_the_look()
        scene.end()
        looks = len(scene.scan.looks)
        assert scene.heard[-1] == (0, 1)
        rt.world.sleep(2 * PERIOD_S)
        ask_name(rt.cgroups.actor)
        assert len(scene.scan.looks) == looks

    assert_clean(model)


def test_a_group_that_is_made_or_removed_during_a_scan() -> None:
    def model(rt: Runtime) -> None:
        scene = Scene(rt)

        def rebuild() -> None:
            scene.wait_for_the_look()
            scene.top.mkdir("C")
            with suppress(OSError):
                scene.under.rmdir()

        builder = rt.spawn(rebuild)
        scene.wait_for_the_look()
        builder.join()
        rt.world.sleep(1.5 * PERIOD_S)
        ask_name(rt.cgroups.actor)
        names = {group.name for group in scene.scan.looks[-1][1]}
        assert names == {"", "top", "A", "C"}
        scene.end()

    assert_clean(model)


def test_a_client_that_comes_while_the_first_posting_begins_anew_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is used is looked up while nobody comes or goes: see `FaithfulBudgetController._begin_anew`."""
    monkeypatch.setattr(hierarchy, "CONTROLLERS", {"none": FaithfulBudgetController})

    def model(rt: Runtime) -> None:
        card, top = rt.cgroups.card("card0"), rt.cgroups.root.mkdir("top")
        top.write("drm.period_us", "500000")
        client = card.open("client")
        ask_name(rt.cgroups.actor)
        coming = rt.spawn(lambda: card.open("other"))
        top.attach(client)
        coming.join()
        top.write("drm.period_us", "0")
        ask_name(rt.cgroups.actor)

    assert_clean(model)
