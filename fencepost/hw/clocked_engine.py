"""An engine in a world: its hardware time is the world's clock, and its fences signal when that reaches them."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from fencepost.actors import Job
from fencepost.errors import WrongState, WrongWorld
from fencepost.events import EventRing
from fencepost.events.kinds import BATCH
from fencepost.fences import Fence
from fencepost.hw.access import AccessFault, AddressSpace
from fencepost.hw.engine import Engine
from fencepost.hw.execution import Execution, PageFault
from fencepost.hw.statistics import EngineStatistics
from fencepost.sync import Timer, World
from fencepost.sync.native import process_lock
from fencepost.sync.tracking import tracked

__all__ = ["ClockedEngine"]


@tracked("_signalling", "_timer")
class ClockedEngine:
    """Lets any number of tasks use an `Engine`, one at a time, each at the time it comes.

        with clocked_engine as engine:
            engine.submit(execution)

    What happens up to then has happened before the body begins. The fences of what ended signal after the lock was
    dropped, in the order of the ends (those of `abort` excepted), from whoever comes by first: the timer, in irq
    context, or a call that finds the timer late. A late signal bears the hardware time and delays nothing behind it.

    Never blocks; any context.

    `_lock` protects the engine and all fields below it. Under it only the timers' lock is taken.

    Attributes:
        name: what events and reports call it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        # Protects the world, the record and the lock until there are some; a leaf.
        self._attaching = process_lock()
        self._world: World | None = None
        self._engine = Engine()
        self._executions: dict[Job, Execution] = {}
        self._terminated_early: set[Job] = set()
        self._faults_to_come: dict[Job, PageFault] = {}
        self._stalls: dict[Job, AccessFault] = {}
        self._report_fault: Callable[[Job], object] = _tell_nobody
        self._timer: Timer | None = None
        self._signalling = False

    def attach(self, world: World, events: EventRing | None) -> None:
        """Get to know the world of its rings. Raises WrongWorld when they are of different ones. Client context."""
        with self._attaching:
            if self._world is None:
                self._lock = world.lock()
                self._record = None if events is None else events.record
                self._world = world
            elif self._world is not world:
                raise WrongWorld(f"{self.name}: one of its rings is in another world, expected all of them in one")

    # Jobs.

    def submit(self, job: Job, execution: Execution) -> None:
        """Take a job's batch."""
        with self as engine:
            self._executions[job] = execution
            if job in self._terminated_early:
                execution.left_ns = 0
            execution.fault = self._faults_to_come.get(job)
            engine.submit(execution)

    def terminate(self, job: Job) -> None:
        """End a job's batch. See `Gpu.terminate`."""
        with self as engine:
            execution = self._executions.get(job)
            if execution is not None:
                engine.terminate(execution)
            elif not job.finished.signaled:
                # It is yet to come. Or it is killed first: then it is forgotten after the signal, and so after this.
                self._terminated_early.add(job)

    def fault(self, job: Job, fault: PageFault) -> None:
        """Have a job's batch fault when it runs. See `Gpu.fault`."""
        with self as engine:
            execution = self._executions.get(job)
            if execution is not None:
                engine.fault(execution, fault)
            elif not job.finished.signaled:
                self._faults_to_come[job] = fault

    def abort(self, job: Job, error: int) -> None:
        """Take a job's batch away. Before this returns its fence has signalled, with `error` unless it had ended."""
        with self as engine:
            execution = self._executions.get(job)
            if execution is not None:
                engine.cancel(execution, error)
        if execution is not None:
            # Another task may be about to do it; the second signal does nothing.
            execution.signal()

    def forget(self, job: Job) -> None:
        """Keep nothing of a job that was finished."""
        with self._lock:
            self._executions.pop(job, None)
            self._terminated_early.discard(job)
            self._faults_to_come.pop(job, None)
            self._stalls.pop(job, None)

    def statistics(self) -> tuple[EngineStatistics, dict[str, int]]:
        """Return what it did up to now, and for how many ns it worked for each client."""
        if self._world is None:
            return EngineStatistics(), {}
        with self as engine:
            busy_ns = engine.busy_ns()
            return EngineStatistics(sum(busy_ns.values()), engine.completed), busy_ns

    # Memory.

    def is_stalled(self, execution: Execution) -> bool:
        """Say whether a batch waits for memory that it wants to touch."""
        with self:
            return execution.stalled and execution.end_ns is None

    def retry(self, execution: Execution) -> None:
        """Have a batch that waits for memory try again. See `AccessFault.ack`."""
        with self as engine:
            engine.retry(execution)

    def refuse(self, execution: Execution) -> None:
        """Have a batch that waits for memory get stuck. See `AccessFault.nack`."""
        with self as engine:
            if execution.stalled and execution.end_ns is None:
                engine.fault(execution, PageFault())

    def obstacle_of(self, job: Job) -> AccessFault | ClockedEngine | None:
        """Return what keeps a job from going on: its own fault, or this engine if another's keeps that; or None.

        For reports: it looks without the lock, so it never blocks, and what it says may be over.
        """
        fault = self._stalls.get(job)
        if fault is not None and fault.pending:
            return fault
        return None if self.stalled_job() is None else self

    def stalled_job(self) -> Job | None:
        """Return the job that keeps the engine by its fault. As `obstacle_of`."""
        stalls = list(self._stalls.values())
        return next((fault.job for fault in stalls if fault.pending and not fault.gives_way), None)

    def job_of(self, finished: Fence) -> Job | None:
        """Return the job of a fence if it is here. As `obstacle_of`."""
        executions = list(self._executions.items())
        return next((job for job, execution in executions if execution.finished is finished), None)

    # Recovery.

    def report_faults(self, report: Callable[[Job], object]) -> None:
        """Have `report` called with each job whose batch faults, by whoever comes by first. Before it is used."""
        self._report_fault = report

    def running_job(self) -> Job | None:
        """Return whose batch runs."""
        with self as engine:
            return None if engine.running is None else self._job_of_locked(engine.running)

    def halt(self) -> Job | None:
        """Stop it where it is; return whose batch ran. The executions of its jobs stand still until `resume`."""
        with self as engine:
            running = engine.halt()
            return None if running is None else self._job_of_locked(running)

    def resume(self) -> None:
        """Let it go on."""
        with self as engine:
            engine.resume()

    def restart(self, job: Job) -> None:
        """Have a job's batch run from its start, while it is halted."""
        with self as engine:
            self._faults_to_come.pop(job, None)
            engine.restart(self._executions[job])

    def execution(self, job: Job) -> Execution | None:
        """Return the account of a job, which changes unless the engine is halted; None when it is forgotten."""
        with self._lock:
            return self._executions.get(job)

    def _job_of_locked(self, execution: Execution) -> Job:
        return next(job for job, other in self._executions.items() if other is execution)

    # The way in and out.

    def __enter__(self) -> Engine:
        if self._world is None:
            raise WrongState(f"{self.name} has no scheduler yet: give its ring to Runtime.scheduler first")
        self._lock.acquire()
        # Read under the lock, so that time only moves forward for the engine.
        self._engine.advance(self._world.now_ns())
        return self._engine

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        engine = self._engine
        if engine.stretches:
            self._record_locked()
        self._arm_locked()
        faulted = self._take_faulted_locked() if engine.faulted else ()
        stalls = self._take_stalls_locked() if engine.stalls else ()
        # One task at a time, or a later fence could overtake an earlier one.
        signals = bool(engine.ended) and not self._signalling
        if signals:
            self._signalling = True
        self._lock.release()
        if signals:
            self._signal()
        for job in faulted:
            self._report_fault(job)
        for memory, stall in stalls:
            memory.faulted(stall)

    def _take_stalls_locked(self) -> list[tuple[AddressSpace, AccessFault]]:
        stalls, self._engine.stalls = self._engine.stalls, []
        return [self._new_fault_locked(each) for each in stalls if each.stalled and each.end_ns is None]

    def _new_fault_locked(self, execution: Execution) -> tuple[AddressSpace, AccessFault]:
        assert execution.memory is not None
        job = self._job_of_locked(execution)
        fault = self._stalls[job] = AccessFault(self, job, execution, execution.touches[execution.touched][1])
        return execution.memory, fault

    def _take_faulted_locked(self) -> list[Job]:
        faulted, self._engine.faulted = self._engine.faulted, []
        return [self._job_of_locked(execution) for execution in faulted]

    def _arm_locked(self) -> None:
        """Have the timer fire when the next thing happens."""
        assert self._world is not None
        when_ns, timer = self._engine.next_event_ns, self._timer
        if timer is not None and timer.armed:
            if timer.deadline_ns == when_ns:
                return
            timer.cancel()
        self._timer = None if when_ns is None else self._world.timers.call_at(when_ns, self._expire)

    def _expire(self) -> None:
        """Look at what has happened. Irq context."""
        with self:
            pass

    def _record_locked(self) -> None:
        stretches = self._engine.stretches
        if self._record is not None:
            for stretch in stretches:
                execution, end_ns = stretch.execution, stretch.end_ns
                job = execution.finished
                self._record(
                    (end_ns, BATCH, self.name, execution.client, job.context, job.seqno, stretch.start_ns, end_ns)
                )
        stretches.clear()

    def _signal(self) -> None:
        assert self._world is not None
        while ended := self._take_ended():
            for execution in ended:
                try:
                    execution.signal()
                except Exception as error:  # noqa: BLE001 - a callback's; the other fences signal all the same
                    self._world.failures.append(error)

    def _take_ended(self) -> list[Execution]:
        """Take what has ended and was not signalled; nothing means that the turn to signal is given up."""
        with self._lock:
            ended, self._engine.ended = self._engine.ended, []
            self._signalling = bool(ended)
        return ended

    def __repr__(self) -> str:
        return f"<engine {self.name}>"


def _tell_nobody(_job: Job) -> None:
    """Let a fault be noticed by its time-out."""
