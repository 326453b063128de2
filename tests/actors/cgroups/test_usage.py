"""GPU time of clients and groups: whatever moves, nothing is lost, and nothing counted twice."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fencepost.actors import Runtime
from fencepost.actors.cgroups.account import Account
from fencepost.actors.cgroups.cgroup import Cgroup
from fencepost.hw import Batch, Gpu, MockBackend
from fencepost.hw.guc import Guc
from fencepost.policies import Priority
from fencepost.sync import current
from tests.actors.cgroups.kit import machine, stat
from tests.guarding import guarded, guarding_ended

PLACE = ("card0", "rcs")


def test_a_job_counts_when_it_is_complete_and_before_its_fence_signals() -> None:
    with machine() as there:
        group = there.group("A")
        client = there.client(group)
        entity = client.entity([there.scheduler])
        seen: list[int] = []
        job = entity.submit(1500)
        job.finished.add_callback(lambda _fence: seen.append(client.used_ns()["rcs"]))
        assert client.used_ns() == {}
        job.finished.wait()
        assert seen == [1_500_000]
        assert stat(group) == stat(there.rt.cgroups.root) == 1500


def test_what_was_used_before_a_move_stays_with_the_group_and_the_client_keeps_all() -> None:
    with machine() as there:
        first, second = there.group("A"), there.group("B")
        client = there.client(first)
        entity = client.entity([there.scheduler])
        entity.submit(1000).finished.wait()
        second.attach(client)
        entity.submit(500).finished.wait()
        assert (stat(first), stat(second), client.used_ns()) == (1000, 500, {"rcs": 1_500_000})


def test_a_job_that_runs_during_a_move_is_charged_to_where_it_ends() -> None:
    with machine() as there:
        first, second = there.group("A"), there.group("B")
        client = there.client(first)
        job = client.entity([there.scheduler]).submit(1000)
        there.rt.world.sleep(0.0005)
        second.attach(client)
        job.finished.wait()
        assert (stat(first), stat(second)) == (0, 1000)


def test_a_group_has_what_is_below_also_after_that_is_gone() -> None:
    with machine() as there:
        below, group = there.group("A/B"), there.group("A")
        client = there.client(below)
        client.entity([there.scheduler]).submit(1000).finished.wait()
        client.close()
        below.rmdir()
        assert stat(group) == 1000


def test_a_job_of_a_group_that_is_gone_counts_above() -> None:
    with machine() as there:
        below, group, other = there.group("A/B"), there.group("A"), there.group("C")
        client = there.client(below)
        entity = client.entity([there.scheduler])
        entity.submit(1000)
        there.rt.world.sleep(0.0005)
        other.attach(client)
        below.rmdir()
        entity.wait_idle()
        assert (stat(group), stat(other), stat(there.rt.cgroups.root)) == (0, 1000, 1000)


def test_usage_of_each_card_and_engine() -> None:
    with Runtime("virtual") as rt:
        gpu = Gpu({"rcs": 1, "vcs": 2})
        rings = {name: rt.scheduler(gpu.ring(name), name=f"ring {name}") for name in ("rcs0", "vcs0", "vcs1")}
        card0 = rt.cgroups.card("card0", list(rings.values()))
        mock = rt.scheduler(MockBackend(), name="bcs0")
        card1 = rt.cgroups.card("card1", [mock])
        assert dict(card0.engines) == {"rcs": 1, "vcs": 2}
        group = rt.cgroups.root.mkdir("A")
        process = rt.cgroups.process("player")
        group.attach(process)
        video, copy = card0.open("video", process), card1.open("copy", process)
        both = video.entity([rings["vcs0"], rings["vcs1"]])
        jobs = [both.submit(1000, work=Batch()), video.entity([rings["rcs0"]]).submit(300)]
        jobs += [video.entity([rings["vcs1"]]).submit(200), copy.entity([mock]).submit(70)]
        for job in jobs:
            job.finished.wait()
        assert group.read("drm.stat") == (
            "usage_usec 1570\nnr_throttled 0\nthrottled_usec 0\n"
            "card0 usage_usec=1500 rcs_usec=300 vcs_usec=1200\n"
            "card1 usage_usec=70 bcs_usec=70\n"
        )
        assert rt.cgroups.root.read("drm.stat").startswith("usage_usec 1570\ncard0 ")


def test_usage_of_a_queue_of_the_firmware() -> None:
    with Runtime("virtual") as rt:
        guc = Guc({"vcs": 2})
        client = rt.cgroups.card("card0", engines={"vcs": 2}).open("video")
        queue = guc.queue(rt, ("vcs0", "vcs1"), "video.1", client="video")
        asked: list[Priority] = []
        client.adopt(queue.entity, asked.append)
        queue.entity.submit(1000).finished.wait()
        assert client.used_ns() == {"vcs": 1_000_000}
        client.set_priorities(lambda _entity: Priority.HIGH)
        assert asked == [Priority.HIGH]
        queue.close()


def test_an_entity_that_has_ended_is_no_more_among_those_of_its_client() -> None:
    with machine() as there:
        client = there.card.open("game")
        first, second = client.entity([there.scheduler]), client.entity([there.scheduler])
        assert list(client.entities) == [first, second]
        assert (first.name, first.client) == ("game.1", "game")
        first.fini()
        assert list(client.entities) == [second]
        client.close()
        assert list(client.entities) == []


def test_numbers_tell_clients_apart() -> None:
    with machine() as there:
        assert [there.card.open("game").number for _ in range(3)] == [1, 2, 3]


# Accounts against a slow model: a list of charges, each with the path at its time.


class Slow:
    """Who was charged what: summed up anew for each question."""

    def __init__(self, parents: list[int]) -> None:
        self.parents = dict(enumerate(parents, 1))
        self.charges: list[tuple[list[int], int]] = []

    def path(self, account: int) -> list[int]:
        return [account] if account == 0 else [account, *self.path(self.parents[account])]

    def charge(self, account: int, used_ns: int) -> None:
        self.charges.append((self.path(account), max(0, used_ns)))

    def used_ns(self, account: int) -> int:
        return sum(used_ns for path, used_ns in self.charges if account in path)


GROUPS = 6
CLIENTS = 4

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("charge"), st.integers(0, CLIENTS - 1), st.integers(-2, 50)),
        st.tuples(st.just("move"), st.integers(0, CLIENTS - 1), st.integers(0, GROUPS)),
    ),
    max_size=60,
)


@given(parents=st.tuples(*(st.integers(0, index) for index in range(GROUPS))), steps=STEPS)
def test_accounts_are_as_in_a_slow_model(parents: tuple[int, ...], steps: list[tuple[str, int, int]]) -> None:
    slow = Slow([*parents, *[0] * CLIENTS])
    lock = current().lock()
    accounts = [Account(lock)]
    for parent in slow.parents.values():
        accounts.append(Account(lock, accounts[parent]))
    before: Counter[int] = Counter()
    for step, client, number in steps:
        account = 1 + GROUPS + client
        if step == "charge":
            accounts[account].charge(PLACE, number)
            slow.charge(account, number)
        else:
            accounts[account].move(accounts[number])
            slow.parents[account] = number
        now = {index: accounts[index].used_ns().get(PLACE, 0) for index in range(len(accounts))}
        assert now == {index: slow.used_ns(index) for index in now}
        assert all(now[index] >= before[index] for index in now)
        before = Counter(now)


# The same with jobs.

MOVES = st.lists(
    st.tuples(st.sampled_from(["move", "submit", "wait", "toggle"]), st.integers(0, 2), st.integers(0, 3)), max_size=25
)


@pytest.mark.parametrize("controller", ["none", "hweight"])
@given(moves=MOVES)
def test_migration_neither_loses_nor_doubles_usage(controller: str, moves: list[tuple[str, int, int]]) -> None:
    with machine(controller) as there:
        root = there.rt.cgroups.root
        groups = [there.group("A"), there.group("B/C"), there.group("B/D"), there.group("E")]
        clients = [there.client(groups[0], f"client{index}") for index in range(3)]
        entities = [client.entity([there.scheduler]) for client in clients]
        submitted_us = itertools.count()
        total_us = [0, 0, 0]
        for what, client, number in moves:
            if what == "move":
                groups[number].attach(clients[client])
            elif what == "submit":
                duration_us = 100 + next(submitted_us)
                entities[client].submit(duration_us)
                total_us[client] += duration_us
            elif what == "wait":
                there.rt.world.sleep(number / 10_000)
            else:
                root.children["B"].write("cgroup.subtree_control", "-drm")
                root.children["B"].write("cgroup.subtree_control", "+drm")
            check_sums(root)
        for entity in entities:
            entity.wait_idle()
        used_us = [client.used_ns().get("rcs", 0) // 1000 for client in clients]
        assert used_us == total_us
        assert stat(root) == sum(total_us)
        check_sums(root)


def check_sums(root: Cgroup) -> None:
    """Everybody is in a group below the root, so these have used all that the root has."""
    assert sum(stat(child) for child in root.children.values()) == stat(root)
    inner = root.children["B"]
    # Who gets the controller again begins anew.
    assert sum(stat(child) for child in inner.children.values()) <= stat(inner)


def test_a_reader_of_several_accounts_never_sees_more_below_than_above() -> None:
    lock = current().lock()
    root = Account(lock)
    below = Account(lock, root)
    below.charge(PLACE, 5)
    used: Mapping[tuple[str, str], int] = below.used_ns()
    below.charge(PLACE, 5)
    assert used == {PLACE: 5}
    assert root.used_ns() == {PLACE: 10}


def test_nobody_touches_an_account_without_its_lock() -> None:
    lock = current().lock()
    root = guarded(Account, "_used_ns _parent", lock)
    below = guarded(Account, "_used_ns _parent", lock, root)
    below.charge(PLACE, 5)
    below.move(root)
    assert root.used_ns() == {PLACE: 5}
    for account in (root, below):
        guarding_ended(account)
