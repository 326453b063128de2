from __future__ import annotations

import pytest

from fencepost.zoo.refcount import Counted


@pytest.fixture
def thing() -> Counted:
    return Counted("thing")


def test_who_holds_a_reference_may_use_it(thing: Counted) -> None:
    thing.get()
    thing.put()
    thing.touch()


def test_the_last_put_frees_it(thing: Counted) -> None:
    thing.put()
    with pytest.raises(AssertionError, match="thing is used after it was freed"):
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
    with pytest.raises(AssertionError, match="thing is freed twice"):
        thing.free()


def test_a_dying_thing_can_still_be_used() -> None:
    class Leaving(Counted):
        def release(self) -> None:
            self.touch()
            super().release()

    Leaving("thing").put()
