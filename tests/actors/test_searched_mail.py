"""Mail under search: a few who post, many schedules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pykka

from fencepost.actors import Actor, Runtime
from fencepost.actors.dispatch import Dispatch
from fencepost.sync import Gate
from tests.actors.kit import WORKERS, carried_by
from tests.searching import assert_clean, joined


@dataclass(frozen=True, slots=True)
class Note:
    number: int


class Ledger(Actor):
    """Keeps what it took and what came too late; knows when that is all."""

    def __init__(self, dispatch: Dispatch, name: str, total: int) -> None:
        super().__init__(dispatch, name)
        self.taken: list[int] = []
        self.late: list[int] = []
        self.total = total
        self.complete = Gate("the last note")
        self.inside = 0

    def on_note(self, message: Note) -> int:
        self.inside += 1
        # A look at a gate, so that others may come by meanwhile.
        assert not self.complete.is_open
        assert self.inside == 1, "carried by two workers"
        self.inside -= 1
        self.taken.append(message.number)
        self.count()
        return message.number

    def on_dead_letter(self, message: object) -> None:
        assert isinstance(message, Note)
        self.late.append(message.number)
        self.count()

    def count(self) -> None:
        if len(self.taken) + len(self.late) == self.total:
            self.complete.open()

    messages: ClassVar = {Note: on_note}


@WORKERS
def test_every_letter_is_taken_or_a_dead_one(workers: int) -> None:
    def model(rt: Runtime) -> None:
        carried_by(rt, workers)
        ledger = rt.start(Ledger, 4, name="ledger")

        def post(first: int) -> None:
            ledger.post(Note(first))
            ledger.post(Note(first + 1))

        rt.spawn(lambda: post(0))
        rt.spawn(lambda: ledger.actor_ref.stop(block=False))
        post(2)
        ledger.complete.wait()
        assert sorted(ledger.taken + ledger.late) == [0, 1, 2, 3]
        for first in (0, 2):
            mine = [number for number in ledger.taken if number & 2 == first]
            assert mine == [first, first + 1][: len(mine)]

    assert_clean(model, schedules=300)


@WORKERS
def test_every_letter_to_an_actor_that_lives_is_taken(workers: int) -> None:
    def model(rt: Runtime) -> None:
        carried_by(rt, workers)
        ledger = rt.start(Ledger, 3, name="ledger")
        for number in range(2):
            rt.spawn(lambda number=number: ledger.post(Note(number)))  # type: ignore[misc]
        assert ledger.actor_ref.ask(Note(2)) == 2
        ledger.complete.wait()
        assert sorted(ledger.taken) == [0, 1, 2]

    assert_clean(model, schedules=300)


@WORKERS
def test_whoever_asks_is_answered_or_told_of_the_end(workers: int) -> None:
    def model(rt: Runtime) -> None:
        carried_by(rt, workers)
        ledger = rt.start(Ledger, 9, name="ledger")

        def ask(number: int) -> int | None:
            try:
                return int(ledger.actor_ref.ask(Note(number), block=True))
            except pykka.ActorDeadError:
                return None

        askers = [rt.spawn(lambda number=number: ask(number)) for number in range(2)]  # type: ignore[misc]
        stopper = rt.spawn(lambda: ledger.actor_ref.stop(block=False))
        joined(*askers, stopper)
        assert all(task.result in (None, number) for number, task in enumerate(askers))

    assert_clean(model, schedules=300)
