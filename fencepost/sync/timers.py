"""The timer service of a world: functions to be called at points in time, by one task.

A heap under a lock and a task that sleeps until the first deadline. Arming wakes the task only when the new deadline is
the first one, so arming ten thousand far-away time-outs costs no thread switch.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fencepost.sync.primitives import Waiter
    from fencepost.sync.task import Task
    from fencepost.sync.world import World

__all__ = ["Timer", "Timers"]

SWEEP_FLOOR = 64


class Timer:
    """One armed function. Life cycle: *armed* -> *fired* or *cancelled*."""

    __slots__ = ("_function", "_timers", "deadline_ns")

    def __init__(self, timers: Timers, deadline_ns: int, function: Callable[[], object]) -> None:
        self._timers = timers
        self._function: Callable[[], object] | None = function
        self.deadline_ns = deadline_ns

    @property
    def armed(self) -> bool:
        """True until the timer fires or is cancelled."""
        return self._function is not None

    def cancel(self) -> bool:
        """Disarm; True means the function was not and will not be called. Never blocks; any context.

        False means that it was called, is being called or is about to be: the caller must allow for that. It also
        answers a second cancel.
        """
        with self._timers.lock:
            was_armed = self._function is not None
            self._function = None
        return was_armed

    def take_locked(self) -> Callable[[], object] | None:
        """Hand the function over to the timer task, once."""
        function, self._function = self._function, None
        return function


class Timers:
    """The timers of one world.

    Functions run one at a time in the timer task (irq context): they must not block. One that raises is recorded in the
    world's failures, and the timers go on. Late is possible, early is not.

    The lock protects the heap, every timer's function and the fields below it. Only the timer task is spawned under it,
    so that `stop` either finds that task or prevents it.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.lock = world.lock()
        self._heap: list[tuple[int, int, Timer]] = []
        self._armed = 0
        self._sweep_at = SWEEP_FLOOR
        self._sleeper: Waiter | None = None
        self._task: Task | None = None
        self._stopped = False

    def call_at(self, deadline_ns: int, function: Callable[[], object]) -> Timer:
        """Call `function` when the world's clock reaches `deadline_ns`. Never blocks; any context."""
        timer = Timer(self, deadline_ns, function)
        with self.lock:
            self._armed += 1
            heapq.heappush(self._heap, (deadline_ns, self._armed, timer))
            if len(self._heap) > self._sweep_at:
                self._sweep_locked()
            first = self._heap[0][2] is timer
            sleeper = self._sleeper if first else None
            start = self._task is None and not self._stopped
            if start:
                self._task = self._world.spawn(self._run, name="timers", service=True)
        if sleeper is not None:
            sleeper.wake()
        return timer

    @property
    def pending(self) -> bool:
        """True while something will be called, unless it is cancelled. Any context."""
        with self.lock:
            return any(entry[2].armed for entry in self._heap)

    def stop(self) -> None:
        """End the timer task; what is still armed never fires. Idempotent; joined when the world closes."""
        with self.lock:
            self._stopped = True
            sleeper = self._sleeper
        if sleeper is not None:
            sleeper.wake()

    def _run(self) -> None:
        self._world.wait_exactly()
        self._world.task().no_block = "it is a timer function, in irq context"
        while True:
            with self.lock:
                if self._stopped:
                    return
                # One at a time, so that each can still be cancelled by those before it.
                function = self._due_locked(self._world.now_ns())
                deadline_ns = self._heap[0][0] if self._heap else None
                sleeper = self._sleeper = self._world.waiter() if function is None else None
            if function is not None:
                self._call(function)
            elif sleeper is not None:
                self._sleep(sleeper, deadline_ns)

    def _sleep(self, sleeper: Waiter, deadline_ns: int | None) -> None:
        task = self._world.task()
        reason, task.no_block = task.no_block, None
        sleeper.wait(deadline_ns, "the next timer")
        task.no_block = reason

    def _due_locked(self, now_ns: int) -> Callable[[], object] | None:
        """Take the first function that is due, and what was cancelled before it."""
        heap = self._heap
        while heap and (heap[0][0] <= now_ns or not heap[0][2].armed):
            function = heapq.heappop(heap)[2].take_locked()
            if function is not None:
                return function
        return None

    def _sweep_locked(self) -> None:
        """Drop cancelled timers, so that arming and cancelling for ever does not grow the heap."""
        self._heap[:] = [entry for entry in self._heap if entry[2].armed]
        heapq.heapify(self._heap)
        self._sweep_at = max(SWEEP_FLOOR, 2 * len(self._heap))

    def _call(self, function: Callable[[], object]) -> None:
        try:
            function()
        except Exception as error:  # noqa: BLE001 - one bad function must not silence all later timers
            self._world.failures.append(error)
        except BaseException as error:  # noqa: BLE001 - nor does one that asks the program to end
            self._world.interrupt(error)
