"""The actor of a scheduler whose run queue knows groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from fencepost.actors.cgroups.messages import Forget, Recap, Refilled, Regroup, Reweigh
from fencepost.actors.scheduler_actor import SchedulerActor
from fencepost.policies.cgroups.branch import GroupStatistics
from fencepost.policies.cgroups.hweight import HierarchicalWeight
from fencepost.policies.group import Group
from fencepost.sync import Timer, current

if TYPE_CHECKING:
    from fencepost.actors.entity_queue import EntityQueue
    from fencepost.actors.job import Job

__all__ = ["GroupSchedulerActor"]

REFILLED: Final = Refilled()


class GroupSchedulerActor(SchedulerActor):
    """Tells its run queue of groups: who is in which, their weights and caps, and what time it is.

    An entity is in the group of its client. Where an entity with jobs goes, the controller says so to every scheduler
    that may have it; where one without jobs goes is looked up when it comes back. So it does not matter which of its
    schedulers it is on, nor that it goes to another in between.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as in the base
        super().__init__(*args, **kwargs)
        self._groups = cast("HierarchicalWeight[EntityQueue]", self._run_queue)
        self._refill: Timer | None = None

    # Messages.

    def on_regroup(self, message: Regroup) -> None:
        """Move an entity that has jobs here to the group of its client."""
        queue = message.queue
        if queue in self._groups:
            assert queue.client is not None
            self._groups.move(queue, queue.client.group)
            self._run()

    def on_reweigh(self, message: Reweigh) -> None:
        """Change a weight from the next pick on."""
        self._groups.set_weight(message.group, message.weight)

    def on_recap(self, message: Recap) -> None:
        """Change a cap from the next pick on."""
        self._groups.set_max_share(message.group, message.share)
        self._run()

    def on_forget(self, message: Forget) -> None:
        """Forget a group in which nobody is any more."""
        self._groups.forget(message.group)

    def on_refilled(self, _message: Refilled) -> None:
        """Go on with who was held back."""
        self._refill = None
        self._run()

    messages: ClassVar = {
        **SchedulerActor.messages,
        Regroup: on_regroup,
        Reweigh: on_reweigh,
        Recap: on_recap,
        Forget: on_forget,
        Refilled: on_refilled,
    }

    def group_statistics(self, group: Group) -> GroupStatistics:
        """Tell what a group has had of the hardware. Any context: each number is one that was right a moment ago."""
        return self._groups.group_statistics(group)

    # The work.

    def _enqueue(self, job: Job) -> None:
        queue = job.queue
        if queue.client is not None and not queue.jobs:
            queue.group = queue.client.group
        super()._enqueue(job)

    def _take(self, free_credits: int) -> Job | None:
        refill_ns = self._groups.refill(self._now_ns())
        if refill_ns is not None and (self._refill is None or refill_ns < self._refill.deadline_ns):
            self._arm(refill_ns)
        return super()._take(free_credits)

    def _arm(self, when_ns: int) -> None:
        if self._refill is not None:
            self._refill.cancel()
        self._refill = current().timers.call_at(when_ns, lambda: self.post(REFILLED))

    def _refuse(self, job: Job, error: int) -> None:
        self._groups.drop(job.queue)
        super()._refuse(job, error)
