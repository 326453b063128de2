"""A load balancer that did not see jobs which had a scheduler and were not pushed yet.

Here the two schedulers also get to share the queue of the entity, which only one may have: some schedules show the jobs
out of order, others a scheduler that looks for its job in vain.
"""

from __future__ import annotations

from fencepost.actors import Entity, Job, Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.zoo.bug import Bug
from fencepost.zoo.instead import model_with

__all__ = ["BUG"]


class EntityAsItWas(Entity):
    """Takes itself for idle until something is pushed."""

    def _busy_locked(self) -> bool:
        return self._last_pushed is not None and super()._busy_locked()


class Recorder(MockBackend):
    """Notes the numbers of the jobs of one entity in the order in which they get to the hardware."""

    def __init__(self, entity: str, ran: list[int]) -> None:
        super().__init__()
        self._entity = entity
        self._ran = ran

    def run_job(self, job: Job) -> Fence:
        if job.entity.name == self._entity:
            self._ran.append(job.finished.seqno)
        return super().run_job(job)


def model(runtime: Runtime) -> None:
    """Bring two jobs on their way while somebody else gets one of the two rings busy."""
    ran: list[int] = []
    rings = [runtime.scheduler(Recorder("client", ran), name=name) for name in ("ring1", "ring2")]
    entity, other = runtime.entity(rings, "client"), rings[0].entity("other")
    runtime.spawn(lambda: other.submit(1), "other client")
    first, second = entity.job(duration_us=1), entity.job(duration_us=1)
    first.arm()
    second.arm()
    first.push()
    second.push()
    second.finished.wait()
    first.finished.wait()
    assert ran == [1, 2], f"the jobs of one entity ran in the order {ran}"


BUG = Bug(
    name="balance-before-push",
    title="drm/scheduler: fix race condition in load balancer",
    fix="posted on 14 January 2020 (N. Das)",
    symptom="jobs of one entity run out of order, on two rings",
    interleaving="the first job gets the first ring; another client makes that busy; the second job finds nothing"
    " pushed, so the entity seems idle and moves to the other ring, where the second job overtakes",
    repair="let nothing move an entity from the choice of a scheduler until its queue is empty",
    broken=model_with(model, entity=EntityAsItWas),
    fixed=model,
    finds=frozenset({Kind.ASSERTION, Kind.EXCEPTION}),
)
