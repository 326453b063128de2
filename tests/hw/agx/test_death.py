"""The firmware dies, at any step: whoever waits is told, in bounded time."""

from __future__ import annotations

import errno
from typing import get_args

import pytest

from fencepost import Runtime
from fencepost.actors import Status
from fencepost.checks.invariants import check_events, check_quiescent
from fencepost.hw.agx import Agx, Death, LostNotices, PageFault
from fencepost.hw.agx.misfortune import Step
from tests.hw.agx.kit import ends

STEPS = (None, *get_args(Step))


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_every_fence_signals(step: Step | None, silent: bool) -> None:  # noqa: FBT001 - the case
    """Silently dead, it is found by a time-out: of a job, of a halt that does not come, of a resume."""
    agx = Agx(patience_s=0.01)
    with Runtime(world="virtual") as rt:
        schedulers = [agx.scheduler(rt, "compute", timeout_s=0.1), agx.scheduler(rt, "render", timeout_s=0.1)]
        entities = [scheduler.entity(vm=f"vm{number}") for number, scheduler in enumerate(schedulers)]
        jobs = [entity.submit(10) for entity in entities for _ in range(2)]
        agx.inject(Death(step, silent=silent))
        rt.world.sleep_until(2_000)
        if step in {"halt", "resume"}:
            agx.inject(PageFault("vm0"))
        errors = {error for error, _ in ends(jobs)}
        assert errors <= {0, -errno.ENODEV, -errno.EIO}
        assert -errno.ENODEV in errors
        assert agx.crashed
        assert agx.domain.count(Status.ENODEV) >= 1
        rt.world.sleep(0.001)
        with pytest.raises(OSError, match="takes jobs") as refused:
            schedulers[0].entity().submit(1)
        assert refused.value.errno == errno.ENODEV
        assert max(job.finished.timestamp_ns for job in jobs) <= 0.12e9
    assert check_quiescent(rt) == []
    assert rt.events is not None
    assert check_events(rt.events) == []


def test_what_was_complete_before_is_a_success(rt: Runtime) -> None:
    agx = Agx()
    entity = agx.scheduler(rt).entity()
    jobs = [entity.submit(10), entity.submit(10)]
    rt.world.sleep_until(15_000)
    agx.inject(Death())
    assert ends(jobs) == [(0, 10), (-errno.ENODEV, 15)]


def test_what_was_complete_and_nobody_was_told_of_is_a_success_too(rt: Runtime) -> None:
    agx = Agx()
    entity = agx.scheduler(rt).entity()
    jobs = [entity.submit(10), entity.submit(10)]
    agx.inject(LostNotices())
    rt.world.sleep_until(15_000)
    agx.inject(Death())
    assert ends(jobs) == [(0, 10), (-errno.ENODEV, 15)]


def test_the_dead_do_nothing(rt: Runtime) -> None:
    agx = Agx()
    scheduler = agx.scheduler(rt)
    scheduler.entity(client="a").submit()
    rt.world.sleep_until(5_000)
    agx.inject(Death(silent=True))
    agx.inject(PageFault())
    rt.world.sleep_until(9_000)
    assert agx.statistics().clients == {("a", "agx.compute"): 5_000}
    assert not agx.driver.shared.halted.value


def test_a_device_that_is_unplugged_ends_its_jobs(rt: Runtime) -> None:
    agx = Agx()
    entity = agx.scheduler(rt, "all").entity()
    jobs = [entity.submit() for _ in range(2)]
    rt.world.sleep_until(5_000)
    agx.domain.unplug()
    assert ends(jobs) == [(-errno.ENODEV, 5)] * 2
