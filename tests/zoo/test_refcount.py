from __future__ import annotations

from collections.abc import Iterator

import pytest

from fencepost.errors import UseAfterFree
from fencepost.zoo.refcount import Counted
from tests.checks.watching import watched_world


@pytest.fixture
def thing() -> Iterator[Counted]:
    with watched_world():
        yield Counted("thing")


def test_who_holds_a_reference_may_use_it(thing: Counted) -> None:
    thing.get()
    thing.put()
    thing.touch()


def test_the_last_put_frees_it(thing: Counted) -> None:
    thing.put()
    with pytest.raises(UseAfterFree, match="use after free of thing: touch read by MainThread"):
        thing.touch()


def test_no_reference_is_had_of_what_has_none_left(thing: Counted) -> None:
    thing.put()
    with pytest.raises(AssertionError, match="a reference is taken of thing, which has none left"):
        thing.get()
    assert not thing.get_unless_zero()


def test_a_reference_that_is_left_can_be_shared(thing: Counted) -> None:
    assert thing.get_unless_zero()
    thing.put()
    thing.touch()


def test_a_reference_is_not_put_twice(thing: Counted) -> None:
    thing.put()
    with pytest.raises(AssertionError, match="a reference of thing is put, which has none left"):
        thing.put()


def test_it_is_not_freed_twice(thing: Counted) -> None:
    thing.put()
    with pytest.raises(UseAfterFree, match="use after free of thing: free read"):
        thing.free()


def test_a_dying_thing_can_still_be_used(thing: Counted) -> None:
    class Leaving(Counted):
        def release(self) -> None:
            thing.touch()
            self.touch()
            super().release()

    Leaving("another").put()
