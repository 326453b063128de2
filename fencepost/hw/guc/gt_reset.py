"""The reset of the whole device: everything is taken off it, and what is innocent is emitted again."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from fencepost.actors import Recovery, Status, Steps
from fencepost.hw.guc.queue_state import SURVIVORS, Bit
from fencepost.hw.guc.tdr import PATIENCE
from fencepost.policies import Health, Priority

if TYPE_CHECKING:
    from fencepost.hw.guc.guc import Guc
    from fencepost.hw.guc.queue import GucQueue

__all__ = ["GtReset"]


class GtReset:
    """One reset, in the timeout handler, behind the recoveries that are under way.

    Guilty is a queue whose oldest job has started and is not complete, or has been through more than two resets: it is
    banned, and its own recovery ends its jobs. If the firmware cannot be started again the device is wedged.

    Args:
        guc: the device; it is stopped already, and nobody waits for the firmware any more.
        blame: False for one that comes of no fault, such as loss of power: nobody is guilty then.
    """

    def __init__(self, guc: Guc, *, blame: bool) -> None:
        self._guc = guc
        self._blame = blame

    def steps(self, recovery: Recovery) -> Steps[Status]:
        """Reset the device."""
        yield from self._stop_submission(recovery)
        self._stop_device()
        for queue in self._guc.queues:
            self._stop_queue(queue)
        if not self._guc.faults.revive():
            self._wedge(recovery)
            return Status.WEDGED
        self._start()
        return Status.RESET

    def _stop_submission(self, recovery: Recovery) -> Steps[None]:
        """Stop all schedulers, also those that come meanwhile."""
        while any(scheduler not in recovery.pending() for scheduler in recovery.schedulers):
            yield from recovery.stop(recovery.schedulers)

    def _stop_device(self) -> None:
        """Take everything off the engines, and lose what is in the channel."""
        self._guc.channel.stop()
        with self._guc.hardware as contexts:
            contexts.clear()

    def _stop_queue(self, queue: GucQueue) -> None:
        """Bring a queue to where it was before it was registered."""
        self._repair_lost_replies(queue)
        queue.suspension.finish_by_reset()
        before = queue.state.keep(SURVIVORS)
        queue.state.changed.wake_all()
        if self._blame and self._is_guilty(queue):
            queue.health = Health.GUILTY
            queue.state.change(set_=Bit.BANNED)
            queue.trigger_cleanup()
        elif before & Bit.RESET and not queue.state.dead:
            # It is spared, so that nobody need look at each of its jobs any more.
            queue.scheduler.set_timeout(queue.timeout_s)
        self._guc.hardware.clear_ring(queue.context.ring)
        for entry in queue.incomplete():
            entry.emitted = False

    def _repair_lost_replies(self, queue: GucQueue) -> None:
        """Do what the firmware's last reply would have done, which will not come."""
        before = queue.state.change(clear=Bit.REGISTERED)
        if before & Bit.REGISTERED and before & (Bit.EXTRA_REF | Bit.DESTROYED):
            queue.let_go()

    def _is_guilty(self, queue: GucQueue) -> bool:
        first = next(iter(queue.incomplete()), None)
        if first is None or queue.state.dead:
            return False
        first.resets += 1
        if first.job.queue.priority is Priority.KERNEL:
            return False
        started, _ = self._guc.hardware.progress(first.job)
        return started or first.resets > PATIENCE

    def _start(self) -> None:
        """Let the driver talk to the firmware again, and the queues emit what they have, before anything else."""
        self._guc.go_on()
        for queue in self._guc.queues:
            if not queue.state.dead:
                queue.replay()

    def _wedge(self, recovery: Recovery) -> None:
        """Give the device up: nothing is on its engines, so all fences may signal."""
        self._guc.wedged = True
        recovery.wedge()
        for queue in self._guc.queues:
            queue.state.change(set_=Bit.WEDGED)
            queue.state.changed.wake_all()
            queue.suspension.finish()
            for entry in queue.incomplete():
                queue.irq.fail(entry.fence, -errno.EIO)
            queue.irq.start()
