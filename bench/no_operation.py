"""A backend that does nothing, so that all that is measured is what stands above it."""

from __future__ import annotations

from fencepost import Job
from fencepost.events import EventRing
from fencepost.fences import Fence
from fencepost.sync import World

__all__ = ["NoOperation"]


class NoOperation:
    """A backend whose jobs are complete when they are handed over."""

    def attach(self, world: World, ring: str, events: EventRing | None) -> None: ...

    def run_job(self, job: Job) -> Fence | None: ...

    def cancel_job(self, job: Job) -> None: ...

    def free_job(self, job: Job) -> None: ...
