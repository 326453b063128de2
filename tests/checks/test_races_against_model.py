"""The short ways of tracked fields overlook no race and make up none: against a model that keeps every access."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fencepost.sync.world import ambient
from tests.checks.watching import Account, watched_world

TASKS = 3

PLACES = st.integers(0, TASKS - 1)
STEPS = st.tuples(st.sampled_from(["read", "write", "message"]), PLACES, PLACES)


class Model:
    """Knows of each access what came before it, as sets of whole pasts."""

    def __init__(self) -> None:
        self.moments = [0] * TASKS
        self.pasts: list[set[tuple[int, int]]] = [set() for _ in range(TASKS)]
        self.accesses: list[tuple[int, int, bool]] = []

    def message(self, sender: int, taker: int) -> None:
        self.pasts[sender].add((sender, self.moments[sender]))
        self.moments[sender] += 1
        self.pasts[taker] |= self.pasts[sender]

    def races(self, task: int, *, writes: bool) -> bool:
        """Say whether an access would race with one before it."""
        return any(
            other != task and (writes or wrote) and (other, moment) not in self.pasts[task]
            for other, moment, wrote in self.accesses
        )

    def access(self, task: int, *, writes: bool) -> None:
        self.accesses.append((task, self.moments[task], writes))


@settings(max_examples=500)
@given(st.lists(STEPS, min_size=10, max_size=40), st.integers(0, 20))
def test_a_field_is_reported_when_the_first_of_its_accesses_races_and_not_before(
    steps: list[tuple[str, int, int]], careful: int
) -> None:
    """The first few accesses that would race are left out, so that much has happened before one does."""
    with watched_world() as watched:
        main = ambient.watch = watched.world.here()
        watches: list[Any] = [
            watched.observers.begin(watched.world.task(), watched.world, main.release(), None) for _ in range(TASKS)
        ]
        model, account = Model(), Account.__new__(Account)
        for number, (step, task, other) in enumerate(steps):
            # One thread plays all tasks: the hooks ask for the one whose turn it is.
            ambient.watch = watches[task]
            if step == "message":
                watches[other].acquire(watches[task].release())
                model.message(task, other)
                continue
            raced = model.races(task, writes=step == "write")
            if raced and number < careful:
                continue
            model.access(task, writes=step == "write")
            if step == "read":
                getattr(account, "balance", None)
            else:
                account.balance = 1
            assert bool(watched.observers.races.found) == raced
            if raced:
                break
        ambient.watch = main
