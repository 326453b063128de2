"""Worker processes that do one task after the other, and may die of it."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

__all__ = ["Died", "Workers"]

T = TypeVar("T")
R = TypeVar("R")

LOOK_EVERY_S: Final = 0.1
GRACE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Died:
    """What comes in the place of a result when the worker died of its task.

    Attributes:
        status: of the process: negative for the signal that killed it.
    """

    status: int | None

    def __str__(self) -> str:
        if self.status is not None and self.status < 0:
            return f"the worker was killed by {signal.Signals(-self.status).name}"
        return f"the worker ended with status {self.status}"


@dataclass(slots=True, eq=False)
class _Worker(Generic[T]):
    process: BaseProcess
    link: Connection
    task: T | None = None


class Workers(Generic[T, R]):
    """Does tasks in processes of their own, which start afresh and share nothing with this one.

    A worker that dies takes its task with it, and no other: another worker takes its place.

    Life cycle: *new* -> *entered* (by `with`) -> *left*, when all processes have ended.

    Args:
        function: does a task. It is sent to the processes, so it stands at the top of a module.
        count: how many processes at most.
    """

    def __init__(self, function: Callable[[T], R], count: int) -> None:
        self._function = function
        self._count = count
        # A fork would inherit the locks of our threads in whatever state they are.
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker[T]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.link.close()
        for worker in self._workers:
            # An idle one sees the end of its link; a busy one is of no use to anybody.
            worker.process.join(0 if worker.task is not None else GRACE_S)
            if worker.process.is_alive():
                worker.process.kill()
            worker.process.join()

    def results(self, tasks: Iterable[T], stopped: Callable[[], bool]) -> Iterator[tuple[T, R | Died]]:
        """Yield each task with its result, as they come.

        Args:
            tasks: what is to be done.
            stopped: asked about ten times a second; True ends it, and what is under way is given up.
        """
        todo = deque(tasks)
        while not stopped():
            self._hand_out(todo)
            busy = [worker for worker in self._workers if worker.task is not None]
            if not busy:
                return
            ready = set(wait([worker.link for worker in busy], LOOK_EVERY_S))
            for worker in busy:
                if worker.link in ready:
                    yield self._collect(worker)

    def _hand_out(self, todo: deque[T]) -> None:
        while todo:
            worker = next((worker for worker in self._workers if worker.task is None), None)
            if worker is None:
                if len(self._workers) == self._count:
                    return
                worker = self._start()
            try:
                worker.link.send(todo[0])
            except ConnectionError:
                self._bury(worker)  # it died of nothing: the task goes to another
            else:
                worker.task = todo.popleft()

    def _collect(self, worker: _Worker[T]) -> tuple[T, R | Died]:
        task, worker.task = worker.task, None
        assert task is not None
        try:
            result: R | Died = worker.link.recv()
        except (EOFError, ConnectionError):
            result = self._bury(worker)
        return task, result

    def _bury(self, worker: _Worker[T]) -> Died:
        worker.process.join()
        worker.link.close()
        self._workers.remove(worker)
        return Died(worker.process.exitcode)

    def _start(self) -> _Worker[T]:
        link, far_end = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(self._function, far_end), daemon=True)
        process.start()
        far_end.close()
        worker: _Worker[T] = _Worker(process, link)
        self._workers.append(worker)
        return worker


def _serve(function: Callable[[T], R], link: Connection) -> None:
    """Be a worker: do what comes, until the other side is gone."""
    # Ctrl-C goes to the whole group; the process that was started by hand decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            task = link.recv()
        except EOFError:
            return
        link.send(function(task))
