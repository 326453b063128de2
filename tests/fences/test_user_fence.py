from __future__ import annotations

import errno
import mmap
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

import pytest

from fencepost.actors import Runtime
from fencepost.checks import explore
from fencepost.errors import WrongContext
from fencepost.fences import Compare, Fence, UserFence
from fencepost.sync import Gate, World, current
from tests.searching import assert_clean

TOP = (1 << 64) - 1


def raises(number: int, match: str) -> pytest.RaisesExc[OSError]:
    return pytest.raises(OSError, match=rf"\[Errno {number}\] .*{match}")


# The value.


def test_it_is_where_the_user_says(native: World) -> None:  # noqa: ARG001 - entered
    memory = bytearray(24)
    fence = UserFence(memory, 8)
    fence.write(0x0102030405060708)
    assert bytes(memory[8:16]) == (0x0102030405060708).to_bytes(8, "little")
    assert bytes(memory[:8] + memory[16:]) == bytes(16)
    memory[8:16] = (7).to_bytes(8, "little")
    assert fence.value == 7


@pytest.mark.parametrize("make", [lambda: None, lambda: memoryview(bytearray(8)), lambda: mmap.mmap(-1, 8)])
def test_any_memory_that_can_be_written_will_do(any_world: World, make: Callable[[], Any]) -> None:  # noqa: ARG001
    fence = UserFence(make())
    assert fence.value == 0
    fence.write(TOP)
    assert fence.value == TOP


@pytest.mark.parametrize(
    ("memory", "offset"),
    [
        (bytearray(7), 0),
        (bytearray(16), 9),
        (bytearray(16), 16),
        (bytearray(16), 4),
        (bytearray(16), -8),
        (bytes(8), 0),
        (memoryview(bytearray(16))[::2], 0),
        ("text", 0),
    ],
)
def test_memory_that_is_too_small_unaligned_or_not_to_be_written_is_refused(memory: Any, offset: int) -> None:  # noqa: ANN401
    with raises(errno.EINVAL, "flip"):
        UserFence(memory, offset, name="flip")


def test_add_wraps_round(any_world: World) -> None:  # noqa: ARG001
    fence = UserFence()
    assert fence.add() == 1
    assert fence.add(-2) == TOP
    assert fence.add(TOP) == TOP - 1
    assert fence.value == TOP - 1


def test_no_addition_is_lost(native: World) -> None:
    fence = UserFence()
    start = Gate("start")

    def add() -> None:
        start.wait()
        for _ in range(500):
            fence.add()

    tasks = [native.spawn(add, name=f"adder{index}") for index in range(4)]
    start.open()
    assert all(task.join() for task in tasks)
    assert fence.value == 2000


# Comparisons.


@pytest.mark.parametrize(
    ("how", "below", "equal", "above"),
    [
        (Compare.EQ, False, True, False),
        (Compare.NEQ, True, False, True),
        (Compare.GT, False, False, True),
        (Compare.GTE, False, True, True),
        (Compare.LT, True, False, False),
        (Compare.LTE, True, True, False),
    ],
)
def test_the_six_comparisons(virtual: World, how: Compare, below: bool, equal: bool, above: bool) -> None:  # noqa: ARG001, FBT001
    fence = UserFence()
    for value, expected in ((4, below), (5, equal), (6, above), (TOP, above)):
        fence.write(value)
        assert fence.wait(how, 5, timeout_s=0) is expected


def test_only_the_bits_of_the_mask_count(virtual: World) -> None:  # noqa: ARG001
    fence = UserFence()
    fence.write(0xAB05)
    assert fence.wait(Compare.EQ, 0xFF05, mask=0xFF, timeout_s=0)
    assert not fence.wait(Compare.EQ, 0xFF05, timeout_s=0)
    assert fence.wait(Compare.EQ, 123, mask=0, timeout_s=0)


REFUSED: Final[Sequence[tuple[Callable[[UserFence], object], str]]] = (
    (lambda fence: fence.wait(cast("Any", "=="), 1), "compared by '=='"),
    (lambda fence: fence.wait(Compare.EQ, -1), "value of -1"),
    (lambda fence: fence.wait(Compare.EQ, 1 << 64), "value of 18446744073709551616"),
    (lambda fence: fence.wait(Compare.EQ, 1, mask=-1), "mask of -1"),
    (lambda fence: fence.wait(Compare.EQ, 1, timeout_s=-1), "time-out of -1 s"),
    (lambda fence: fence.wait(Compare.EQ, 1, timeout_s=float("nan")), "time-out of nan s"),
    (lambda fence: fence.write(1 << 64), "value of 18446744073709551616"),
    (lambda fence: fence.write_after(Fence(), -1), "value of -1"),
)


@pytest.mark.parametrize(("ask", "match"), REFUSED)
def test_what_cannot_be_meant_is_refused(virtual: World, ask: Callable[[UserFence], object], match: str) -> None:  # noqa: ARG001
    fence = UserFence(name="flip")
    with raises(errno.EINVAL, f"{match}.*") as caught:
        ask(fence)
    assert "flip" in str(caught.value)
    assert fence.value == 0


# Waits.


def test_a_write_ends_the_wait(any_world: World) -> None:
    fence = UserFence()
    waiting = [any_world.spawn(lambda: fence.wait(Compare.GTE, 2), name=f"waiter{index}") for index in range(3)]
    fence.write(1)
    fence.add()
    assert all(task.join() for task in waiting)
    assert [task.result for task in waiting] == [True] * 3


def test_a_wait_ends_with_its_time(virtual: World) -> None:
    fence = UserFence()
    virtual.timers.call_at(400_000_000, lambda: fence.write(1))
    assert not fence.wait(Compare.EQ, 2, timeout_s=1.5)
    assert virtual.now_ns() == 1_500_000_000
    assert fence.wait(Compare.EQ, 1, timeout_s=float("inf"))
    assert virtual.now_ns() == 1_500_000_000


def test_who_wrote_in_another_way_says_so(virtual: World) -> None:
    memory = bytearray(8)
    fence = UserFence(memory)
    waiting = virtual.spawn(lambda: fence.wait(Compare.EQ, 9, timeout_s=1), name="waiter")

    def write() -> None:
        memory[0] = 9
        fence.wake()

    virtual.timers.call_at(1000, write)
    assert waiting.join()
    assert waiting.result is True
    assert virtual.now_ns() == 1000


def test_when_the_writer_is_gone_waits_end_with_an_error(any_world: World) -> None:
    fence = UserFence(name="flip")

    def wait() -> int | None:
        try:
            fence.wait(Compare.EQ, 1)
        except OSError as error:
            return error.errno
        return None

    waiting = any_world.spawn(wait, name="waiter")
    fence.fail()
    assert waiting.join()
    assert waiting.result == errno.EIO
    with raises(errno.EIO, "UserFence flip"):
        fence.wait(Compare.EQ, 1, timeout_s=0)
    assert fence.wait(Compare.EQ, 0), "what is there is there"


def test_it_is_written_once_a_fence_has_signalled(any_world: World) -> None:
    before, fence = Fence(), UserFence()
    fence.write_after(before, 7)
    assert fence.value == 0
    waiting = any_world.spawn(lambda: fence.wait(Compare.EQ, 7), name="waiter")
    before.signal(-errno.EIO)
    assert waiting.join()
    fence.write_after(before, 8)
    assert fence.value == 8


def test_who_may_not_block_may_look(virtual: World) -> None:
    fence, before = UserFence(), Fence()
    seen: list[object] = []

    def callback(_before: Fence) -> None:
        seen.append(fence.wait(Compare.EQ, 0))
        with pytest.raises(WrongContext, match="UserFence"):
            fence.wait(Compare.EQ, 1, timeout_s=1)

    before.add_callback(callback)
    before.signal()
    assert seen == [True]
    assert virtual.now_ns() == 0


def test_it_is_no_fence() -> None:
    assert not issubclass(UserFence, Fence)


# Lost wake-ups.


def model(fence_class: type[UserFence], runtime: Runtime) -> None:
    fence = fence_class()
    runtime.spawn(lambda: fence.wait(Compare.EQ, 2), "waiter")
    runtime.spawn(fence.add, "one")
    runtime.spawn(fence.add, "other")


def test_no_wake_up_is_lost() -> None:
    assert_clean(lambda runtime: model(UserFence, runtime))
    report = explore(
        lambda runtime: model(UserFence, runtime), strategy="dfs", schedules=3000, fields={UserFence: "_cell _failed"}
    )
    assert not report.found, str(report)


class LooksFirst(UserFence):
    """Looks before it registers, and not after."""

    def wait(self, how: Compare, value: int, mask: int = TOP, timeout_s: float | None = None) -> bool:  # noqa: ARG002
        while not self._is_so(how, value, mask):
            waiter = current().waiter()
            self._changed.add(waiter.wake)
            waiter.wait(None, self)
            self._changed.remove(waiter.wake)
        return True


class WakesFirst(UserFence):
    """Wakes before it writes."""

    def add(self, steps: int = 1) -> int:
        self._changed.wake_all()
        with self._lock:
            self._cell.value += steps
            return self._cell.value


@pytest.mark.parametrize("fence_class", [LooksFirst, WakesFirst])
def test_the_other_order_on_either_side_loses_one(fence_class: type[UserFence]) -> None:
    report = explore(lambda runtime: model(fence_class, runtime))
    assert report.kind == "deadlock"
