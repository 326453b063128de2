"""The engines in a world: their time is the world's clock, and what happens on them is told when that reaches it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType

from fencepost.actors import Job
from fencepost.events import EventRing
from fencepost.hw.guc.contexts import Contexts
from fencepost.hw.guc.emission import Emission
from fencepost.hw.guc.messages import CatError, FromFirmware
from fencepost.hw.statistics import EngineStatistics, GpuStatistics
from fencepost.sync import Timer, World
from fencepost.sync.tracking import tracked

__all__ = ["Hardware"]


@tracked("_telling", "_timer")
class Hardware:
    """Lets any number of tasks use `Contexts`, one at a time, each at the time it comes.

        with hardware as contexts:
            contexts.enable(context)

    What ended writes its number, and what the firmware has to say is said, after the lock was dropped, in the order in
    which it happened: by whoever comes by first, the timer (in irq context) or a call that finds the timer late.

    Never blocks; any context.

    `_lock` protects the contexts, their rings and all fields below it. Under it only the timers' lock is taken.

    Args:
        world: whose clock it has.
        events: where to record what was executed, or None.
        engines: their names.
        say: what the firmware says is handed to it; it may only post.
    """

    def __init__(
        self, world: World, events: EventRing | None, engines: Iterable[str], say: Callable[[FromFirmware], object]
    ) -> None:
        self._world = world
        self._record = None if events is None else events.record
        self._say = say
        self._lock = world.lock()
        self._contexts = Contexts(engines)
        self._emissions: dict[Job, Emission] = {}
        # Of jobs that are not in a ring yet: those to end, to hang or to fault when they are.
        self._to_end: set[Job] = set()
        self._to_hang: set[Job] = set()
        self._to_fault: set[Job] = set()
        self._timer: Timer | None = None
        self._telling = False

    # Jobs.

    def emit(self, job: Job, emission: Emission, ring: deque[Emission]) -> None:
        """Write a job into the ring of its queue. Nobody looks there before it is told to, or comes by."""
        with self as contexts:
            if job in self._to_hang:
                emission.left_ns, emission.granularity_ns = None, 0
            elif job in self._to_end:
                emission.left_ns = 0
            if job in self._to_fault:
                contexts.faulting.add(emission)
            self._emissions[job] = emission
            ring.append(emission)

    def clear_ring(self, ring: deque[Emission]) -> None:
        """Empty a ring that no context has: what was in it is emitted again."""
        with self:
            ring.clear()

    def terminate(self, job: Job) -> None:
        """End a job's batch. See `Guc.terminate`."""
        with self as contexts:
            emission = self._emissions.get(job)
            if job in self._to_hang:
                return
            if not job.finished.signaled:
                # Also one that is in a ring: it may be emitted again.
                self._to_end.add(job)
            if emission is not None:
                contexts.terminate(emission)

    def hang(self, job: Job) -> None:
        """Have a job that is not in a ring yet never end, nor give way, once it executes."""
        with self._lock:
            self._to_hang.add(job)

    def fault(self, job: Job) -> None:
        """Have a job that is not in a ring yet access foreign memory when it executes."""
        with self._lock:
            self._to_fault.add(job)

    def drop(self, job: Job, ring: deque[Emission]) -> None:
        """Take a job's batch out of its ring, off the engine if it is there."""
        with self as contexts:
            emission = self._emissions.get(job)
            if emission is not None:
                contexts.drop(emission, ring)

    def forget(self, job: Job) -> None:
        """Keep nothing of a job that was finished."""
        with self._lock:
            self._emissions.pop(job, None)
            self._to_end.discard(job)
            self._to_hang.discard(job)
            self._to_fault.discard(job)

    def progress(self, job: Job) -> tuple[bool, int]:
        """Return whether a job has started, and for how many ns it has executed since it was emitted."""
        with self as contexts:
            emission = self._emissions.get(job)
            return (False, 0) if emission is None else (emission.started, contexts.ran_ns(emission))

    def engine_of(self, job: Job) -> str | None:
        """Return the name of the engine that executes a job; None when none does."""
        with self as contexts:
            emission = self._emissions.get(job)
            seat = None if emission is None else contexts.executing(emission)
            return None if seat is None else seat.name

    def statistics(self) -> GpuStatistics:
        """Count what the engines did, up to now."""
        engines: dict[str, EngineStatistics] = {}
        clients: dict[tuple[str, str], int] = {}
        with self as contexts:
            for name, seat in contexts.seats.items():
                busy_ns = contexts.busy_ns(seat)
                engines[name] = EngineStatistics(sum(busy_ns.values()), seat.completed)
                clients |= {(client, name): ns for client, ns in busy_ns.items()}
        return GpuStatistics(engines, clients)

    def say(self, message: FromFirmware) -> None:
        """Have the firmware say something, in turn with what the contexts have for it."""
        with self as contexts:
            contexts.notices.append(message)

    def fault_unknown(self) -> None:
        """Have the firmware tell of a fault without knowing whose it was."""
        self.say(CatError(None))

    # The way in and out.

    def __enter__(self) -> Contexts:
        self._lock.acquire()
        # Read under the lock, so that time only moves forward.
        self._contexts.advance(self._world.now_ns())
        return self._contexts

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        contexts = self._contexts
        if contexts.stretches:
            if self._record is not None:
                for stretch in contexts.stretches:
                    self._record(stretch)
            contexts.stretches.clear()
        for emission in contexts.ended:
            # Under the lock: a reset must not take for incomplete, and emit again, what has ended on the engine.
            assert emission.end_ns is not None
            emission.irq.note(emission.seqno, emission.end_ns)
        self._arm_locked()
        # One task at a time, or a later message could overtake an earlier one.
        tells = bool(contexts.ended or contexts.notices) and not self._telling
        if tells:
            self._telling = True
        self._lock.release()
        if tells:
            self._tell()

    def _arm_locked(self) -> None:
        """Have the timer fire when the next thing happens."""
        when_ns, timer = self._contexts.next_event_ns, self._timer
        if timer is not None and timer.armed:
            if timer.deadline_ns == when_ns:
                return
            timer.cancel()
        self._timer = None if when_ns is None else self._world.timers.call_at(when_ns, self._expire)

    def _expire(self) -> None:
        """Look at what has happened. Irq context."""
        with self:
            pass

    def _tell(self) -> None:
        while True:
            with self._lock:
                contexts = self._contexts
                ended, contexts.ended = contexts.ended, []
                notices, contexts.notices = contexts.notices, []
                more = self._telling = bool(ended or notices)
            if not more:
                return
            for emission in ended:
                emission.irq.walk()
            for notice in notices:
                self._say(notice)
