"""Control groups on real threads: whatever comes between, the sums are right."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from fencepost.actors import Card, Cgroup, Runtime
from fencepost.hw import MockBackend
from tests.actors.cgroups.kit import stat
from tests.actors.kit import NATIVELY, Way

CLIENTS = 3
ROUNDS = 15


def use(card: Card, groups: list[Cgroup], seed: int, sums: list[tuple[int, int]]) -> None:
    """Open the device, move about, write and submit; note what was submitted and what was used, in us."""
    random_source = random.Random(seed)
    client = card.open(f"client{seed}")
    entity = client.entity(card.schedulers)
    submitted_us = 0
    for _ in range(ROUNDS):
        match random_source.randrange(4):
            case 0:
                with suppress(OSError):
                    random_source.choice(groups).attach(client)
            case 1:
                random_source.choice(groups).write("drm.weight", str(random_source.randrange(1, 10_001)))
                random_source.choice(groups).write("drm.priority", str(random_source.randrange(-9, 10)))
            case _:
                duration_us = random_source.randrange(1, 40)
                entity.submit(duration_us)
                submitted_us += duration_us
    entity.wait_idle()
    used_us = sum(client.used_ns().values()) // 1000
    sums.append((submitted_us, used_us))
    if random_source.random() < 0.5:
        client.close()


@NATIVELY
@pytest.mark.parametrize("controller", ["none", "rfc-priority", "rfc-priority-faithful", "v6", "v8", "hweight"])
def test_what_clients_submit_is_what_they_and_their_groups_have_used(way: Way, controller: str) -> None:
    with Runtime(way.world, way.dispatch, workers=way.workers, controller=controller) as rt:
        schedulers = [rt.scheduler(MockBackend(), name=f"rcs{index}", credit_limit=2) for index in range(2)]
        card = rt.cgroups.card("card0", schedulers, driver="i915")
        root = rt.cgroups.root
        groups = [root.mkdir("A"), root.mkdir("B")]
        groups[1].write("cgroup.subtree_control", "+drm")
        groups += [groups[1].mkdir("C"), groups[1].mkdir("D")]
        groups.remove(groups[1])
        sums: list[tuple[int, int]] = []
        tasks = [rt.spawn(lambda seed=seed: use(card, groups, seed, sums)) for seed in range(CLIENTS)]  # type: ignore[misc]
        for turn in range(ROUNDS):
            passing = root.mkdir(f"passing{turn}")
            with suppress(OSError):
                passing.attach(rt.cgroups.process("passer-by"))
                below = sum(stat(child) for child in root.children.values())
                assert stat(root) >= below
            with suppress(OSError):
                passing.rmdir()
        for task in tasks:
            task.join()
        assert len(sums) == CLIENTS
        assert all(submitted_us == used_us for submitted_us, used_us in sums), sums
        assert stat(root) == sum(used_us for _, used_us in sums)
