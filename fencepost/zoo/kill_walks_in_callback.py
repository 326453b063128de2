"""A killed job that went through its dependencies inside of a fence callback.

A model of the kernel's fences, which run callbacks with their lock held; the fences of one timeline share it. Ours run
them without.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import ClassVar

from fencepost.actors import Actor, Runtime
from fencepost.actors.dispatch import Dispatch
from fencepost.actors.messages import Wake
from fencepost.checks import Kind
from fencepost.sync import Gate, Lock, current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class Fence:
    """Signals to callbacks, with the lock of its timeline held, which protects all fields."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._signaled = False
        self._callbacks: list[Callable[[], None]] = []

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Have it called at the signal; False when that was before."""
        with self._lock:
            if not self._signaled:
                self._callbacks.append(callback)
            return not self._signaled

    def signal(self) -> None:
        with self._lock:
            self._signaled = True
            for callback in self._callbacks:
                callback()


class KilledJob(Actor):
    """Ends when all it depends on has signalled: the work item of the kernel. It is woken to begin, too."""

    def __init__(self, dispatch: Dispatch, name: str, dependencies: Iterable[Fence]) -> None:
        super().__init__(dispatch, name)
        self._dependencies = deque(dependencies)
        self.finished = Gate(f"the end of {name}")

    def on_wake(self, _message: Wake) -> None:
        self.walk()

    messages: ClassVar = {Wake: on_wake}

    def walk(self) -> None:
        """Go on to the next dependency that has not signalled."""
        while self._dependencies:
            if self._dependencies.popleft().add_callback(self.on_signal):
                return
        self.finished.open()

    def on_signal(self) -> None:
        """Be the callback: the signaller's context, its lock held."""
        self.post(Wake())


class KilledJobAsItWas(KilledJob):
    """Goes on right there."""

    def on_signal(self) -> None:
        self.walk()


def model(job_class: type[KilledJob], runtime: Runtime) -> None:
    """Kill a job that depends on two fences of a timeline while these signal."""
    lock = current().lock()
    fences = Fence(lock), Fence(lock)
    job = runtime.start(job_class, fences, name="the killed job")

    def signal() -> None:
        for fence in fences:
            fence.signal()

    runtime.spawn(signal, "device")
    job.post(Wake())
    job.finished.wait()


BUG = Bug(
    name="kill-walks-in-callback",
    title="drm/sched: Fix deadlock in drm_sched_entity_kill_jobs_cb",
    fix="487df8b69834, November 2025, mesa#13908",
    symptom="a signaller waits for a lock that it holds",
    interleaving="the killed job waits for the first fence of a timeline; its signal runs the callback with the lock of"
    " the timeline held; the callback goes on to the second fence, and takes the same lock",
    repair="leave the walk to a worker",
    broken=lambda runtime: model(KilledJobAsItWas, runtime),
    fixed=lambda runtime: model(KilledJob, runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
