"""All of several fences, or any: spec/dma_fence.md 3.2."""

from __future__ import annotations

import errno

import pytest

from fencepost import sync
from fencepost.fences import Fence, FenceArray, FenceChain, get_stub
from fencepost.fences.several import signal_all
from tests.fences.kit import LONG_S, Work

pytestmark = pytest.mark.usefixtures("any_world")


def three() -> list[Fence]:
    return [Fence(name=name) for name in ("a", "b", "c")]


@pytest.fixture(params=[True, False], ids=["armed", "polled"])
def armed(request: pytest.FixtureRequest) -> bool:
    """Whether somebody waits for the array: the other way to its signal is that it is asked."""
    return bool(request.param)


def array_of(fences: list[Fence], *, armed: bool, any_is_enough: bool = False) -> FenceArray:
    array = FenceArray(fences, signal_on_any=any_is_enough)
    if armed:
        assert array.enable_signaling()
    return array


def test_it_signals_with_the_last_of_its_members(armed: bool) -> None:  # noqa: FBT001 - a fixture
    fences = three()
    array = array_of(fences, armed=armed)
    for place in (1, 0, 2):
        assert not array.signaled
        assert array.status == 0
        fences[place].signal()
    assert array.signaled
    assert array.status == 1


@pytest.mark.parametrize("place", [0, 1, 2])
def test_any_signals_with_the_first_of_its_members(armed: bool, place: int) -> None:  # noqa: FBT001
    fences = three()
    array = array_of(fences, armed=armed, any_is_enough=True)
    assert not array.signaled
    fences[place].signal()
    assert array.signaled
    stamp_ns = array.timestamp_ns
    for fence in fences:
        fence.signal(-errno.EIO)
    assert (array.status, array.timestamp_ns) == (1, stamp_ns)


def test_its_error_is_the_first_that_it_notices_while_somebody_waits() -> None:
    fences = three()
    array = array_of(fences, armed=True)
    fences[2].signal()
    fences[1].signal(-errno.EIO)
    assert array.error == 0
    fences[0].signal(-errno.EBUSY)
    assert array.status == -errno.EIO


def test_its_error_is_the_first_in_the_array_when_it_is_asked() -> None:
    fences = three()
    array = array_of(fences, armed=False)
    fences[2].signal(-errno.EIO)
    fences[1].signal(-errno.EBUSY)
    fences[0].signal()
    assert array.status == -errno.EBUSY


def test_the_error_of_any_is_that_of_the_member_that_was_first(armed: bool) -> None:  # noqa: FBT001
    fences = three()
    array = array_of(fences, armed=armed, any_is_enough=True)
    fences[1].signal(-errno.EIO)
    assert array.status == -errno.EIO
    signal_all(fences)


def test_members_that_are_complete_when_somebody_begins_to_wait_count_with_their_errors() -> None:
    fences = three()
    fences[0].signal(-errno.EIO)
    fences[1].signal(-errno.EBUSY)
    array = array_of(fences, armed=True)
    fences[2].signal()
    assert array.status == -errno.EIO


def test_one_whose_members_are_complete_refuses_the_callback_and_has_signalled() -> None:
    fences = three()
    for fence in fences:
        fence.signal(-errno.EIO)
    array = FenceArray(fences)
    assert not array.add_callback(print)
    assert array.status == -errno.EIO
    assert not FenceArray(fences).enable_signaling()
    assert FenceArray(fences).wait(0)


def test_callbacks_are_called_by_whoever_signals_the_last_member(any_world: sync.World) -> None:
    fences, called_by = three(), list[sync.Task]()
    array = FenceArray(fences)
    assert array.add_callback(lambda _: called_by.append(any_world.task()))
    for fence in fences:
        assert called_by == []
        fence.signal()
    assert called_by == [any_world.task()]


def test_a_sleeper_is_woken_by_the_last_member(any_world: sync.World) -> None:
    fences = three()
    array = FenceArray(fences)
    sleeper = any_world.spawn(lambda: array.wait(LONG_S), name="sleeper")
    for fence in fences:
        any_world.sleep(0.0001)
        fence.signal()
    assert sleeper.join(LONG_S)
    assert sleeper.result is True


def test_a_member_that_is_there_twice_counts_twice(armed: bool) -> None:  # noqa: FBT001
    fence, other = Fence(), Fence()
    array = array_of([fence, fence, other], armed=armed)
    fence.signal()
    assert not array.signaled
    other.signal()
    assert array.signaled


def test_asking_enables_nothing_and_finds_work_that_is_complete() -> None:
    done, pending = Work(complete=True), Work()
    array = FenceArray([done, pending])
    assert not array.signaled
    pending.complete = True
    assert array.signaled
    assert (done.enabled, pending.enabled) == (0, 0)


def test_waiting_enables_each_member_once() -> None:
    members = [Work(), Work()]
    array = FenceArray(members)
    assert not array.wait(0)
    assert array.enable_signaling()
    assert array.add_callback(lambda _: None)
    assert [member.enabled for member in members] == [1, 1]
    signal_all(members)


def test_for_any_nothing_is_enabled_after_the_first_that_is_complete() -> None:
    members = [Work(), Work(complete=True), Work()]
    assert FenceArray(members, signal_on_any=True).wait(0)
    assert [member.enabled for member in members] == [1, 1, 0]
    signal_all(members)


def test_a_member_that_cannot_be_enabled_is_tried_again() -> None:
    members = [Work(), Work(), Work()]
    members[1].failure = LookupError("no interrupt")
    array, heard = FenceArray(members), list[Fence]()
    with pytest.raises(LookupError):
        array.add_callback(heard.append)
    members[1].failure = None
    assert array.add_callback(heard.append)
    assert [member.enabled for member in members] == [1, 1, 1]
    signal_all(members)
    assert heard == [array]


def test_a_deadline_is_for_every_member() -> None:
    members = [Work(), Work()]
    FenceArray(members).set_deadline(7)
    assert [member.deadlines_ns for member in members] == [[7], [7]]


def test_it_has_the_context_and_number_it_is_given() -> None:
    fence = Fence()
    array = FenceArray([fence], context=4, seqno=9)
    assert (array.context, array.seqno, array.fences) == (4, 9, (fence,))
    assert FenceArray([fence]).seqno == 1
    assert FenceArray([fence]).context != FenceArray([fence]).context


def test_an_array_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="an array of no fences, expected at least one"):
        FenceArray([])


@pytest.mark.parametrize("kind", ["array", "chain"])
def test_containers_in_an_array_are_refused(kind: str) -> None:
    container = FenceArray([get_stub()]) if kind == "array" else FenceChain(get_stub(), 1)
    with pytest.raises(ValueError, match="in it, expected no containers: see merge"):
        FenceArray([get_stub(), container])


def test_an_exception_of_a_callback_reaches_whoever_signals_the_last_member() -> None:
    fence, heard = Fence(), list[Fence]()
    array = FenceArray([fence])

    def fail(_: Fence) -> None:
        raise LookupError

    assert array.add_callback(fail)
    assert array.add_callback(heard.append)
    with pytest.raises(LookupError):
        fence.signal()
    assert heard == [array]
