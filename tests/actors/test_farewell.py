"""The end of actors: asked for once, told once, whatever became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from fencepost.actors import Actor, Runtime
from fencepost.actors.actor import Farewell
from fencepost.checks import explore
from fencepost.sync import deadline_ns


@dataclass(frozen=True, slots=True)
class Note:
    """Test -> scribe: write it down."""

    number: int


class Scribe(Actor):
    """Writes down what it is told."""

    written: list[int]
    dead: int = 0

    def on_start(self) -> None:
        self.written = []

    def on_note(self, message: Note) -> None:
        self.written.append(message.number)

    def on_dead_letter(self, message: object) -> None:
        assert isinstance(message, Note)
        self.dead += 1

    messages: ClassVar = {Note: on_note}


@pytest.mark.parametrize("dispatch", ["thread", "workqueue"])
def test_what_came_before_is_handled_and_what_comes_later_is_dead(dispatch: str) -> None:
    with Runtime("virtual", dispatch) as rt:  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        scribe = rt.start(Scribe, name="scribe")
        farewell = Farewell(1)
        scribe.post(Note(1))
        scribe.end(farewell)
        scribe.post(Note(2))
        assert farewell.wait_until(deadline_ns(1))
        scribe.post(Note(3))
        assert (scribe.written, scribe.dead) == ([1], 2)
        assert not scribe.actor_ref.is_alive()


def test_who_has_ended_already_says_farewell_at_once() -> None:
    with Runtime("virtual") as rt:
        scribe = rt.start(Scribe, name="scribe")
        scribe.actor_ref.stop()
        farewell = Farewell(1)
        scribe.end(farewell)
        assert farewell.wait_until(deadline_ns(0))


def test_it_is_waited_for_all_and_no_longer_than_was_said() -> None:
    with Runtime("virtual") as rt:
        scribe = rt.start(Scribe, name="scribe")
        farewell = Farewell(2)
        scribe.end(farewell)
        assert not farewell.wait_until(deadline_ns(0.5))
        assert rt.world.now_ns() == 500_000_000
        farewell.set()
        assert farewell.wait_until(deadline_ns(0))


def test_two_actors_that_end_at_once_are_both_counted() -> None:
    def model(rt: Runtime) -> None:
        scribes = [rt.start(Scribe, name=name) for name in ("one", "other")]
        farewell = Farewell(2)
        for scribe in scribes:
            scribe.end(farewell)
        assert farewell.wait_until(None)

    report = explore(model, strategy="dfs1", schedules=300)
    assert not report.found, report
