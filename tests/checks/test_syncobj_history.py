"""Recorded syncobjs: some order explains what is right, none what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fencepost.actors import Runtime
from fencepost.checks import explore
from fencepost.checks.linearise import check_history
from fencepost.checks.syncobj_history import RecordedSyncobj, record_syncobj
from fencepost.errors import WrongState
from fencepost.fences import Fence, FenceChain, Syncobj
from fencepost.fences.syncobj_flags import WaitFlags
from tests.checks.histories import Program, programs, run

POINTS = (1, 2, 3)
FENCES = 3


@dataclass(frozen=True)
class Scene:
    """A recorded syncobj, and what can be put into it."""

    syncobj: RecordedSyncobj
    fences: list[Fence]


def add(fence: int, point: int, scene: Scene) -> None:
    scene.syncobj.add_point(scene.fences[fence], point)


def put(fence: int, scene: Scene) -> None:
    scene.syncobj.replace(scene.fences[fence])


def end(fence: int, scene: Scene) -> None:
    scene.fences[fence].signal()


def add_complete(point: int, scene: Scene) -> None:
    scene.syncobj.signal_point(point)


def wait(point: int, flags: WaitFlags, timeout_s: float, scene: Scene) -> None:
    scene.syncobj.wait(point, flags, timeout_s)


def reset(scene: Scene) -> None:
    scene.syncobj.reset()


def signal(scene: Scene) -> None:
    scene.syncobj.signal()


def query(scene: Scene) -> None:
    scene.syncobj.query()


def ask_last(scene: Scene) -> None:
    scene.syncobj.query(last_submitted=True)


WHICH = st.integers(0, FENCES - 1)
POINT = st.sampled_from(POINTS)


def adding(fence: int, point: int) -> Callable[[Scene], object]:
    return partial(add, fence, point)


def adding_complete(point: int) -> Callable[[Scene], object]:
    return partial(add_complete, point)


def putting(fence: int) -> Callable[[Scene], object]:
    return partial(put, fence)


def ending(fence: int) -> Callable[[Scene], object]:
    return partial(end, fence)


def waiting(point: int, flags: WaitFlags, timeout_s: float) -> Callable[[Scene], object]:
    return partial(wait, point, flags, timeout_s)


OPERATIONS: st.SearchStrategy[Callable[[Scene], object]] = st.one_of(
    st.builds(adding, WHICH, POINT),
    st.builds(ending, WHICH),
    st.builds(putting, WHICH),
    st.builds(adding_complete, POINT),
    st.builds(
        waiting,
        st.sampled_from((0, *POINTS)),
        st.sampled_from([WaitFlags(0), WaitFlags.FOR_SUBMIT, WaitFlags.AVAILABLE]),
        st.sampled_from([0, 0.001]),
    ),
    st.sampled_from([reset, signal, query, query, ask_last]),
)


def use(program: Program[Scene], runtime: Runtime, syncobj_class: type[Syncobj] = Syncobj) -> None:
    """Run a program on a syncobj, then signal what was put into it."""
    syncobj = syncobj_class("object")
    fences = [Fence(name=f"fence {number}") for number in range(FENCES)]
    history = record_syncobj(syncobj, fences)
    scene = Scene(cast("RecordedSyncobj", syncobj), fences)
    run(runtime, program, scene, history, lambda: [fence.signal() for fence in fences])


@given(program=programs(OPERATIONS), seed=st.integers(0, 1000))
@settings(max_examples=60)
def test_a_syncobj_is_linearisable_in_every_schedule(program: Program[Scene], seed: int) -> None:
    report = explore(partial(use, program), schedules=25, seed=seed)
    assert not report.found, str(report)


@given(program=programs(OPERATIONS))
@settings(max_examples=60)
def test_a_syncobj_is_linearisable_on_threads(program: Program[Scene]) -> None:
    with Runtime(world="native") as runtime:
        for _ in range(5):
            use(program, runtime)


# Wrong syncobjs.


class LosesPoints(Syncobj):
    """Looks what is before a new point, and puts it there afterwards."""

    __slots__ = ()

    def add_point(self, fence: Fence, point: int) -> None:
        before = self.fence
        with self._lock:
            pass
        Syncobj.replace(self, FenceChain(fence, point, before))


class ForgetsWhatIsBefore(Syncobj):
    """A point that is not after the last begins anew."""

    __slots__ = ()

    def add_point(self, fence: Fence, point: int) -> None:
        if point <= Syncobj.query(self, last_submitted=True):
            self._fence = None
        super().add_point(fence, point)


class AsksOnlyThePointItself(Syncobj):
    __slots__ = ()

    @staticmethod
    def fence_at(head: Fence, point: int) -> Fence:
        fence = Syncobj.fence_at(head, point)
        return fence.fence if isinstance(fence, FenceChain) else fence


class CountsWhatIsDone(Syncobj):
    """Takes the highest point that is done for the value."""

    __slots__ = ()

    def query(self, *, last_submitted: bool = False) -> int:
        head = self.fence
        if not last_submitted and isinstance(head, FenceChain) and head.fence.signaled:
            return head.seqno
        return super().query(last_submitted=last_submitted)


class KeepsWhatIsPending(Syncobj):
    __slots__ = ()

    def replace(self, fence: Fence | None) -> None:
        if fence is not None or self.fence is None or self.fence.signaled:
            super().replace(fence)


class TakesSubmittedForComplete(Syncobj):
    __slots__ = ()

    def query(self, *, last_submitted: bool = False) -> int:  # noqa: ARG002 - that is what is wrong
        return super().query(last_submitted=True)


class FindsWhatIsToCome(Syncobj):
    """The last point stands for those after it."""

    __slots__ = ()

    def find(self, point: int = 0) -> Fence | None:
        return super().find(min(point, Syncobj.query(self, last_submitted=True)))


LOOK = partial(wait, 2, WaitFlags(0), 0)
WRONG: list[tuple[type[Syncobj], list[list[Callable[[Scene], object]]], str]] = [
    (LosesPoints, [[partial(add, 0, 1), ask_last], [partial(add, 1, 2), ask_last]], "the last point is"),
    (ForgetsWhatIsBefore, [[partial(add, 0, 2), partial(add, 1, 1), ask_last]], "the last point is 2"),
    (
        AsksOnlyThePointItself,
        [[partial(add, 0, 1), partial(add, 1, 2), partial(end, 1), LOOK]],
        "what it waits for is not so",
    ),
    (
        CountsWhatIsDone,
        [[partial(add, 0, 1), partial(add, 1, 2), partial(end, 1), query]],
        "0 was complete when it began, and 0 is now",
    ),
    (KeepsWhatIsPending, [[partial(put, 0), reset, partial(wait, 0, WaitFlags(0), 0)]], "point 0 is not there"),
    (TakesSubmittedForComplete, [[partial(add, 0, 1), query]], "0 was complete when it began, and 0 is now"),
    (FindsWhatIsToCome, [[partial(add, 0, 1), partial(wait, 3, WaitFlags(0), 0)]], "point 3 is not there"),
]


@pytest.mark.parametrize(
    ("syncobj_class", "program", "said"), WRONG, ids=lambda param: getattr(param, "__name__", None)
)
def test_no_order_explains_a_syncobj_that(
    syncobj_class: type[Syncobj], program: list[list[Callable[[Scene], object]]], said: str
) -> None:
    report = explore(lambda runtime: use(program, runtime, syncobj_class), schedules=500)
    assert report.found
    assert said in report.message, str(report)
    assert not explore(partial(use, program), schedules=500).found


def test_a_syncobj_that_was_used_is_recorded_too_late() -> None:
    syncobj = Syncobj("old")
    syncobj.signal()
    with pytest.raises(WrongState, match=r"<old, .*> is recorded too late, expected an empty syncobj"):
        record_syncobj(syncobj)


def test_a_fence_whose_signal_would_not_be_seen_is_refused() -> None:
    syncobj = Syncobj("object")
    history = record_syncobj(syncobj)
    with pytest.raises(WrongState, match="stranger:0 pending> is put into <object, empty>"):
        syncobj.replace(Fence(name="stranger"))
    assert check_history(history) is None
    assert history.operations == ()
