from __future__ import annotations

import pytest

from fencepost import sync
from fencepost.errors import Deadlock, WrongState
from fencepost.sync import Resource, current
from fencepost.sync.virtual import VirtualWorld


class Job:
    def __init__(self, name: str) -> None:
        self._name = name

    def __str__(self) -> str:
        return self._name


def test_it_knows_who_holds_how_many(any_world: sync.World) -> None:
    ids, job = Resource("event ids", 4), Job("job 1")
    ids.take(2, job)
    ids.take(1)
    ids.take(1, job)
    assert (ids.free, ids.held) == (0, {job: 3, any_world.task(): 1})
    ids.give_back(3, job)
    assert (ids.free, ids.held) == (3, {any_world.task(): 1})
    ids.give_back(1)
    assert (ids.free, ids.held) == (4, {})


def test_no_more_are_taken_than_are_free() -> None:
    ids = Resource("event ids", 2)
    ids.take(1)
    with pytest.raises(WrongState, match="2 event ids are taken, and 1 of 2 are free"):
        ids.take(2)


def test_no_more_are_given_back_than_were_taken() -> None:
    ids = Resource("event ids", 2)
    ids.take(1, "job 1")
    with pytest.raises(WrongState, match="job 1 gives 2 event ids back and holds 1"):
        ids.give_back(2, "job 1")
    with pytest.raises(WrongState, match="MainThread gives 1 event ids back and holds 0"):
        ids.give_back(1)


def test_a_claim_stands_until_it_is_met_or_withdrawn(any_world: sync.World) -> None:
    ids = Resource("event ids", 2)
    claim = ids.want(2)
    other = ids.want(1, "job 1")
    assert list(any_world.claims.values()) == [claim, other]
    ids.take(2)
    assert list(any_world.claims.values()) == [other]
    ids.withdraw("job 1")
    ids.withdraw("job 1")
    assert not any_world.claims


def test_a_claim_says_who_has_what() -> None:
    ids = Resource("event ids", 4)
    ids.take(2, "job 1")
    ids.take(1)
    assert str(ids.want(3)) == "3 event ids, 1 of 4 free, held by job 1 (2), MainThread (1)"
    assert str(Resource("slots", 1).want(1)) == "1 slots, 1 of 1 free"
    assert repr(ids) == "<event ids, 1 of 4 free>"


def test_a_deadlock_says_who_holds_what_and_who_wants_it(virtual: VirtualWorld) -> None:
    ids = Resource("event ids", 3)
    ids.take(2, "job 1")
    ids.want(2, "job 1")
    ids.take(1)
    with pytest.raises(Deadlock) as caught:
        current().waiter().wait(None, ids.want(1))
    assert str(caught.value).split("\n")[1:] == [
        "  main waits for 1 event ids, 0 of 3 free, held by job 1 (2), main (1)",
        "  job 1 waits for 2 event ids, 0 of 3 free, held by job 1 (2), main (1)",
    ]
    virtual.claims.clear()
