"""Work that touches memory: it waits on its engine until somebody has brought it, or is stuck for good."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from fencepost import Runtime
from fencepost.actors import Job
from fencepost.hw import Batch, Gpu
from fencepost.hw.access import AccessFault
from fencepost.hw.engine import Engine
from fencepost.hw.execution import Execution, RingBuffer
from fencepost.sync import current

PAGE = 4096


@dataclass(slots=True)
class Pages:
    """An address space in which a test maps by hand."""

    mapped: set[int] = field(default_factory=set[int])
    faults: list[AccessFault] = field(default_factory=list[AccessFault])
    on_fault: Callable[[AccessFault], object] = lambda _fault: None

    def is_mapped(self, address: int) -> bool:
        return address in self.mapped

    def faulted(self, fault: AccessFault) -> None:
        self.faults.append(fault)
        self.on_fault(fault)

    def bring_after(self, delay_us: int) -> None:
        """Map what is missing after a while, and have the work go on."""

        def bring(fault: AccessFault) -> None:
            self.mapped.add(fault.address)
            fault.ack()

        self.on_fault = lambda fault: current().timers.call_at(
            current().now_ns() + delay_us * 1000, lambda: bring(fault)
        )


def submit(rt: Runtime, gpu: Gpu, batch: Batch, duration_us: float | None = 100, priority: int = 0) -> Job:
    scheduler = rt.scheduler(gpu.ring("rcs0", priority=priority))
    return scheduler.entity(client=f"priority {priority}").submit(duration_us, work=batch)


def test_it_touches_what_is_there_and_goes_on(rt: Runtime, stretches: Callable[[], object]) -> None:
    pages = Pages({0, PAGE})
    submit(rt, Gpu({"rcs": 1}), Batch(memory=pages, touches=((0, 0), (50, PAGE)))).finished.wait()
    assert stretches() == [("rcs0", "priority 0", 0, 100)]
    assert pages.faults == []


def test_it_waits_on_its_engine_for_what_is_not_there(rt: Runtime, stretches: Callable[[], object]) -> None:
    """Thirty microseconds of execution, twenty of waiting, the rest: so it ends twenty later."""
    pages = Pages()
    pages.bring_after(20)
    job = submit(rt, Gpu({"rcs": 1}), Batch(memory=pages, touches=((30, 0),)))
    job.finished.wait()
    assert job.finished.timestamp_ns == 120_000
    assert stretches() == [
        ("rcs0", "priority 0", 0, 30),
        ("rcs0", "priority 0", 30, 50),
        ("rcs0", "priority 0", 50, 120),
    ]
    assert [fault.address for fault in pages.faults] == [0]


def test_it_faults_again_when_the_page_has_gone_meanwhile(rt: Runtime) -> None:
    pages = Pages()
    acks = iter([False, False, True])

    def answer(fault: AccessFault) -> None:
        if next(acks):
            pages.mapped.add(fault.address)
        fault.ack()

    pages.on_fault = answer
    job = submit(rt, Gpu({"rcs": 1}), Batch(memory=pages, touches=((30, 0),)))
    job.finished.wait()
    assert (len(pages.faults), job.finished.error) == (3, 0)


def test_work_without_an_end_touches_memory_too(rt: Runtime) -> None:
    pages, gpu = Pages(), Gpu({"rcs": 1})
    pages.bring_after(5)
    job = submit(rt, gpu, Batch(memory=pages, touches=((10, 0), (20, PAGE))), None)
    current().sleep(1)
    assert [fault.address for fault in pages.faults] == [0, PAGE]
    gpu.terminate(job)
    job.finished.wait()


def test_a_nack_has_it_recovered_as_from_any_fault(rt: Runtime) -> None:
    pages = Pages()
    pages.on_fault = AccessFault.nack
    job = submit(rt, Gpu({"rcs": 1}), Batch(memory=pages, touches=((30, 0),)))
    job.finished.wait()
    assert job.finished.error == -errno.EIO


def test_others_of_its_engine_wait_while_it_waits(rt: Runtime) -> None:
    pages, gpu = Pages(), Gpu({"rcs": 1})
    pages.bring_after(500)
    submit(rt, gpu, Batch(preempt_us=10, memory=pages, touches=((30, 0),)), priority=1)
    current().sleep(50e-6)
    other = submit(rt, gpu, Batch(), 10)
    other.finished.wait()
    # It goes on for one stretch to its next point of preemption.
    assert other.finished.timestamp_ns == 550_000


def test_one_that_can_be_preempted_meanwhile_gives_way_at_once(rt: Runtime) -> None:
    pages, gpu = Pages(), Gpu({"rcs": 1})
    pages.bring_after(500)
    batch = Batch(preempt_us=10, memory=pages, touches=((30, 0),), leaves_stalled=True)
    first = submit(rt, gpu, batch, priority=1)
    current().sleep(50e-6)
    other = submit(rt, gpu, Batch(), 10)
    other.finished.wait()
    assert other.finished.timestamp_ns == 60_000
    first.finished.wait()
    assert first.finished.timestamp_ns == 600_000


def test_a_reset_ends_the_wait_and_the_answer_comes_too_late(rt: Runtime) -> None:
    pages, gpu = Pages(), Gpu({"rcs": 1})
    job = submit(rt, gpu, Batch(memory=pages, touches=((30, 0),)))
    current().sleep(1e-3)
    (fault,) = pages.faults
    assert not fault.dead
    gpu.reset("rcs0")
    job.finished.wait()
    assert job.finished.error == -errno.EIO
    assert fault.dead
    fault.ack()
    fault.nack()
    follower = submit(rt, gpu, Batch(), 10)
    follower.finished.wait()
    assert follower.finished.error == 0


def test_a_batch_says_what_is_wrong_with_its_touches() -> None:
    with pytest.raises(ValueError, match=r"after \[20, 10\] us, expected 0 or more and in order"):
        Batch(memory=Pages(), touches=((20, 0), (10, 0)))
    with pytest.raises(ValueError, match=r"after \[-1\] us"):
        Batch(memory=Pages(), touches=((-1, 0),))
    with pytest.raises(ValueError, match="has no address space"):
        Batch(touches=((1, 0),))


def test_only_the_first_answer_counts(rt: Runtime) -> None:
    pages = Pages()

    def answer(fault: AccessFault) -> None:
        pages.mapped.add(fault.address)
        fault.ack()
        fault.ack()
        fault.nack()

    pages.on_fault = lambda fault: current().timers.call_at(50_000, lambda: answer(fault))
    job = submit(rt, Gpu({"rcs": 1}), Batch(memory=pages, touches=((30, 0),)))
    job.finished.wait()
    assert job.finished.error == 0
    current().sleep(1)
    assert job.finished.timestamp_ns == 120_000


# The rule, without a world.

Made = Callable[..., Execution]


def stalled_batch(batch: Made, engine: Engine, pages: Pages, **more: bool) -> Execution:
    """Put a batch of 100 ns on an engine that stalls after 30."""
    execution = batch(RingBuffer(1), 100, 10)
    execution.memory, execution.touches = pages, ((30, 0),)
    execution.leaves_stalled = more.get("leaves_stalled", False)
    engine.submit(execution)
    engine.advance(40)
    assert engine.stalls == [execution]
    return execution


def test_a_batch_that_runs_from_its_start_touches_all_again(batch: Made) -> None:
    engine, pages = Engine(), Pages()
    execution = stalled_batch(batch, engine, pages)
    for _ in range(2):
        engine.halt()
        engine.restart(execution)
        engine.resume()
        engine.advance(engine.now_ns + 29)
        assert not execution.stalled
        engine.advance(engine.now_ns + 1)
        assert execution.stalled
    assert len(engine.stalls) == 3
    pages.mapped.add(0)
    engine.retry(execution)
    engine.advance(engine.now_ns + 69)
    assert execution.end_ns is None
    engine.advance(engine.now_ns + 1)
    assert execution.end_ns == engine.now_ns


def test_what_comes_while_it_is_preempted_is_there_when_it_runs_again(batch: Made) -> None:
    engine, pages = Engine(), Pages()
    execution = stalled_batch(batch, engine, pages, leaves_stalled=True)
    engine.submit(batch(RingBuffer(0), 50))
    engine.advance(60)
    pages.mapped.add(0)
    engine.retry(execution)
    engine.advance(160)
    # Thirty at first, fifty of the other from 40 on, seventy more.
    assert (execution.end_ns, len(engine.stalls)) == (160, 1)


def test_an_answer_to_what_runs_changes_nothing(batch: Made) -> None:
    engine = Engine()
    execution = batch(RingBuffer(1), 100, 30)
    engine.submit(execution)
    engine.submit(batch(RingBuffer(0), 10))
    engine.advance(10)
    engine.retry(execution)
    # Still at the point of preemption that it had.
    assert engine.next_event_ns == 30
