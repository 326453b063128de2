"""The hardware under search: a few tasks, many schedules."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import cast

from fencepost.actors import Job, Runtime
from fencepost.fences import Fence
from fencepost.hw import Batch, Gpu, MockBackend
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.execution import Execution, RingBuffer
from fencepost.sync import Gate
from tests.searching import assert_clean, joined

MakeBatch = Callable[..., Execution]


def attached(rt: Runtime) -> ClockedEngine:
    clocked = ClockedEngine("rcs0")
    clocked.attach(rt.world, None)
    return clocked


def test_batches_that_come_and_go_end_in_order_and_are_all_told(batch: MakeBatch) -> None:
    def model(rt: Runtime) -> None:
        clocked, ring, told = attached(rt), RingBuffer(0), list[int]()
        executions = [batch(ring, left_ns, 0) for left_ns in (None, 1000, 0)]
        for number, execution in enumerate(executions):
            execution.fence.add_callback(lambda _, n=number: told.append(n))  # type: ignore[misc]
        gate = Gate()

        def feed() -> None:
            for execution in executions:
                with clocked as engine:
                    assert not gate.is_open
                    engine.submit(execution)

        def hurry() -> None:
            executions[0].fence.wait(0.001)
            with clocked as engine:
                assert not gate.is_open
                if executions[0].end_ns is None and ring.batches:
                    engine.terminate(executions[0])

        feeder, hurrier = rt.spawn(feed), rt.spawn(hurry)
        joined(feeder, hurrier, rt.spawn(clocked.statistics))
        with clocked as engine:
            engine.terminate(executions[0])
        for execution in executions:
            execution.fence.wait()
            execution.fence.wait_for_callbacks()
        assert told == [0, 1, 2]
        assert [execution.end_ns for execution in executions] == [each.fence.timestamp_ns for each in executions]

    assert_clean(model, schedules=200)
    assert_clean(model, schedules=200, timers="free")


def test_what_ends_while_another_fence_is_signalled_is_told_too(batch: MakeBatch) -> None:
    def model(rt: Runtime) -> None:
        clocked, ring = attached(rt), RingBuffer(0)
        first, second = batch(ring, None), batch(ring, None)
        with clocked as engine:
            engine.submit(first)
            engine.submit(second)

        def end(execution: Execution, after: Fence | None = None) -> None:
            if after is not None:
                after.wait()
            with clocked as engine:
                engine.terminate(execution)

        joined(rt.spawn(lambda: end(first)), rt.spawn(lambda: end(second, first.fence)))
        assert second.fence.wait()

    assert_clean(model)


def test_a_job_that_is_cancelled_has_signalled_by_then() -> None:
    def model(rt: Runtime) -> None:
        mock = MockBackend()
        job = rt.scheduler(mock).entity().submit(1)
        job.scheduled.wait()
        parent = job.finished.parent
        assert parent is not None

        def cancel() -> None:
            mock.cancel_job(job)
            assert parent.signaled

        joined(rt.spawn(cancel), rt.spawn(mock.advance))
        job.finished.wait()
        assert parent.error in (0, -errno.ECANCELED)

    assert_clean(model, schedules=150, timers="free")


def test_a_job_that_is_terminated_ends_wherever_it_is() -> None:
    def model(rt: Runtime) -> None:
        gpu = Gpu({"rcs": 1})
        scheduler = rt.scheduler(gpu.ring("rcs0"))
        other = rt.scheduler(gpu.ring("rcs0", priority=-1))
        job = scheduler.entity().submit(work=Batch())

        def compete() -> None:
            other.entity().submit(1).finished.wait()

        joined(rt.spawn(lambda: gpu.terminate(job)), rt.spawn(compete))
        job.finished.wait()

    assert_clean(model, schedules=150)


def test_a_job_that_is_forgotten_is_forgotten() -> None:
    """Killed and terminated at once: whoever finds it pending keeps it until it is forgotten."""

    class Killed:
        """A job, as far as an engine looks at one that never came to it."""

        def __init__(self, finished: Fence) -> None:
            self.finished = finished

    class Slow(Fence):
        """Lets others run after the look."""

        @property
        def signaled(self) -> bool:
            signaled = super().signaled
            pause.is_open  # noqa: B018 - a step  # pyright: ignore[reportUnusedExpression]
            return signaled

    pause: Gate

    def model(rt: Runtime) -> None:
        nonlocal pause
        pause = Gate()
        clocked, finished = attached(rt), Slow()
        job = cast("Job", Killed(finished))

        def kill() -> None:
            finished.signal()
            clocked.forget(job)

        joined(rt.spawn(lambda: clocked.terminate(job)), rt.spawn(kill))
        assert not clocked._terminated_early  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001

    assert_clean(model)


def test_rings_of_one_engine_may_be_attached_at_once() -> None:
    def model(rt: Runtime) -> None:
        clocked = ClockedEngine("rcs0")
        joined(*(rt.spawn(lambda: clocked.attach(rt.world, None)) for _ in range(2)))
        with clocked as engine:
            assert engine.running is None

    assert_clean(model)


def test_a_fault_and_the_end_of_its_job_make_a_success_or_a_ban() -> None:
    def model(rt: Runtime) -> None:
        gpu = Gpu({"rcs": 1})
        entity = rt.scheduler(gpu.ring("rcs0")).entity()
        job = entity.submit(1)
        joined(rt.spawn(lambda: gpu.fault(job)), rt.spawn(lambda: gpu.terminate(job)))
        job.finished.wait()
        assert (job.finished.error, entity.banned) in [(0, False), (-errno.EIO, True)]

    assert_clean(model, schedules=150)
    assert_clean(model, schedules=150, timers="free")


def test_a_time_out_and_a_kill_leave_no_job_behind() -> None:
    def model(rt: Runtime) -> None:
        gpu = Gpu({"rcs": 1}, recovery="full_reset")
        scheduler = rt.scheduler(gpu.ring("rcs0"), credit_limit=2, timeout_s=0.001)
        hung, other = scheduler.entity(), scheduler.entity()
        jobs = [hung.submit(), other.submit(1, idempotent=True), hung.submit(1)]
        joined(rt.spawn(other.kill), rt.spawn(lambda: other.set_priority(other.priority)))
        for job in jobs:
            job.finished.wait()
        assert jobs[0].finished.error == -errno.ETIMEDOUT
        assert jobs[1].finished.error in (0, -errno.ESRCH)
        assert jobs[2].finished.error == -errno.ECANCELED

    assert_clean(model, schedules=150)


def test_faults_on_two_engines_are_both_dealt_with() -> None:
    def model(rt: Runtime) -> None:
        gpu = Gpu({"rcs": 1, "bcs": 1}, recovery="full_reset")
        entities = [rt.scheduler(gpu.ring(name), name).entity(name) for name in ("rcs0", "bcs0")]
        jobs = [entity.submit(1, idempotent=True) for entity in entities]
        joined(*(rt.spawn(lambda job=job: gpu.fault(job)) for job in jobs))  # type: ignore[misc]
        for job, entity in zip(jobs, entities, strict=True):
            job.finished.wait()
            assert (job.finished.error, entity.banned) in [(0, False), (-errno.EIO, True)]

    assert_clean(model, schedules=150)
