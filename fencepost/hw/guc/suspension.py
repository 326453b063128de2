"""Taking a queue off the hardware and letting it back, when any number of holders may want it off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fencepost.actors import StaticMessage, Steps, Until
from fencepost.errors import WrongState
from fencepost.fences import Fence, get_stub
from fencepost.hw.guc.queue_state import Bit
from fencepost.sync import current
from fencepost.sync.tracking import tracked

if TYPE_CHECKING:
    from fencepost.hw.guc.queue import GucQueue

__all__ = ["Suspension"]


@tracked("_fence", "_holders")
class Suspension:
    """Counts who holds a queue off the hardware: the first suspends it, the last one to let go resumes it.

    Both messages are static: they are sent from places where nothing can be allocated. They say that there is something
    to look at; what is to be done follows from the count, so that their order does not matter.

    `_lock` protects the count and the fence. Taken before the state's lock.

    Attributes:
        suspend_message, resume_message: what it sends to the queue's scheduler.
    """

    def __init__(self, queue: GucQueue) -> None:
        self.suspend_message = StaticMessage("SUSPEND", dropped=self.finish)
        self.resume_message = StaticMessage("RESUME")
        self._queue = queue
        self._state = queue.state
        self._lock = current().lock()
        self._holders = 0
        # Signals when nothing runs any more; there while somebody waits for that.
        self._fence: Fence | None = None
        self._resumed_ns: int | None = None

    @property
    def holders(self) -> int:
        """How many hold it. Any context."""
        with self._lock:
            return self._holders

    # By the holders.

    def suspend(self) -> Fence:
        """Hold it; the fence signals when nothing of it runs, or never will. Never blocks; any context."""
        with self._lock:
            self._holders += 1
            first = self._holders == 1
            if first:
                if self._fence is None:
                    self._fence = Fence(name=f"the suspension of {self._queue.name}")
                self._state.change(set_=Bit.PENDING_SUSPEND)
            fence = self._fence
        if first:
            self._queue.scheduler.send(self.suspend_message)
        return get_stub() if fence is None else fence

    def resume(self) -> None:
        """Hold it no more. Never blocks; any context. Raises WrongState for one who does not hold it."""
        with self._lock:
            if not self._holders:
                raise WrongState(f"{self._queue!r} is resumed more often than it was suspended")
            self._holders = self._without_one(self._holders)
            last = not self._holders
        if last:
            self._queue.scheduler.send(self.resume_message)

    def _without_one(self, holders: int) -> int:
        """Return how many hold it when one of them lets go."""
        return holders - 1

    # By the driver.

    def finish(self) -> None:
        """Tell the holders that nothing of it runs. Any context."""
        with self._lock:
            fence, self._fence = self._fence, None
            self._state.change(clear=Bit.PENDING_SUSPEND)
        if fence is not None:
            fence.signal()

    def finish_by_reset(self) -> None:
        """Have it suspended, if somebody waits for that: the reset has taken everything off the hardware."""
        if self._state.has(Bit.PENDING_SUSPEND):
            self._state.change(set_=Bit.SUSPENDED)
            self.finish()

    def _forgo(self) -> bool:
        """Tell whoever has held it meanwhile that there is nothing to wait for; False when somebody holds it."""
        with self._lock:
            if self._holders:
                return False
            fence, self._fence = self._fence, None
            self._state.change(clear=Bit.PENDING_SUSPEND)
        if fence is not None:
            fence.signal()
        return True

    # In band.

    def suspend_steps(self) -> Steps[None]:
        """Process SUSPEND: take the context off its engine; the reply, or a reset, will tell the holders."""
        if self._forgo():
            return
        try:
            yield from self._suspend_steps()
        except GeneratorExit:
            # The scheduler has ended: nothing of it runs, or will tell that it does not.
            self.finish()
            raise

    def _suspend_steps(self) -> Steps[None]:
        queue = self._queue
        if self._runs():
            if not (yield queue.until_settled()):
                queue.guc.reset(f"{queue.name}: no answer before it could be suspended")
                return
            yield from self._minimum_run()
            if queue.guc.stopped:
                # The reset finishes it.
                return
        before = self._state.change(set_=Bit.SUSPENDED)
        if self._runs(before):
            queue.context.disable()
            if not (yield queue.until(lambda: not self._state.has(Bit.PENDING_DISABLE))):
                queue.guc.reset(f"{queue.name}: no answer to its suspension")
        elif not before & Bit.PENDING_DISABLE:
            self.finish()

    def resume_steps(self) -> Steps[None]:
        """Process RESUME: run it again, unless somebody holds it by now."""
        if self.holders:
            return
        queue = self._queue
        if self._state.may_change_scheduling:
            if not (yield queue.until_settled()):
                queue.guc.reset(f"{queue.name}: no answer before it could be resumed")
            if self.holders:
                return
        self._state.change(clear=Bit.SUSPENDED)
        self._resumed_ns = current().now_ns()
        if queue.guc.stopped or not self._state.may_change_scheduling or self._state.has(Bit.ENABLED):
            return
        queue.context.enable(Bit.PENDING_RESUME)
        if not (yield queue.until(lambda: not self._state.has(Bit.PENDING_ENABLE))):
            queue.fail(f"{queue.name}: no answer to its resume")

    def _runs(self, bits: Bit | None = None) -> bool:
        """Say whether there is something to suspend."""
        bits = self._state.bits if bits is None else bits
        return self._state.may_change_scheduling and bool(bits & Bit.ENABLED) and not bits & Bit.SUSPENDED

    def _minimum_run(self) -> Steps[None]:
        """Let it run for a while since it was resumed, or holders that come and go would let it never run."""
        if self._resumed_ns is not None:
            ran_s = (current().now_ns() - self._resumed_ns) / 1e9
            left_s = self._queue.minimum_run_s - ran_s
            if left_s > 0:
                state = self._state
                yield Until(lambda: state.dead or self._queue.guc.stopped, state.changed, left_s)
