from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from fencepost.actors import Actor, Runtime
from fencepost.actors.dispatch import LETTERS_PER_SLICE
from fencepost.errors import WrongContext
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from tests.actors.kit import NATIVELY, Way, adds_up, finished

ENTITIES = 10_000


@dataclass(frozen=True, slots=True)
class Tick:
    trail: list[str]


class Ticker(Actor):
    """Says that it had a turn."""

    def on_tick(self, message: Tick) -> None:
        message.trail.append(self.name)

    messages: ClassVar = {Tick: on_tick}


@pytest.mark.slow
@pytest.mark.parametrize("world", ["native", "virtual"])
def test_ten_thousand_entities_start_and_stop_on_one_worker(world: str) -> None:
    with Runtime("native" if world == "native" else "virtual", "workqueue", events=False) as rt:
        scheduler = rt.scheduler(MockBackend(), credit_limit=64)
        entities = [scheduler.entity() for _ in range(ENTITIES)]
        assert finished([entity.submit(0) for entity in entities[::10]])
    assert adds_up(rt)
    assert not rt.leftovers
    assert rt.statistics().tasks_started <= 2


def test_a_busy_actor_lets_others_have_their_turn() -> None:
    trail: list[str] = []
    with Runtime("virtual", "workqueue") as rt:
        busy, other = rt.start(Ticker, name="busy"), rt.start(Ticker, name="other")
        for _ in range(2 * LETTERS_PER_SLICE):
            busy.post(Tick(trail))
        other.post(Tick(trail))
        rt.world.sleep(1)
    assert trail == ["busy"] * LETTERS_PER_SLICE + ["other"] + ["busy"] * LETTERS_PER_SLICE


@NATIVELY
def test_an_actor_is_carried_by_one_worker_at_a_time(way: Way) -> None:
    class Careful(Actor):
        inside = 0
        taken = 0

        def on_tick(self, _message: Tick) -> None:
            self.inside += 1
            assert self.inside == 1
            self.taken += 1
            self.inside -= 1

        messages: ClassVar = {Tick: on_tick}

    with way.runtime() as rt:
        actors = [rt.start(Careful, name=f"a{number}") for number in range(4)]

        def post() -> None:
            for _ in range(200):
                for actor in actors:
                    actor.post(Tick([]))

        for _ in range(3):
            rt.spawn(post)
    assert [actor.taken for actor in actors] == [600] * 4


@pytest.mark.parametrize("world", ["native", "virtual"])
def test_a_handler_in_a_work_queue_may_not_wait(world: str) -> None:
    class Waiter(Actor):
        def on_tick(self, _message: Tick) -> None:
            Fence().wait()

        messages: ClassVar = {Tick: on_tick}

    with Runtime("native" if world == "native" else "virtual", "workqueue") as rt:
        actor = rt.start(Waiter, name="waiter")
        with pytest.raises(WrongContext, match=r"worker0 may not wait for .*work queue, which must not block"):
            actor.actor_ref.ask(Tick([]))
