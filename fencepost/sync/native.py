"""The native world: OS threads and the machine's clock."""

from __future__ import annotations

import ctypes
import queue
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from fencepost.errors import WrongContext
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
    """A task carried by an OS thread of our own, or by one that the embedding program brought (`thread` alive elsewhere)."""

    __slots__ = ("_thread",)

    def __init__(self, name: str, thread: threading.Thread | None, *, service: bool = False) -> None:
        super().__init__(name, service=service)
        self._thread = thread

    @property
    def done(self) -> bool:
        return self._thread is not None and not self._thread.is_alive()

    def join(self, timeout_s: float | None = None) -> bool:
        if self._thread is None or self._thread is threading.current_thread():
            return False
        self._thread.join(timeout_s)
        return not self._thread.is_alive()


class NativeWaiter:
    """A lock that is taken twice: the second time is the sleep."""

    __slots__ = ("_gate",)

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._gate.acquire()

    def wait(self, deadline_ns: int | None, on: object) -> bool:
        task = current_task()
        if task.no_block is not None:
            msg = f"{task.name} may not wait for {on}: {task.no_block}"
            raise WrongContext(msg)
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
        task = NativeTask(name, thread, service=service)
        self._adopt(task)
        thread.start()
        return task

    def task(self) -> Task:
        return current_task()

    def wait_exactly(self) -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)

    def _join_all(self) -> list[Task]:
        left = [task for task in self.tasks if not task.join(JOIN_LIMIT_S)]
        self.tasks[:] = left
        return left


def current_task() -> Task:
    """Return the calling thread's task, made on first use for a thread that fencepost did not start."""
    task = ambient.task
    if task is None:
        task = ambient.task = NativeTask(threading.current_thread().name, None)
    return task


def process_lock() -> Lock:
    """Make a lock for what all worlds of the process share; nothing may be waited for under it."""
    return threading.Lock()
