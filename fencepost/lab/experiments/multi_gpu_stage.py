"""One client that maps one buffer on all GPUs by one design, and what was seen of it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from fencepost.actors import Runtime
from fencepost.fences.fence import errno_name
from fencepost.hw.mapping import DESIGNS, Arguments, AsBuilt, Client, FenceReturning, Process, Sdma, Touch
from fencepost.hw.memory import PAGE_BYTES, MemoryManager
from fencepost.sync import NS_PER_S, Task

__all__ = ["MapSetup", "Moment", "Observation", "Stage"]

US_PER_MS: Final = 1000
PATIENCE: Final = 20
"""A call that takes so many times as long as it has to is said never to end."""


@dataclass(frozen=True, slots=True)
class MapSetup:
    """What all designs are put through.

    Args:
        gpus: how many.
        dispatch_us: how long a call is busy with each.
        update_us: how long its SDMA engine is busy.
        fail_at: number of the GPU that fails.
        pending_signals: see `Client`.
    """

    gpus: int
    dispatch_us: int
    update_us: int
    fail_at: int
    pending_signals: bool

    @property
    def whole_us(self) -> int:
        """How long it takes when nothing happens."""
        return self.gpus * self.dispatch_us + self.update_us


@dataclass(frozen=True, slots=True)
class Moment:
    """What there is at one time.

    Attributes:
        mapped: the GPUs whose page tables have the buffer, or will.
        usable: those that can rely on it.
        n_success, status, fence: what the client is told; None where the design tells no such thing.
    """

    mapped: tuple[int, ...]
    usable: tuple[int, ...]
    n_success: int | None
    status: tuple[str | None, ...] | None
    fence: bool | None

    def as_json(self) -> dict[str, Any]:
        """Return the facts for a JSON file."""
        return {
            "mapped": self.mapped,
            "usable": self.usable,
            "n_success": self.n_success,
            "status": self.status,
            "fence": self.fence,
        }


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of one design under one event.

    Attributes:
        design, event: which.
        ended_ms: when the client had its answer; None when it had none as long as anybody looked.
        error: the errno of that answer, by name; `0` for success.
        at_end: what there was then, or in the end.
        between: what there was while the event was on: when a signal was handled, or while a GPU hung; else None.
        syscalls, restarts: how many calls the client made, and how often it made one again.
        polls: how often a wait of the client was over in vain, and left it time for other things.
        dispatches: how many mappings the SDMA engines were given.
        early_touches: how often a GPU used the buffer before the client had its answer.
        lost_pages: how often it could not, after it had.
        violations: what must not be.
    """

    design: str
    event: str
    ended_ms: float | None
    error: str | None
    at_end: Moment
    between: Moment | None
    syscalls: int
    restarts: int
    polls: int
    dispatches: int
    early_touches: int
    lost_pages: int
    violations: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the facts for a JSON file."""
        return {
            "design": self.design,
            "event": self.event,
            "ended_ms": self.ended_ms,
            "error": self.error,
            "at_end": self.at_end.as_json(),
            "between": None if self.between is None else self.between.as_json(),
            "syscalls": self.syscalls,
            "restarts": self.restarts,
            "polls": self.polls,
            "dispatches": self.dispatches,
            "early_touches": self.early_touches,
            "lost_pages": self.lost_pages,
            "violations": self.violations,
        }


class Stage:
    """A process with its GPUs, and a client of it that maps a buffer on all of them.

    Attributes:
        setup, design: as given.
        gpus, memory, process, client, arguments: who takes part.
    """

    def __init__(self, rt: Runtime, setup: MapSetup, design: str) -> None:
        self.setup = setup
        self.design = design
        self.gpus = [Sdma(f"gpu{number}") for number in range(setup.gpus)]
        self.memory = MemoryManager(PAGE_BYTES, PAGE_BYTES)
        self.process = Process(
            self.gpus, self.memory, dispatch_us=setup.dispatch_us, update_us=setup.update_us, name="process"
        )
        self.client = Client(pending=setup.pending_signals, on_signal=self._note_signal)
        self.arguments = Arguments(self.process.allocate(PAGE_BYTES), tuple(range(setup.gpus)))
        self._rt = rt
        self._design = DESIGNS[design](self.process)
        self._between: Moment | None = None
        self._ended_ns: int | None = None
        self._error: str | None = None
        self._polls = self._early_touches = self._lost_pages = 0
        self._touched = False

    # What events are made of.

    def at(self, when_us: float, function: Callable[[], object]) -> None:
        """Have something happen, in irq context."""
        self._rt.world.timers.call_at(round(when_us * 1000), function)

    def spawn(self, function: Callable[[], object], name: str) -> Task:
        """Start somebody else."""
        return self._rt.spawn(function, name)

    def sleep_until(self, when_us: float) -> None:
        """Block until then."""
        self._rt.world.sleep_until(round(when_us * 1000))

    def note(self) -> None:
        """Keep what there is now."""
        self._between = self.moment()

    def touch_gpu_0(self, times_us: Iterable[float]) -> None:
        """Have something that runs on GPU 0 use the buffer at certain times."""
        for when_us in times_us:
            self.sleep_until(when_us)
            before = self._ended_ns is None
            touch = self.process.tables[0].touch(self.arguments.handle)
            if touch is Touch.DONE:
                self._touched = True
                self._early_touches += before
            elif self._touched:
                self._lost_pages += 1

    def _note_signal(self, _arguments: Arguments) -> None:
        self.note()

    # The client.

    def start(self) -> Task:
        """Have the client map the buffer; return its task."""
        self._ended_ns = None
        return self._rt.spawn(self._map, "client")

    def run(self) -> None:
        """Have the client map the buffer, and look as long as that is worth while."""
        self.start().join(PATIENCE * self.setup.whole_us * 1000 / NS_PER_S)

    def end(self) -> None:
        """Let a client go that would wait for ever."""
        if self._ended_ns is None:
            self.client.kill()
            for sdma in self.gpus:
                sdma.reset()

    def _map(self) -> None:
        while self._ended_ns is None:
            error = self._answer()
            if error == errno.ETIME:
                self._polls += 1
            else:
                self._error = errno_name(-error).removeprefix("-") if error else "0"
                self._ended_ns = self._rt.world.now_ns()

    def _answer(self) -> int:
        try:
            if self._polls:
                assert isinstance(self._design, FenceReturning)
                self._design.wait(self.client, self.arguments)
            else:
                self._design.map(self.client, self.arguments)
        except OSError as error:
            return error.errno or 0
        return 0

    # What was seen.

    def moment(self) -> Moment:
        """Say what there is now."""
        arguments, process = self.arguments, self.process
        counts = isinstance(self._design, AsBuilt) and self._design.counts
        return Moment(
            mapped=process.mapped(arguments.handle),
            usable=process.usable(arguments.handle),
            n_success=arguments.n_success if counts else None,
            status=tuple(map(_status, arguments.status)) if arguments.status else None,
            fence=bool(arguments.fence) if isinstance(self._design, FenceReturning) else None,
        )

    def observe(self, event: str) -> Observation:
        """Return all that was seen."""
        return Observation(
            design=self.design,
            event=event,
            ended_ms=None if self._ended_ns is None else self._ended_ns / 1e6,
            error=self._error if self._ended_ns is not None else None,
            at_end=self.moment(),
            between=self._between,
            syscalls=self.client.syscalls,
            restarts=self.client.restarts,
            polls=self._polls,
            dispatches=self.process.ledger.dispatches,
            early_touches=self._early_touches,
            lost_pages=self._lost_pages,
            violations=tuple(self.process.ledger.violations),
        )


def _status(status: int | None) -> str | None:
    if status is None:
        return None
    return errno_name(status).removeprefix("-") if status else "0"
