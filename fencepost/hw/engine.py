"""The rule by which an engine executes batches: bookkeeping of hardware time, without locks, timers or a world.

Hardware time is told from outside: `advance(t)` lets everything happen that happens up to t, in the order of hardware
time, and only then may something arrive at t. So the account does not depend on how late anybody looks, and what
arrives just when a batch ends or can be preempted comes too late for that occasion.
"""

from __future__ import annotations

from collections import Counter

from fencepost.hw.arbiter import Arbiter
from fencepost.hw.execution import Execution, PageFault, RingBuffer, Stretch
from fencepost.sync.tracking import tracked

__all__ = ["Engine"]


@tracked("now_ns", "running", "completed", "ended", "_start_ns", "_switch_ns")
class Engine:
    """Executes one batch at a time, each ring's in the order they came.

    A batch that runs gives way to a more important ring at its next point of preemption, and later resumes with what
    was left. Calls must not overlap: whoever shares it brings a lock.

    While it is halted nothing runs, and so nothing ends.

    Attributes:
        now_ns: hardware time.
        running: the batch that runs, or None.
        completed: how many batches came to their end without being cancelled.
        stretches: what was executed, in order, since somebody emptied the list; the running stretch is not among it.
        ended: the batches that ended, in order, since somebody emptied the list.
        faulted: the batches that got stuck by a fault, likewise.
        stalls: the batches that wait for memory they want to touch, since they began to, likewise.
    """

    def __init__(self) -> None:
        self.now_ns = 0
        self.running: Execution | None = None
        self.completed = 0
        self.stretches: list[Stretch] = []
        self.ended: list[Execution] = []
        self.faulted: list[Execution] = []
        self.stalls: list[Execution] = []
        self._halted = False
        # What ran when it was halted.
        self._held: Execution | None = None
        self._arbiter = Arbiter[RingBuffer]()
        self._start_ns = 0
        self._switch_ns: int | None = None
        self._busy_ns: Counter[str] = Counter()

    # Time.

    @property
    def next_event_ns(self) -> int | None:
        """When something will happen if nothing arrives before; None for never."""
        if self.running is None:
            return None
        left_ns, switch_ns = self.running.left_ns, self._switch_ns
        if self.running.touches:
            left_ns = self._next_of_touching(self.running)
        if left_ns is None:
            return switch_ns
        end_ns = self._start_ns + left_ns
        return end_ns if switch_ns is None else min(end_ns, switch_ns)

    def advance(self, to_ns: int) -> None:
        """Let time pass up to `to_ns`, which is not in the past, with all that happens by then."""
        assert to_ns >= self.now_ns
        while (when_ns := self.next_event_ns) is not None and when_ns <= to_ns:
            self.now_ns = when_ns
            self._happen()
        self.now_ns = to_ns

    def busy_ns(self) -> dict[str, int]:
        """Return how long it has executed for each client, up to now."""
        busy_ns = self._busy_ns.copy()
        if self.running is not None:
            busy_ns[self.running.client] += self.now_ns - self._start_ns
        return dict(busy_ns)

    # Arrivals: all of them happen now.

    def submit(self, execution: Execution) -> None:
        """Take a batch, behind those of its ring."""
        ring = execution.ring
        ring.batches.append(execution)
        if len(ring.batches) > 1:
            return
        self._arbiter.enter(ring)
        if self.running is None:
            self._start_next()
        else:
            self._give_way(self.running, ring)

    def terminate(self, execution: Execution) -> None:
        """End a batch: now if it runs, else as soon as its turn has come. Does nothing to one that has ended."""
        if execution is self.running:
            self._complete()
        elif execution.end_ns is None:
            execution.left_ns = 0

    def cancel(self, execution: Execution, error: int) -> None:
        """Take a batch away, now, with an error. Does nothing to one that has ended."""
        if execution.end_ns is not None:
            return
        execution.error = error
        if execution is self.running:
            self._stop()
            self._retire(execution)
            self._start_next()
        else:
            if execution is self._held:
                self._held = None
            self._retire(execution)

    def fault(self, execution: Execution, fault: PageFault) -> None:
        """Have a batch fault: now if it runs, else when it will. It goes no further then, until it is taken away."""
        execution.fault = fault
        if execution is self.running:
            self._stick(execution)

    def retry(self, execution: Execution) -> None:
        """Have a batch that is stalled touch the same memory again. Does nothing to one that is not."""
        if not execution.stalled:
            return
        if execution is self.running:
            self._stop()
            execution.stalled = False
            self._go_on(execution)
        else:
            execution.stalled = False

    def halt(self) -> Execution | None:
        """Stop where it is, and start nothing; return what ran."""
        self._halted = True
        self._held = running = self.running
        if running is not None:
            self._stop()
        return running

    def resume(self) -> None:
        """Go on: with what ran, if that has not been taken away."""
        self._halted = False
        held, self._held = self._held, None
        if held is None:
            self._start_next()
        else:
            self._go_on(held)

    def restart(self, execution: Execution) -> None:
        """Have a batch that does not run, and has not ended, run from its start when its turn comes."""
        execution.left_ns = execution.total_ns
        execution.executed_ns = 0
        execution.started = execution.stalled = False
        execution.fault = None
        execution.touched = execution.stalled_ns = 0

    # What happens.

    def _stick(self, execution: Execution) -> None:
        execution.left_ns = None
        execution.stalled = False
        self.faulted.append(execution)

    def _next_of_touching(self, running: Execution) -> int | None:
        """Return how long after the beginning of this stretch it ends or touches something."""
        if running.stalled:
            return None
        after_ns = [each for each in (running.left_ns, running.next_touch_ns) if each is not None]
        return min(after_ns, default=None)

    def _touch(self, running: Execution) -> None:
        """Go past what it touches, if that is there; else wait for it."""
        assert running.memory is not None
        if running.memory.is_mapped(running.touches[running.touched][1]):
            running.touched += 1
            return
        self._stop()
        running.stalled = True
        self.stalls.append(running)
        self._go_on(running)

    def _happen(self) -> None:
        """Let happen the one thing that happens now: the running batch ends, or may be preempted."""
        running, first = self.running, self._arbiter.first()
        assert running is not None
        ran_ns = self.now_ns - self._start_ns
        if running.left_ns == ran_ns and not running.stalled:
            self._complete()
        elif running.next_touch_ns == ran_ns:
            self._touch(running)
        elif first is not None and first.priority < running.ring.priority:
            self._stop()
            self._arbiter.enter(running.ring)
            self._start_next()
        else:
            # Who wanted it was cancelled meanwhile.
            self._switch_ns = None

    def _give_way(self, running: Execution, ring: RingBuffer) -> None:
        """Have the running batch preempted at its next point, if a ring that waits is more important."""
        if ring.priority >= running.ring.priority or not running.granularity_ns:
            return
        if running.stalled:
            self._switch_ns = self.now_ns if running.leaves_stalled else None
        else:
            points = (self.now_ns - self._start_ns) // running.granularity_ns
            self._switch_ns = self._start_ns + (points + 1) * running.granularity_ns

    def _complete(self) -> None:
        execution = self._stop()
        self.completed += 1
        self._retire(execution)
        self._start_next()

    def _stop(self) -> Execution:
        """End the running stretch."""
        running = self.running
        assert running is not None
        ran_ns = self.now_ns - self._start_ns
        if running.stalled:
            running.stalled_ns += ran_ns
        elif running.left_ns is not None:
            running.left_ns -= ran_ns
        running.executed_ns += ran_ns
        self._busy_ns[running.client] += ran_ns
        self.stretches.append(Stretch(running, self._start_ns, self.now_ns))
        self.running = self._switch_ns = None
        return running

    def _retire(self, execution: Execution) -> None:
        """Take a batch that does not run out of its ring, for good."""
        execution.end_ns = self.now_ns
        self.ended.append(execution)
        ring = execution.ring
        ring.batches.remove(execution)
        if not ring.batches:
            self._arbiter.leave(ring)
        elif ring.turn is None and not self._has_engine(ring):
            # It ran: what comes after it waits from now on.
            self._arbiter.enter(ring)

    def _has_engine(self, ring: RingBuffer) -> bool:
        current = self.running or self._held
        return current is not None and current.ring is ring

    def _start_next(self) -> None:
        ring = None if self._halted else self._arbiter.first()
        if ring is not None:
            self._arbiter.leave(ring)
            self._run(ring.batches[0])

    def _go_on(self, execution: Execution) -> None:
        """Run what was stopped, unless a more important ring can have the engine."""
        self._run(execution)
        first = self._arbiter.first()
        if first is not None:
            self._give_way(execution, first)

    def _run(self, execution: Execution) -> None:
        self.running = execution
        self._start_ns = self.now_ns
        execution.started = True
        if execution.fault is not None:
            self._stick(execution)
