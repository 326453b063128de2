"""The weights of 2025: when drivers are told, what they make of it, and the shares that come of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from fencepost.actors import Client, Entity
from fencepost.actors.cgroups.drivers import Driver
from fencepost.policies import Priority
from tests.actors.cgroups.kit import Machine, machine, shares

POINT = 0.01


def test_drivers_are_told_a_millisecond_after_the_first_of_some_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    with machine("v8") as there:
        told: list[tuple[int, list[int]]] = []

        def listen(weights: Mapping[Driver, int]) -> None:
            told.append((there.rt.world.now_ns() // 1000, list(weights.values())))

        monkeypatch.setattr(Driver, "update_weights", staticmethod(listen))
        group = there.group("A", weight="300")
        client = there.client(group)
        there.rt.world.sleep(0.0005)
        there.client(there.group("B"), "other")
        there.rt.world.sleep(0.01)
        assert told == [(1000, [768, 256])]
        group.write("drm.weight", "100")
        there.rt.world.sleep(0.01)
        client.close()
        there.rt.world.sleep(0.01)
        assert told[1:] == [(11_500, [512, 512]), (21_500, [1024])]


def test_amdgpu_has_entities_weigh_what_their_group_does_of_its_siblings() -> None:
    with machine("v8", "amdgpu") as there:
        groups = [there.group("A", weight="200"), there.group("B", weight="1000")]
        clients = [there.client(group) for group in groups]
        entities = [client.entity([there.scheduler]) for client in (*clients, clients[0])]
        there.rt.world.sleep(0.01)
        assert [cgroup_weight(entity) for entity in entities] == [171, 853, 171]
        groups[0].write("drm.weight", "1000")
        there.rt.world.sleep(0.01)
        assert [cgroup_weight(entity) for entity in entities] == [512, 512, 512]


def cgroup_weight(entity: Entity) -> int:
    return entity.job().queue.cgroup_weight


def test_xe_raises_who_weighs_most_and_lowers_who_weighs_least() -> None:
    with machine("v8", "xe") as there:
        groups = [there.group(name) for name in "ABC"]
        clients = [there.client(group) for group in groups]
        assert priorities(there, clients) == [Priority.NORMAL] * 3
        groups[0].write("drm.weight", "50")
        groups[2].write("drm.weight", "200")
        assert priorities(there, clients) == [Priority.LOW, Priority.NORMAL, Priority.HIGH]
        clients[0].close()
        assert priorities(there, clients[1:]) == [Priority.LOW, Priority.HIGH]


def priorities(there: Machine, clients: list[Client]) -> list[Priority]:
    """Give each client an entity if it has none, and return their priorities after the next weighing."""
    for client in clients:
        if not client.entities:
            client.entity([there.scheduler])
    there.rt.world.sleep(0.01)
    return [client.entities[0].priority for client in clients]


@pytest.mark.parametrize(
    ("weights", "entities", "published"),
    [
        ({"A": 100, "B": 100}, {}, [1 / 2, 1 / 2]),
        ({"A": 100, "B": 50}, {}, [2 / 3, 1 / 3]),
        # Time passes at one less the part, so three are not in proportion.
        ({"A": 200, "B": 100, "C": 100}, {}, [3 / 7, 2 / 7, 2 / 7]),
        # Each entity is weighed by itself.
        ({"A": 100, "B": 100}, {"A": 3}, [3 / 4, 1 / 4]),
        # What is above counts for nothing: B and C are two of two, D and E two of three. A sixth each and a third it
        # ought to be.
        ({"A/B": 100, "A/C": 100, "D": 100, "E": 100}, {}, [0.2858, 0.2858, 0.2142, 0.2142]),
    ],
)
def test_shares_are_those_that_were_published(
    weights: dict[str, int], entities: dict[str, int], published: list[float]
) -> None:
    with machine("v8", "amdgpu") as there:
        groups = [there.group(path, weight=str(weight)) for path, weight in weights.items()]
        clients = [there.client(group) for group in groups]
        made = [
            client.entity([there.scheduler])
            for path, client in zip(weights, clients, strict=True)
            for _ in range(entities.get(path, 1))
        ]
        there.rt.world.sleep(0.01)
        for _ in range(500):
            for entity in made:
                entity.submit(1000)
        there.rt.world.sleep(0.5)
        assert shares(groups) == pytest.approx(published, abs=POINT)
