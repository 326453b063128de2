"""The hierarchy: groups, the processes in them, and who governs whom."""

from __future__ import annotations

import pytest

from fencepost.actors import Runtime
from fencepost.errors import BadInput, WrongState
from fencepost.hw import MockBackend
from tests.actors.cgroups.kit import machine


def test_a_group_is_found_by_its_path() -> None:
    with machine() as there:
        group = there.group("A/B")
        cgroups = there.rt.cgroups
        assert [cgroups.lookup(path) for path in ("A/B", "/A/B", "/A/B/")] == [group] * 3
        assert cgroups.lookup("/") is cgroups.lookup("") is cgroups.root
        assert (group.path, cgroups.root.path, repr(group)) == ("/A/B", "/", "<Cgroup /A/B>")


def test_a_removed_group_is_found_no_more_and_its_name_is_free() -> None:
    with machine() as there:
        first = there.group("A", weight="7")
        first.rmdir()
        second = there.group("A")
        assert second is not first
        assert second.read("drm.weight") == "100\n"
        assert repr(first) == "<Cgroup /A removed>"


def test_everybody_starts_in_the_root() -> None:
    with machine() as there:
        client = there.card.open("game")
        root = there.rt.cgroups.root
        assert client.process.group is root
        assert root.read("cgroup.procs") == f"{client.process.pid}\n"


def test_a_client_brings_its_whole_process_along() -> None:
    with machine() as there:
        process = there.rt.cgroups.process("game")
        first, second = there.card.open("first", process), there.card.open("second", process)
        group = there.group("A")
        group.attach(first)
        assert process.group is group
        assert first.group is second.group
        assert group.read("cgroup.procs") == f"{process.pid}\n"
        assert process.clients == (first, second)


def test_a_process_moves_by_its_number() -> None:
    with machine() as there:
        client = there.card.open("game")
        group = there.group("A")
        group.write("cgroup.procs", f" {client.process.pid:#x}\n")
        assert client.process.group is group
        assert there.rt.cgroups.root.read("cgroup.procs") == ""


def test_to_be_attached_where_it_is_changes_nothing() -> None:
    with machine() as there:
        group = there.group("A")
        client = there.client(group)
        governed = client.group
        group.attach(client)
        group.attach(client.process)
        assert client.group is governed


def test_a_process_leaves_when_it_exits_and_its_group_can_go() -> None:
    with machine() as there:
        group = there.group("A")
        process = there.rt.cgroups.process("game")
        group.attach(process)
        client = there.card.open("game", process)
        assert group.read("cgroup.events") == "populated 1\nfrozen 0\n"
        process.exit()
        process.exit()
        assert client.closed
        assert process.group is None
        assert group.read("cgroup.events") == "populated 0\nfrozen 0\n"
        group.rmdir()


def test_a_process_that_was_made_for_a_client_exits_with_it() -> None:
    with machine() as there:
        group = there.group("A")
        client = there.client(group)
        client.close()
        client.close()
        assert client.process.group is None
        group.rmdir()


def test_one_that_was_not_stays() -> None:
    with machine() as there:
        process = there.rt.cgroups.process("game")
        there.card.open("game", process).close()
        assert process.group is there.rt.cgroups.root


def test_a_client_that_was_handed_over_is_governed_as_its_new_process() -> None:
    """The X server opens a device for a game."""
    with machine() as there:
        server, game = there.rt.cgroups.process("server"), there.rt.cgroups.process("game")
        group = there.group("A")
        group.attach(game)
        client = there.card.open("game", server)
        client.hand_over(game)
        assert client.process is game
        assert client.group.name == "A"
        assert (server.clients, game.clients) == ((), (client,))
        server.exit()
        assert not client.closed


def test_one_that_is_handed_over_leaves_the_process_that_was_made_for_it() -> None:
    with machine() as there:
        client, game = there.card.open("game"), there.rt.cgroups.process("game")
        own = client.process
        client.hand_over(game)
        client.close()
        assert own.group is None
        assert game.group is there.rt.cgroups.root


def test_one_that_is_handed_over_to_its_own_process_stays() -> None:
    with machine() as there:
        client = there.card.open("game")
        client.hand_over(client.process)
        assert client.process.clients == (client,)
        client.close()
        with pytest.raises(WrongState, match="was closed"):
            client.hand_over(there.rt.cgroups.process("other"))


def test_a_closed_client_gets_no_entities() -> None:
    with machine() as there:
        client, other = there.card.open("game"), there.card.open("other")
        entity = other.entity([there.scheduler])
        entity.submit(1)
        with pytest.raises(WrongState, match="it has had jobs"):
            client.adopt(entity)
        client.close()
        with pytest.raises(WrongState, match="it was closed"):
            client.entity([there.scheduler])


def test_all_clients_are_known() -> None:
    with machine() as there:
        clients = [there.card.open("one"), there.client(there.group("A/B"), "two"), there.client(there.group("C"))]
        assert there.rt.cgroups.clients == clients
        clients.pop(0).close()
        assert there.rt.cgroups.clients == clients


def test_populated_tells_of_groups_below() -> None:
    with machine() as there:
        below = there.group("A/B")
        assert there.group("A").read("cgroup.events").startswith("populated 0\n")
        there.client(below)
        assert there.group("A").read("cgroup.events").startswith("populated 1\n")


def test_who_governs_a_process_is_the_nearest_group_with_the_controller() -> None:
    with machine() as there:
        outer = there.group("A")
        below = outer.mkdir("B")
        client = there.client(below)
        assert not below.controlled
        assert client.group.path == "/A"
        outer.write("cgroup.subtree_control", "+drm")
        assert client.group.path == "/A/B"
        below.write("drm.weight", "7")
        outer.write("cgroup.subtree_control", "-drm")
        assert client.group.path == "/A"
        outer.write("cgroup.subtree_control", "+drm")
        assert (client.group.path, below.read("drm.weight")) == ("/A/B", "100\n")


def test_the_controllers_of_a_group_are_those_that_its_parent_enables() -> None:
    with machine() as there:
        group = there.group("A")
        below = group.mkdir("B")
        files = ("cgroup.controllers", "cgroup.subtree_control")
        assert [group.read(file) for file in files] == ["drm\n", "\n"]
        assert [below.read(file) for file in files] == ["\n", "\n"]
        group.write("cgroup.subtree_control", "-drm +drm")
        assert [group.read(file) for file in files] == ["drm\n", "drm\n"]
        assert [below.read(file) for file in files] == ["drm\n", "\n"]
        group.write("cgroup.subtree_control", "+drm -drm")
        group.write("cgroup.subtree_control", "")
        assert not below.controlled


def test_processes_beside_groups_are_allowed_where_these_are_not_controlled() -> None:
    with machine() as there:
        group = there.group("A")
        group.mkdir("B")
        there.client(group)


def test_a_root_may_have_both() -> None:
    with machine() as there:
        there.group("A")
        there.card.open("client")
        there.rt.cgroups.root.write("cgroup.subtree_control", "-drm")
        there.rt.cgroups.root.write("cgroup.subtree_control", "+drm")


def test_two_runtimes_share_nothing() -> None:
    with machine() as one:
        one.group("A", weight="7")
        one.card.open("client")
        with Runtime("virtual") as other:
            card = other.cgroups.card("card0")
            group = other.cgroups.root.mkdir("A")
            assert group.read("drm.weight") == "100\n"
            assert (card.open("client").number, other.cgroups.process("game").pid) == (1, 2)
        assert one.group("A").read("drm.weight") == "7\n"


def test_a_runtime_that_asks_for_no_groups_has_no_actor_for_them() -> None:
    with Runtime("virtual") as rt:
        started = rt.statistics().tasks_started
        assert rt.cgroups is rt.cgroups
        assert rt.statistics().tasks_started == started + 1


def test_groups_are_made_inside_of_a_runtime() -> None:
    with pytest.raises(WrongState):
        _ = Runtime("virtual").cgroups


@pytest.mark.parametrize("name", ["", "default", "card 0", "card\n"])
def test_a_card_has_a_word_for_a_name(name: str) -> None:
    with Runtime("virtual") as rt, pytest.raises(BadInput, match="expected one word"):
        rt.cgroups.card(name)


def test_a_bad_card_is_refused() -> None:
    with Runtime("virtual") as rt:
        rt.cgroups.card("card0")
        with pytest.raises(BadInput, match="no other card"):
            rt.cgroups.card("card0")
        with pytest.raises(BadInput, match="driver: found 'nouveau', expected one of generic"):
            rt.cgroups.card("card1", driver="nouveau")
        with pytest.raises(BadInput, match="engines of card1: found rcs=0, expected 1 to 64"):
            rt.cgroups.card("card1", engines={"rcs": 0})
        with pytest.raises(BadInput, match="in one line"):
            rt.cgroups.cards["card0"].open("a\nb")


def test_an_unknown_controller_is_refused() -> None:
    with pytest.raises(BadInput, match="controller: found 'fair', expected one of none, "):
        Runtime("virtual", controller="fair")


def test_under_hweight_there_is_no_other_policy() -> None:
    with Runtime("virtual", controller="hweight") as rt, pytest.raises(BadInput, match="policy: found 'fifo'"):
        rt.scheduler(MockBackend(), policy="fifo")
