from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from fencepost.actors import Actor, Runtime
from fencepost.actors.dispatch import Dispatch
from tests.actors.kit import LIMIT_S, NATIVELY, Way


@dataclass(frozen=True, slots=True)
class Note:
    sender: int
    number: int


class Ledger(Actor):
    """Keeps what it took, and what came too late."""

    def __init__(self, dispatch: Dispatch, name: str) -> None:
        super().__init__(dispatch, name)
        self.taken: list[Note] = []
        self.late: list[object] = []

    def on_note(self, message: Note) -> None:
        self.taken.append(message)

    def on_dead_letter(self, message: object) -> None:
        self.late.append(message)

    messages: ClassVar = {Note: on_note}


@NATIVELY
def test_every_message_is_taken_or_is_a_dead_letter_and_each_sender_is_heard_in_order(way: Way) -> None:
    """The actor is stopped while three clients post."""
    senders, each = 3, 300
    with way.runtime() as rt:
        ledger = rt.start(Ledger, name="ledger")

        def post(sender: int) -> None:
            for number in range(each):
                ledger.post(Note(sender, number))
                if sender == 0 and number == each // 2:
                    ledger.actor_ref.stop(block=False)

        clients = [rt.spawn(partial(post, sender)) for sender in range(senders)]
        for client in clients:
            assert client.join(LIMIT_S)
    assert len(ledger.taken) + len(ledger.late) == senders * each
    assert ledger.late, "what came after the stop"
    for sender in range(senders):
        numbers = [note.number for note in ledger.taken if note.sender == sender]
        assert numbers == list(range(len(numbers)))


def test_a_letter_to_an_actor_that_is_not_started_waits_for_its_start() -> None:
    with Runtime("native", "workqueue") as rt:
        ledger = Ledger(rt.dispatch, "ledger")
        ledger.post(Note(0, 0))
        other = rt.start(Ledger, name="other")
        other.actor_ref.stop()
        assert ledger.taken == [], "the worker has had its chance"
        ledger.start_loop()
        ledger.actor_ref.stop()
        assert ledger.taken == [Note(0, 0)]
