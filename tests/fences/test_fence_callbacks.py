"""Callbacks of a fence, in each world: spec/dma_fence.md 1.4."""

from __future__ import annotations

import itertools

import pytest

from fencepost import sync
from fencepost.errors import WrongContext
from fencepost.fences import Fence
from tests.fences.kit import LONG_S, SHORT_S, until_asleep

pytestmark = pytest.mark.usefixtures("any_world")


def test_callbacks_run_in_the_order_they_came() -> None:
    fence, ran = Fence(), list[int]()
    for number in range(5):
        assert fence.add_callback(lambda _, number=number: ran.append(number))  # type: ignore[misc]
    fence.signal()
    assert ran == [0, 1, 2, 3, 4]


def test_one_callback_may_be_added_twice_and_runs_twice() -> None:
    fence, ran = Fence(), list[Fence]()
    fence.add_callback(ran.append)
    fence.add_callback(ran.append)
    fence.signal()
    assert ran == [fence, fence]


def test_a_callback_added_inside_a_callback_is_refused_and_never_called() -> None:
    fence, answers, ran = Fence(), list[bool](), list[Fence]()
    fence.add_callback(lambda f: answers.append(f.add_callback(ran.append)))
    fence.signal()
    assert (answers, ran) == ([False], [])


def test_a_callback_may_ask_anything_of_its_own_fence_without_waiting() -> None:
    fence, answers = Fence(), list[object]()

    def ask(f: Fence) -> None:
        f.wait_for_callbacks()
        answers.extend([f.wait(), f.context, f.enable_signaling(), f.remove_callback(ask), repr(f)])

    fence.add_callback(ask)
    fence.signal()
    assert answers[:1] + answers[2:4] == [True, False, False]


def test_a_callback_may_signal_another_fence_and_so_on() -> None:
    fences = [Fence() for _ in range(50)]
    for one, other in itertools.pairwise(fences):
        one.add_callback(lambda _, other=other: other.signal())  # type: ignore[misc]
    fences[0].signal()
    assert all(fence.signaled for fence in fences)


def test_a_callback_may_not_block() -> None:
    fence, other = Fence(name="one"), Fence(name="other")
    fence.add_callback(lambda _: other.wait())
    with pytest.raises(
        WrongContext, match="may not wait for <Fence other:0 pending>: it runs the callbacks of a fence"
    ):
        fence.signal()
    assert fence.signaled


def test_the_signaller_may_block_again_after_the_callbacks() -> None:
    fence, inner = Fence(), Fence()
    inner.add_callback(lambda _: None)
    fence.add_callback(lambda _: inner.signal())
    fence.add_callback(lambda _: Fence().wait(SHORT_S))
    with pytest.raises(WrongContext):
        fence.signal()
    assert not Fence().wait(SHORT_S)


@pytest.mark.parametrize("error", [LookupError("lost"), KeyboardInterrupt()])
def test_a_callback_that_raises_stops_neither_the_others_nor_the_signal(error: BaseException) -> None:
    fence, ran = Fence(), list[str]()

    def fail(_: Fence) -> None:
        raise error

    fence.add_callback(lambda _: ran.append("before"))
    fence.add_callback(fail)
    fence.add_callback(fail)
    fence.add_callback(lambda _: ran.append("after"))
    with pytest.raises(type(error)) as caught:
        fence.signal()
    assert caught.value is error
    assert ran == ["before", "after"]
    assert fence.wait()
    fence.wait_for_callbacks()
    assert not Fence().wait(0)


def test_a_callback_that_raises_does_not_keep_sleepers_asleep(any_world: sync.World) -> None:
    fence = Fence()

    def fail(_: Fence) -> None:
        raise LookupError

    fence.add_callback(fail)
    sleeper = any_world.spawn(lambda: fence.wait(LONG_S), name="sleeper")
    until_asleep(any_world, fence, sleeper)
    with pytest.raises(LookupError):
        fence.signal()
    assert sleeper.join(LONG_S)
    assert sleeper.result is True


def test_a_removed_callback_does_not_run_and_can_be_added_again() -> None:
    fence, ran = Fence(), list[Fence]()
    fence.add_callback(ran.append)
    assert fence.remove_callback(ran.append)
    assert not fence.remove_callback(ran.append)
    assert fence.add_callback(ran.append)
    fence.signal()
    assert ran == [fence]


def test_removing_takes_the_one_that_was_meant() -> None:
    fence, one, other = Fence(), [0], [0, 1]
    fence.add_callback(one.append)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    fence.add_callback(other.append)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    assert fence.remove_callback(other.append)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    fence.signal()
    assert (len(one), len(other)) == (2, 2)


def test_removing_what_was_never_added_answers_no() -> None:
    fence = Fence()
    assert not fence.remove_callback(print)
    fence.signal()
    assert not fence.remove_callback(print)
