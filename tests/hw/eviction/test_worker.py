from __future__ import annotations

import errno

import pytest

from fencepost import Runtime
from fencepost.errors import ActorFailed, WrongState
from fencepost.fences import Fence
from fencepost.hw.eviction import ComputeProcess, EvictionWorker
from fencepost.hw.eviction.worker import RESTORE, Evict
from fencepost.hw.memory import PAGE_BYTES, MemoryManager, Vm


class Diary:
    """A process that notes when it is told what, in milliseconds, and cannot be brought back at first."""

    def __init__(self, rt: Runtime, failures: int = 0) -> None:
        self.rt = rt
        self.failures = failures
        self.stays_until_ns = 5_000_000
        self.entries: list[tuple[str, float]] = []

    def leave(self, _fence: Fence) -> bool:
        self.note("leave")
        return True

    def bring_back(self) -> None:
        self.note("back")
        if self.failures:
            self.failures -= 1
            raise OSError(errno.ENOSPC, "no room")

    def lose(self) -> None:
        self.note("lost")

    def note(self, what: str) -> None:
        self.entries.append((what, self.rt.world.now_ns() / 1e6))


def test_an_eviction_waits_until_the_queues_have_had_their_time() -> None:
    with Runtime("virtual") as rt:
        diary = Diary(rt)
        worker = rt.start(EvictionWorker, diary, 0.1, name="worker")
        worker.post(Evict(Fence()))
        rt.world.sleep(0.010)
        worker.post(Evict(Fence()))
    assert diary.entries == [("leave", 5), ("leave", 10), ("lost", 10)]


def test_a_restore_comes_after_the_back_off_and_again_until_it_succeeds() -> None:
    with Runtime("virtual") as rt:
        diary = Diary(rt, failures=2)
        worker = rt.start(EvictionWorker, diary, 0.1, name="worker")
        worker.restore_later()
        rt.world.sleep(1)
        worker.post(RESTORE)
    assert diary.entries == [("back", 100), ("back", 200), ("back", 300), ("back", 1000), ("lost", 1000)]


class Broken(Diary):
    """A process that cannot be brought back for no reason that is foreseen."""

    def bring_back(self) -> None:
        raise AssertionError("broken")


def test_nobody_is_left_waiting_when_it_fails() -> None:
    diaries: list[Broken] = []

    def fail() -> None:
        with Runtime("virtual") as rt:
            diaries.append(Broken(rt))
            rt.start(EvictionWorker, diaries[0], 0.1, name="worker").post(RESTORE)

    with pytest.raises(ActorFailed, match="broken"):
        fail()
    assert diaries[0].entries == [("lost", 0)]


def test_it_blocks_so_no_work_queue_carries_it() -> None:
    with Runtime("virtual", dispatch="workqueue") as rt:
        vm = Vm(MemoryManager(PAGE_BYTES, PAGE_BYTES))
        with pytest.raises(WrongState, match="eviction of vm blocks"):
            ComputeProcess(rt, vm)
