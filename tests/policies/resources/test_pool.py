from __future__ import annotations

import errno
from collections.abc import Sequence

import pytest

from fencepost.errors import BadInput
from fencepost.policies.resources import Pool


def refused(error: int, match: str) -> pytest.RaisesExc[OSError]:
    return pytest.RaisesExc(OSError, match=match, check=lambda raised: raised.errno == error)


def test_the_least_recently_freed_ids_are_given() -> None:
    pool = Pool("ids", 4)
    assert pool.take(3, "a") == (0, 1, 2)
    pool.give_back((1,), "a")
    pool.give_back((0,), "a")
    assert pool.take(3, "b") == (3, 1, 0)
    assert repr(pool) == "<ids, 0 of 4 free>"


def test_an_owner_is_given_what_it_had_last() -> None:
    pool = Pool("ids", 5)
    assert pool.take(2, "a") == (0, 1)
    pool.give_back((1, 0), "a")
    # Least recently freed are 2, 3, 4.
    assert pool.take(3, "a") == (1, 0, 2)


def test_what_another_has_had_since_is_not_mine_any_more() -> None:
    pool = Pool("ids", 2)
    pool.give_back(pool.take(2, "a"), "a")
    assert pool.take(1, "b") == (0,)
    pool.give_back((0,), "b")
    assert pool.take(1, "a") == (1,)
    pool.give_back((1,), "a")
    assert pool.take(1, "c") == (0,)


def test_owners_are_forgotten_with_their_ids() -> None:
    pool = Pool("ids", 2)
    for owner in range(1000):
        pool.give_back(pool.take(2, owner), owner)
    assert [len(each) for each in (pool._owners, pool._left)] == [2, 1]  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def test_a_pool_of_nothing_is_refused() -> None:
    with pytest.raises(BadInput, match="event ids: found 0, expected at least 1"):
        Pool("event ids", 0)


@pytest.mark.parametrize(("count", "error", "said"), [(0, errno.EINVAL, "1 to 2"), (3, errno.EINVAL, "1 to 2")])
def test_what_could_never_be_had_is_refused(count: int, error: int, said: str) -> None:
    with refused(error, f"{count} ids are wanted, expected {said}"):
        Pool("ids", 2).take(count, "a")


def test_what_is_not_free_is_refused_for_now() -> None:
    pool = Pool("ids", 2)
    pool.take(1, "a")
    with refused(errno.EAGAIN, "2 ids are wanted, 1 of 2 are free"):
        pool.take(2, "b")
    assert pool.free == 1


@pytest.mark.parametrize(
    ("ids", "owner", "case"),
    [
        ((0, 2), "a", "one that is another's"),
        ((0, 3), "a", "one that is free"),
        ((0, 9), "a", "one that there is not"),
        ((0, 9), None, "one that there is not, by nobody"),
        ((0, 0), "a", "one twice"),
        ((0,), "b", "one of another"),
    ],
)
def test_giving_back_what_one_does_not_have_changes_nothing(ids: Sequence[int], owner: object, case: str) -> None:
    pool = Pool("ids", 4)
    pool.take(2, "a")
    pool.take(1, "b")
    with refused(errno.EINVAL, "of the ids back"):
        pool.give_back(ids, owner)
    assert pool.free == 1, case
    pool.give_back((0, 1), "a")
    pool.give_back((2,), "b")
    assert pool.free == 4


def test_giving_back_twice_is_refused() -> None:
    pool = Pool("ids", 1)
    ids = pool.take(1, "a")
    pool.give_back(ids, "a")
    with refused(errno.EINVAL, "a gives number 0 of the ids back and does not have it"):
        pool.give_back(ids, "a")
    assert pool.free == 1
