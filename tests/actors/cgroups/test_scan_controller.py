"""A controller that looks from time to time: when, at what, and who is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fencepost.actors import Runtime
from fencepost.actors.cgroups import hierarchy
from fencepost.hw import Gpu
from tests.actors.cgroups.kit import Machine, machine
from tests.actors.cgroups.scans import ScriptedController, ScriptedScan, hears


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setattr(hierarchy, "CONTROLLERS", {"none": ScriptedController})
    with machine() as there:
        yield there


def scans(there: Machine) -> list[ScriptedScan]:
    there.settle()
    actor = there.rt.cgroups.actor
    assert isinstance(actor, ScriptedController)
    return actor.scans


def looks_ms(scan: ScriptedScan) -> list[int]:
    return [now_ns // 1_000_000 for now_ns, _ in scan.looks]


def test_it_looks_once_a_period(scanned: Machine) -> None:
    group = scanned.group("top", period_us="500000")
    scanned.rt.world.sleep(1.6)
    group.write("drm.period_us", "0")
    scanned.rt.world.sleep(1)
    (scan,) = scans(scanned)
    assert looks_ms(scan) == [0, 500, 1000, 1500]


def test_a_period_that_is_written_begins_anew(scanned: Machine) -> None:
    group = scanned.group("top", period_us="2000000")
    scanned.rt.world.sleep(1.9)
    group.write("drm.period_us", "600000")
    scanned.rt.world.sleep(1.3)
    assert [looks_ms(scan) for scan in scans(scanned)] == [[0], [1900, 2500, 3100]]


def test_nobody_looks_at_a_group_that_is_gone(scanned: Machine) -> None:
    scanned.group("top", period_us="500000").rmdir()
    scanned.rt.world.sleep(1.3)
    assert [looks_ms(scan) for scan in scans(scanned)] == [[0]]


def test_each_child_of_the_root_has_a_scan_of_its_own(scanned: Machine) -> None:
    scanned.group("one", period_us="500000")
    scanned.group("two", period_us="1000000")
    scanned.rt.world.sleep(1.1)
    assert [(scan.root.name, looks_ms(scan)) for scan in scans(scanned)] == [
        ("one", [0, 500, 1000]),
        ("two", [0, 1000]),
    ]


def test_it_sees_what_was_used_in_each_group_itself(scanned: Machine) -> None:
    outer, inner = scanned.group("top"), scanned.group("top/A")
    client = scanned.client(inner)
    scanned.busy(client, 1000, 300)
    outer.write("drm.period_us", "500000")
    scanned.rt.world.sleep(0.6)
    (scan,) = scans(scanned)
    used = {group.name: used_us for group, used_us in scan.looks[-1][1].items()}
    assert used == {"": 0, "top": 0, "A": 300_000}


def test_what_a_removed_child_has_used_was_not_used_by_its_parent(scanned: Machine) -> None:
    inner = scanned.group("top/A")
    client = scanned.client(inner)
    client.entity([scanned.scheduler]).submit(1000).finished.wait()
    client.close()
    inner.rmdir()
    scanned.group("top").write("drm.period_us", "500000")
    (scan,) = scans(scanned)
    assert set(scan.looks[0][1].values()) == {0}


def test_time_is_that_of_a_whole_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hierarchy, "CONTROLLERS", {"none": ScriptedController})
    with Runtime("virtual") as rt:
        gpu = Gpu({"rcs": 1, "vcs": 2})
        rings = [rt.scheduler(gpu.ring(name), name=name) for name in ("rcs0", "vcs0", "vcs1")]
        client = rt.cgroups.card("card0", rings).open("client")
        group = rt.cgroups.root.mkdir("A")
        group.attach(client)
        for ring in rings:
            client.entity([ring]).submit(1001)
        rt.world.sleep(0.1)
        assert client.active_us() == 1001 + 1001
        group.write("drm.period_us", "500000")
        rt.world.sleep(0.6)
        actor = rt.cgroups.actor
        assert isinstance(actor, ScriptedController)
        assert 2002 in actor.scans[0].looks[-1][1].values()


def test_who_is_told_are_the_clients_of_the_group_itself(scanned: Machine) -> None:
    outer = scanned.group("top")
    group, other = scanned.group("top/A"), scanned.group("top/B")
    below = group.mkdir("C")
    first, second, third, beside = (scanned.client(each) for each in (group, group, below, other))
    heard = [hears(client) for client in (first, second, third, beside)]
    first.entity([scanned.scheduler]).submit(1000)
    outer.write("drm.period_us", "500000")
    scanned.rt.world.sleep(0.6)
    assert heard == [[(1000, 0)], [(1000, 0)], [(1000, 0)], []]
    group.mkdir("D")
    group.write("drm.weight", "3")
    outer.write("drm.period_us", "0")
    scanned.settle()
    assert heard[0][1:] == [(0, 1)]


def test_who_has_moved_is_told_that_it_is_under_no_budget_until_the_next_look(scanned: Machine) -> None:
    outer = scanned.group("top")
    group, other = scanned.group("top/A"), scanned.group("top/B")
    client = scanned.client(group)
    scanned.settle()
    heard = hears(client)
    outer.write("drm.period_us", "500000")
    scanned.rt.world.sleep(0.6)
    other.attach(client)
    scanned.rt.world.sleep(0.6)
    group.attach(client)
    scanned.rt.world.sleep(0.6)
    assert heard == [(0, 0), (0, 0), (0, 0), (0, 0)]


def test_who_has_gone_is_told_nothing(scanned: Machine) -> None:
    outer = scanned.group("top")
    client = scanned.client(scanned.group("top/A"))
    heard = hears(client)
    outer.write("drm.period_us", "500000")
    scanned.settle()
    del heard[:]
    client.close()
    scanned.rt.world.sleep(0.6)
    assert heard == []


def test_a_move_or_an_exit_does_not_make_it_begin_anew(scanned: Machine) -> None:
    """Who opens and closes devices all the time cannot keep a scan from ever coming to its end."""
    outer = scanned.group("top", period_us="500000")
    first, second = scanned.group("top/A"), scanned.group("top/B")
    for _ in range(30):
        client = scanned.client(first)
        client.entity([scanned.scheduler]).submit(11_000).finished.wait()
        second.attach(client)
        client.entity([scanned.scheduler]).submit(31_000).finished.wait()
        client.close()
    outer.write("drm.period_us", "0")
    (scan,) = scans(scanned)
    assert looks_ms(scan) == [0, 500, 1000]
    used = [{group.name: used_us for group, used_us in seen.items()} for _, seen in scan.looks]
    assert [(each["A"], each["B"]) for each in used] == [(0, 0), (132_000, 341_000), (264_000, 713_000)]
