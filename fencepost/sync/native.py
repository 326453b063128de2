"""The native world: OS threads and the machine's clock."""

from __future__ import annotations

import ctypes
import queue
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar

from fencepost.sync.task import Task
from fencepost.sync.world import NS_PER_S, World, ambient

if TYPE_CHECKING:
    from collections.abc import Callable

    from fencepost.sync.primitives import Lock, Mailbox, Waiter

__all__ = ["NativeWorld", "process_lock"]

JOIN_LIMIT_S = 5.0
"""How long closing waits for one thread before it is reported as left behind."""

PR_SET_TIMERSLACK = 29


class NativeTask(Task):
    """A task carried by an OS thread of our own, or by one that the embedding program brought (`thread` is None).

    Such a thread, and the caller itself, cannot be joined: that answers False at once.
    """

    __slots__ = ("_thread",)

    def __init__(self, name: str, thread: threading.Thread | None, *, service: bool = False) -> None:
        super().__init__(name, service=service)
        self._thread = thread

    @property
    def done(self) -> bool:
        return self._thread is not None and not self._thread.is_alive()

    def join(self, timeout_s: float | None = None) -> bool:
        if timeout_s is not None and not timeout_s >= 0:
            raise ValueError(f"a time-out of {timeout_s} s, expected 0 or more")
        if self._thread is None or self._thread is threading.current_thread():
            return False
        task = current_task()
        task.check_may_block(self)
        task.waiting_on = self
        try:
            self._thread.join(None if timeout_s is None else min(timeout_s, threading.TIMEOUT_MAX))
        finally:
            task.waiting_on = None
        return not self._thread.is_alive()


class NativeWaiter:
    """A lock that is taken twice: the second time is the sleep."""

    __slots__ = ("_gate",)

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._gate.acquire()

    def wait(self, deadline_ns: int | None, on: object) -> bool:
        task = current_task()
        task.check_may_block(on)
        task.waiting_on = on
        try:
            return self._sleep(deadline_ns)
        finally:
            task.waiting_on = None

    def _sleep(self, deadline_ns: int | None) -> bool:
        if deadline_ns is None:
            return self._gate.acquire()
        while (left_ns := deadline_ns - time.monotonic_ns()) > 0:
            if self._gate.acquire(timeout=min(left_ns / NS_PER_S, threading.TIMEOUT_MAX)):
                return True
        return self._gate.acquire(blocking=False)

    def wake(self) -> None:
        try:
            self._gate.release()
        except RuntimeError:
            # Released before: it was woken twice, and the sleeper has not come by yet.
            return


class NativeWorld(World):
    """OS threads, `time.monotonic_ns`, one timer thread. Usable from any thread; the default world of every thread."""

    name = "native"
    task_class: ClassVar[type[NativeTask]] = NativeTask

    def __init__(self) -> None:
        super().__init__(time.monotonic_ns, threading.Lock)

    def waiter(self) -> Waiter:
        return NativeWaiter()

    def mailbox(self, name: str = "mailbox") -> Mailbox[Any]:  # noqa: ARG002 - a thread's report is its stack
        return queue.SimpleQueue()

    def spawn(self, function: Callable[[], object], *, name: str, service: bool = False) -> Task:
        def body() -> None:
            ambient.world, ambient.task = self, task
            try:
                task.result = function()
            except BaseException as error:  # noqa: BLE001 - kept for whoever joins or closes
                task.error = error
                self.failures.append(error)
                if service:
                    # Others may now wait for it for ever, so say it at once and not only when the world is closed.
                    threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, thread)))

        # Daemon, so that a client which never returns cannot keep the program from ending after it was reported.
        thread = threading.Thread(target=body, name=name, daemon=True)
        task: Task = self.task_class(name, thread, service=service)
        # Started first: a thread that the system refuses is never ours to join.
        thread.start()
        self._adopt(task)
        return task

    def task(self) -> Task:
        return ambient.task or current_task()

    def wait_exactly(self) -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)

    def _join_all(self) -> list[Task]:
        left: list[Task] = []
        # One at a time, since a task may spawn others until it has ended.
        while (task := self._oldest()) is not None:
            if not task.join(JOIN_LIMIT_S):
                left.append(task)
        with self._adoption:
            self.tasks.extend(left)
        return left

    def _oldest(self) -> Task | None:
        with self._adoption:
            return self.tasks.pop(0) if self.tasks else None


def current_task() -> Task:
    """Return the calling thread's task, made on first use for a thread that fencepost did not start."""
    task = ambient.task
    if task is None:
        task = ambient.task = NativeTask(threading.current_thread().name, None)
    return task


def process_lock() -> Lock:
    """Make a lock for what all worlds of the process share; nothing may be waited for under it."""
    return threading.Lock()
