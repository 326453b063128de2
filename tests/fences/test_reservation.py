"""Reservations: the kernel's self-tests of dma_resv for each usage, and the rules of 3.4."""

from __future__ import annotations

import errno
import itertools
from collections.abc import Callable

import pytest

from fencepost import sync
from fencepost.errors import WrongState
from fencepost.fences import Fence
from fencepost.fences.array import FenceArray
from fencepost.fences.chain import FenceChain
from fencepost.fences.locking import locked
from fencepost.fences.reservation import Reservation, Usage
from tests.fences.kit import LONG_S, Work
from tests.fences.refusal import refused
from tests.fences.reservations import EACH_USAGE, everything, fill


@pytest.fixture
def reservation(any_world: sync.World) -> Reservation:  # noqa: ARG001 - it is made there
    return Reservation()


# Rows 34 to 38 of spec/dma_fence.md 4.4, each for the four usages.


@EACH_USAGE
def test_sanitycheck(reservation: Reservation, usage: Usage) -> None:
    fence = Fence()
    assert fence.signal()
    reservation.lock()
    reservation.unlock()
    assert reservation.get_fences(usage) == []


@EACH_USAGE
def test_signaling(reservation: Reservation, usage: Usage) -> None:
    fence = Fence()
    with reservation:
        reservation.reserve(1)
        reservation.add(fence, usage)
        assert not reservation.test_signaled(usage)
        fence.signal()
        assert reservation.test_signaled(usage)


@EACH_USAGE
def test_for_each(reservation: Reservation, usage: Usage) -> None:
    fence = Fence()
    with reservation:
        reservation.reserve(1)
        reservation.add(fence, usage)
        assert list(reservation.iterate(usage)) == [(fence, usage)]


@EACH_USAGE
def test_for_each_unlocked(reservation: Reservation, usage: Usage) -> None:
    fence, done = Fence(), Fence()
    fill(reservation, (fence, usage), (done, usage))
    cursor, rounds = reservation.iterate_unlocked(usage), 0
    for found in cursor:
        assert cursor.is_restarted
        assert found == (fence, usage)
        rounds += 1
        if rounds == 1:
            done.signal()
            swap_list(reservation)
    assert rounds == 2


def swap_list(reservation: Reservation) -> None:
    """Have the list replaced by one without what has signalled."""
    with reservation:
        reservation.reserve(1000)


@EACH_USAGE
def test_get_fences(reservation: Reservation, usage: Usage) -> None:
    fence = Fence()
    fill(reservation, (fence, usage))
    assert reservation.get_fences(usage) == [fence]


# Who waits for what.


def test_a_usage_gets_the_fences_of_those_before_it_too(reservation: Reservation) -> None:
    fences = {usage: Fence(name=usage.name) for usage in Usage}
    fill(reservation, *((fence, usage) for usage, fence in fences.items()))
    for usage in Usage:
        expected = [fences[each] for each in Usage if each <= usage]
        assert reservation.get_fences(usage) == expected
        with reservation:
            assert [fence for fence, _ in reservation.iterate(usage)] == expected


def test_signalled_fences_are_seen_only_under_the_lock(reservation: Reservation) -> None:
    done, pending = Fence(), Fence()
    fill(reservation, (done, Usage.READ), (pending, Usage.READ))
    done.signal()
    assert everything(reservation) == [(done, Usage.READ), (pending, Usage.READ)]
    assert list(reservation.iterate_unlocked(Usage.READ)) == [(pending, Usage.READ)]


def test_a_fence_that_only_says_so_when_asked_is_asked(reservation: Reservation) -> None:
    fill(reservation, (Work(complete=True), Usage.READ))
    assert reservation.test_signaled(Usage.READ)


@EACH_USAGE
def test_one_fence_stands_for_all(reservation: Reservation, usage: Usage) -> None:
    fences = [Fence(), Fence(), Fence()]
    assert reservation.get_singleton(usage) is None
    fill(reservation, *((fence, usage) for fence in fences))
    array = reservation.get_singleton(usage)
    assert isinstance(array, FenceArray)
    assert array.fences == tuple(fences)
    for fence in fences[:2]:
        fence.signal()
    assert reservation.get_singleton(usage) is fences[2]
    assert not array.signaled
    fences[2].signal()
    assert array.signaled
    assert reservation.get_singleton(usage) is None


def test_a_deadline_is_told_to_those_that_are_asked_for(reservation: Reservation) -> None:
    class Urgent(Fence):
        told: int | None = None

        def set_deadline(self, when_ns: int) -> None:
            self.told = when_ns

    fences = [Urgent(), Urgent(), Urgent()]
    fill(reservation, *zip(fences, (Usage.WRITE, Usage.READ, Usage.BOOKKEEP), strict=True))
    fences[0].signal()
    reservation.set_deadline(Usage.READ, 5)
    assert [fence.told for fence in fences] == [None, 5, None]


# Adding.


def test_a_later_fence_of_the_context_takes_the_place_of_the_earlier(reservation: Reservation) -> None:
    first, second, other = Fence(7, 1), Fence(7, 2), Fence(8, 1)
    fill(reservation, (first, Usage.READ), (other, Usage.READ), (second, Usage.READ))
    assert everything(reservation) == [(second, Usage.READ), (other, Usage.READ)]


@pytest.mark.parametrize(("before", "after"), [*itertools.product(Usage, Usage)])
def test_a_usage_is_brought_forward_and_never_put_back(reservation: Reservation, before: Usage, after: Usage) -> None:
    fence = Fence()
    fill(reservation, (fence, before))
    fill(reservation, (fence, after))
    assert everything(reservation) == [(fence, min(before, after))]


def test_a_later_fence_for_a_later_usage_leaves_the_earlier_where_it_is(reservation: Reservation) -> None:
    write, read = Fence(7, 1), Fence(7, 2)
    fill(reservation, (write, Usage.WRITE), (read, Usage.READ))
    assert everything(reservation) == [(write, Usage.WRITE), (read, Usage.READ)]
    assert reservation.get_fences(Usage.WRITE) == [write]


def test_an_earlier_fence_is_added_only_where_the_later_would_not_be_waited_for(reservation: Reservation) -> None:
    earlier, later = Fence(7, 1), Fence(7, 2)
    fill(reservation, (later, Usage.READ), (earlier, Usage.READ), (earlier, Usage.BOOKKEEP))
    assert everything(reservation) == [(later, Usage.READ)]
    fill(reservation, (earlier, Usage.WRITE))
    assert everything(reservation) == [(later, Usage.READ), (earlier, Usage.WRITE)]


def test_one_that_has_signalled_stands_in_nobodys_way(reservation: Reservation) -> None:
    earlier, later = Fence(7, 1), Fence(7, 2)
    fill(reservation, (later, Usage.READ))
    later.signal()
    fill(reservation, (earlier, Usage.READ))
    assert everything(reservation) == [(earlier, Usage.READ)]


def test_numbers_may_wrap_round(reservation: Reservation) -> None:
    before, after = Fence(7, 2**32 - 1), Fence(7, 1)
    fill(reservation, (before, Usage.READ), (after, Usage.READ), (before, Usage.READ))
    assert everything(reservation) == [(after, Usage.READ)]


def test_a_context_has_at_most_a_fence_for_each_usage(reservation: Reservation) -> None:
    for seqno, usage in enumerate(itertools.islice(itertools.cycle([2, 3, 1, 3, 0, 2, 1]), 100)):
        fill(reservation, (Fence(7, seqno), Usage(usage)))
        usages = [usage for _, usage in everything(reservation)]
        assert len(usages) == len(set(usages))


@pytest.mark.parametrize(
    "make", [lambda: FenceArray([Fence()]), lambda: FenceChain(Fence(), 1)], ids=["array", "chain"]
)
def test_a_container_is_refused(reservation: Reservation, make: Callable[[], Fence]) -> None:
    with reservation:
        reservation.reserve(1)
        with pytest.raises(ValueError, match=r"is added to <Reservation buffer, .* no others: see unwrap"):
            reservation.add(make(), Usage.READ)
        with pytest.raises(ValueError, match=r"is added to <Reservation buffer, .* no others: see unwrap"):
            reservation.replace(7, make(), Usage.READ)
    assert everything(reservation) == []


# Slots.


def test_a_fence_needs_a_slot(reservation: Reservation) -> None:
    with reservation:
        reservation.reserve(2)
        reservation.add(Fence(), Usage.READ)
        reservation.add(Fence(), Usage.READ)
        with pytest.raises(WrongState, match="without a slot: reserve some after each lock"):
            reservation.add(Fence(), Usage.READ)
    assert len(everything(reservation)) == 2


def test_one_that_replaces_another_needs_none(reservation: Reservation) -> None:
    fence = Fence(7, 1)
    fill(reservation, (fence, Usage.READ))
    with reservation:
        reservation.add(Fence(7, 2), Usage.READ)
        reservation.add(Fence(7, 3), Usage.KERNEL)


@EACH_USAGE
def test_slots_are_lost_when_it_is_unlocked(reservation: Reservation, usage: Usage) -> None:
    with reservation:
        reservation.reserve(3)
    with reservation, pytest.raises(WrongState, match="without a slot"):
        reservation.add(Fence(), usage)
    with locked([reservation]):
        reservation.reserve(3)
    with reservation, pytest.raises(WrongState, match="without a slot"):
        reservation.add(Fence(), usage)


def test_slots_are_promised_from_now_on_and_not_summed_up(reservation: Reservation) -> None:
    with reservation:
        for _ in range(2):
            reservation.reserve(1)
        reservation.add(Fence(), Usage.READ)
        with pytest.raises(WrongState, match="without a slot"):
            reservation.add(Fence(), Usage.READ)


@pytest.mark.parametrize("count", [0, -1])
def test_no_slots_are_an_error(reservation: Reservation, count: int) -> None:
    with reservation, refused(errno.EINVAL, f"{count} slots of <Reservation buffer, "):
        reservation.reserve(count)


def test_fences_that_have_signalled_go_when_slots_are_reserved(reservation: Reservation) -> None:
    """So it grows no longer than what is pending, twice."""
    pending = [Fence() for _ in range(10)]
    fill(reservation, *((fence, Usage.READ) for fence in pending))
    for _ in range(500):
        fence = Fence()
        fill(reservation, (fence, Usage.READ))
        fence.signal()
    assert len(everything(reservation)) <= 2 * len(pending) + 1
    assert reservation.get_fences(Usage.READ) == pending


class LookedAt(Fence):
    """Counts how often any of them is asked whether it has signalled."""

    looks = 0

    @property
    def signaled(self) -> bool:
        LookedAt.looks += 1
        return super().signaled


def test_an_add_costs_the_same_however_many_contexts_there_are(
    reservation: Reservation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: a list that doubles when it is full looks at each fence a few times at most."""
    monkeypatch.setattr(LookedAt, "looks", 0)
    contexts = 2000
    for seqno in range(2):
        for context in range(1, contexts + 1):
            fill(reservation, (LookedAt(context, seqno), Usage.READ))
        assert LookedAt.looks <= 2 * contexts
    assert len(everything(reservation)) == contexts


def test_who_does_not_hold_it_changes_nothing(reservation: Reservation, any_world: sync.World) -> None:
    fence = Fence()

    def refuse() -> None:
        for call in (
            lambda: reservation.reserve(1),
            lambda: reservation.add(fence, Usage.READ),
            lambda: reservation.replace(1, fence, Usage.READ),
            lambda: reservation.iterate(Usage.READ),
            reservation.unlock,
        ):
            with pytest.raises(WrongState, match="does not hold <Reservation buffer"):
                call()

    refuse()
    with reservation:
        reservation.reserve(1)
        other = any_world.spawn(refuse, name="other")
        assert other.join(LONG_S)
        assert other.error is None
        reservation.add(fence, Usage.READ)


@pytest.mark.parametrize("usage", [-1, 4])
def test_an_unknown_usage_is_refused(reservation: Reservation, usage: int) -> None:
    with reservation, pytest.raises(ValueError, match=f"{usage} is not a valid Usage"):
        reservation.add(Fence(), usage)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"{usage} is not a valid Usage"):
        reservation.test_signaled(usage)  # type: ignore[arg-type]


# Replacing.


def test_all_fences_of_a_context_are_replaced(reservation: Reservation) -> None:
    write, read, other, update = Fence(7, 1), Fence(7, 2), Fence(8, 1), Fence(9, 1)
    fill(reservation, (write, Usage.WRITE), (read, Usage.READ), (other, Usage.READ))
    with reservation:
        reservation.replace(7, update, Usage.BOOKKEEP)
    assert reservation.get_fences(Usage.READ) == [other]
    assert reservation.get_fences(Usage.BOOKKEEP) == [update, other]


def test_what_replaced_is_replaced_like_any_other(reservation: Reservation) -> None:
    first, update = Fence(7, 1), Fence(9, 1)
    fill(reservation, (first, Usage.READ))
    with reservation:
        reservation.replace(7, update, Usage.BOOKKEEP)
        reservation.replace(9, first, Usage.WRITE)
        reservation.add(Fence(7, 2), Usage.WRITE)
    ((fence, usage),) = everything(reservation)
    assert (fence.seqno, usage) == (2, Usage.WRITE)


def test_a_context_that_is_not_there_is_replaced_by_nothing(reservation: Reservation) -> None:
    with reservation:
        reservation.replace(7, Fence(), Usage.BOOKKEEP)
    assert everything(reservation) == []
