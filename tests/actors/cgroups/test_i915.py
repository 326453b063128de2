"""A driver like i915 that is told of budgets: it throttles who is over, where others want the engines too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from fencepost.actors import Client, Entity, Runtime, Scheduler
from fencepost.hw import Gpu
from fencepost.policies import Priority

OVER = (2, 1)
UNDER = (1, 1)


@dataclass
class Bench:
    """Two clients of a GPU with a render engine and two video engines."""

    rt: Runtime
    rings: dict[str, Scheduler]
    client: Client
    other: Client

    def render(self, client: Client, busy_ms: int) -> Entity:
        return self.use(client, ["rcs0"], busy_ms)

    def use(self, client: Client, engines: list[str], busy_ms: int) -> Entity:
        entity = client.entity([self.rings[engine] for engine in engines])
        for _ in range(busy_ms):
            entity.submit(1000)
        return entity

    def signal(self, what: tuple[int, int] = OVER) -> int:
        return self.client.operations.signal_budget(*what)


@pytest.fixture
def there() -> Iterator[Bench]:
    with Runtime("virtual") as rt:
        gpu = Gpu({"rcs": 1, "vcs": 2})
        rings = {name: rt.scheduler(gpu.ring(name), name=name) for name in ("rcs0", "vcs0", "vcs1")}
        card = rt.cgroups.card("card0", list(rings.values()), driver="i915")
        yield Bench(rt, rings, card.open("client"), card.open("other"))


def test_the_second_time_in_a_row_throttles_on_an_engine_in_full_use(there: Bench) -> None:
    entity = there.render(there.client, 150)
    there.render(there.other, 150)
    priorities: list[Priority] = []
    for answer in (0, 1):
        assert there.signal() == answer
        priorities.append(entity.priority)
        there.rt.world.sleep(0.1)
    assert priorities == [Priority.NORMAL, Priority.LOW]
    assert there.signal() == 1


def test_who_is_under_again_is_throttled_no_more_and_begins_anew(there: Bench) -> None:
    entity = there.render(there.client, 300)
    for expected in (0, 1):
        assert there.signal() == expected
        there.rt.world.sleep(0.1)
    assert there.signal(UNDER) == 0
    assert entity.priority is Priority.NORMAL
    assert there.signal() == 0


def test_nobody_is_throttled_while_the_engine_has_time_to_spare(there: Bench) -> None:
    entity = there.render(there.client, 95)
    there.signal()
    there.rt.world.sleep(0.1)
    assert there.signal() == 0
    assert entity.priority is Priority.NORMAL


def test_above_95_percent_it_has_none_to_spare(there: Bench) -> None:
    there.render(there.client, 96)
    there.signal()
    there.rt.world.sleep(0.1)
    assert there.signal() == 1


def test_a_class_is_in_full_use_when_all_its_engines_are(there: Bench) -> None:
    entity = there.use(there.client, ["vcs0"], 300)
    there.signal()
    there.rt.world.sleep(0.1)
    assert there.signal() == 0
    there.use(there.other, ["vcs1"], 200)
    there.signal()
    there.rt.world.sleep(0.1)
    assert there.signal() == 1
    assert entity.priority is Priority.LOW


def test_only_the_class_in_full_use_is_throttled(there: Bench) -> None:
    render, video = there.render(there.client, 150), there.use(there.client, ["vcs0"], 50)
    there.signal()
    there.rt.world.sleep(0.1)
    assert there.signal() == 1
    assert (render.priority, video.priority) == (Priority.LOW, Priority.NORMAL)


def test_who_never_used_the_class_is_not_throttled(there: Bench) -> None:
    there.render(there.other, 150)
    entity = there.use(there.client, ["vcs0"], 10)
    there.signal()
    there.rt.world.sleep(0.1)
    assert there.signal() == 0
    assert entity.priority is Priority.NORMAL


def test_a_throttled_context_of_high_priority_stays_above_the_normal_ones(there: Bench) -> None:
    entity = there.client.entity([there.rings["rcs0"]], priority=Priority.HIGH)
    for _ in range(150):
        entity.submit(1000)
    there.signal()
    there.rt.world.sleep(0.1)
    assert there.signal() == 1
    assert entity.priority is Priority.HIGH


def test_a_driver_that_does_not_do_it_says_so(there: Bench) -> None:
    client = there.rt.cgroups.card("card1").open("client")
    assert client.operations.signal_budget(*OVER) < 0
