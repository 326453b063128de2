from __future__ import annotations

import errno
import gc
import weakref

import pytest

from fencepost import Runtime
from fencepost.actors import Entity
from fencepost.errors import WrongState
from fencepost.fences import Fence
from fencepost.hw import Gpu, Ring


def test_a_ring_serves_one_scheduler(rt: Runtime) -> None:
    ring = Gpu().ring("rcs0")
    rt.scheduler(ring, "first")
    with pytest.raises(WrongState, match="first: a ring serves one scheduler, and this one has one"):
        rt.scheduler(ring, "second")


def test_its_fences_are_one_timeline(rt: Runtime) -> None:
    ring = Gpu().ring("rcs0")
    entity = rt.scheduler(ring, credit_limit=10).entity()
    jobs = [entity.submit(1) for _ in range(3)]
    jobs[-1].finished.wait()
    parents = [job.finished.parent for job in jobs]
    assert [parent and (parent.context, parent.seqno) for parent in parents] == [(ring.context, n) for n in (1, 2, 3)]


def test_an_aborted_job_ends_with_its_error_and_the_next_one_starts(rt: Runtime) -> None:
    ring = Gpu().ring("rcs0")
    entity = rt.scheduler(ring, credit_limit=10).entity()
    hung, fine = entity.submit(), entity.submit(1)
    assert not fine.finished.wait(0.001)
    ring.abort(hung, -errno.ETIME)
    assert hung.finished.parent is not None
    assert (hung.finished.parent.error, hung.finished.parent.timestamp_ns) == (-errno.ETIME, 1_000_000)
    fine.finished.wait()
    assert (hung.finished.error, fine.finished.error, fine.finished.timestamp_ns) == (-errno.ETIME, 0, 1_001_000)


def test_what_has_ended_can_be_aborted_and_cancelled_and_stays_as_it_was(rt: Runtime) -> None:
    """The clock has reached the end of the job, and nobody looked before the abort."""
    ring = Gpu().ring("rcs0")
    job = rt.scheduler(ring).entity().submit(1)
    job.scheduled.wait()
    hardware = job.finished.parent
    assert hardware is not None
    rt.world.sleep_until(1000)
    ring.abort(job, -errno.ETIME)
    assert (hardware.status, hardware.timestamp_ns) == (1, 1000)
    ring.cancel_job(job)
    assert hardware.status == 1


def test_a_job_that_it_has_not_got_is_left_alone(rt: Runtime) -> None:
    ring, other = Gpu().ring("rcs0"), Gpu().ring("rcs0")
    job = rt.scheduler(ring).entity().submit(1)
    rt.scheduler(other)
    other.abort(job, -errno.ETIME)
    other.free_job(job)
    job.finished.wait()
    assert job.finished.error == 0


def test_it_keeps_nothing_of_a_job_that_is_over(rt: Runtime) -> None:
    """Neither of one that ran, nor of one that was terminated and then killed before it could."""
    gpu = Gpu()
    scheduler = rt.scheduler(gpu.ring("rcs0"))

    def live() -> list[weakref.ref[Entity]]:
        one, other = scheduler.entity(), scheduler.entity()
        never = Fence()
        ran, killed = one.submit(1), other.submit(1, deps=[never])
        gpu.terminate(killed)
        other.kill()
        never.signal()
        for job in (ran, killed):
            job.finished.wait()
            gpu.terminate(job)
        for entity in (one, other):
            entity.fini()
        return [weakref.ref(one), weakref.ref(other)]

    entities = live()
    scheduler.entity().submit(1).finished.wait()
    gc.collect()
    assert [entity() for entity in entities] == [None, None]


@pytest.mark.parametrize("terminated", [False, True])
def test_an_unattached_ring_takes_nothing(rt: Runtime, terminated: bool) -> None:  # noqa: FBT001 - the case
    job = rt.scheduler(Gpu().ring("rcs0")).entity().submit(1)
    ring = Gpu().ring("rcs0")
    with pytest.raises(WrongState, match="rcs0 has no scheduler yet"):
        ring.terminate(job) if terminated else ring.run_job(job)


def test_a_ring_names_itself(rt: Runtime) -> None:
    ring: Ring = Gpu().ring("vcs1", priority=3)
    assert (ring.engine, ring.priority, repr(ring)) == ("vcs1", 3, "<GpuRing new on vcs1, priority 3>")
    rt.scheduler(ring, "video")
    assert repr(ring) == "<GpuRing video on vcs1, priority 3>"
