"""What the tests of recovery on a GPU share: one of two engines, and how its jobs and entities end."""

from __future__ import annotations

import pytest

from fencepost import Runtime
from fencepost.actors import Entity, Job
from fencepost.hw import Gpu
from fencepost.policies import Health

__all__ = ["TIMEOUT_S", "TWO", "Machine", "errors", "is_refused"]


TIMEOUT_S = 0.01
TWO = {"rcs": 1, "ccs": 1}


class Machine:
    """A GPU of two engines, a scheduler on each, and an entity of its own client for each."""

    def __init__(self, rt: Runtime, gpu: Gpu, *, credit_limit: int = 10, timeout_s: float | None = TIMEOUT_S) -> None:
        self.rt = rt
        self.gpu = gpu
        names = [name for names in gpu.engines.values() for name in names]
        self.schedulers = [
            rt.scheduler(gpu.ring(name), name, credit_limit=credit_limit, timeout_s=timeout_s) for name in names
        ]
        self.entities = [each.entity(client=f"client{index}") for index, each in enumerate(self.schedulers)]
        domain = self.schedulers[0].domain
        assert domain is not None
        self.domain = domain

    def sleep(self, us: int) -> None:
        self.rt.world.sleep_until(self.rt.world.now_ns() + us * 1000)

    def health(self) -> list[Health]:
        return [entity.status().health for entity in self.entities]


def errors(*jobs: Job) -> list[int]:
    """Wait for jobs, which no wait for them tells the outcome of; return that."""
    for job in jobs:
        assert job.finished.wait(1)
    return [job.finished.error for job in jobs]


def is_refused(entity: Entity, error: int) -> bool:
    with pytest.raises(OSError, match="takes no more jobs") as refusal:
        entity.submit(1)
    return refusal.value.errno == error
