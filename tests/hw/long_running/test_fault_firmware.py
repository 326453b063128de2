from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from fencepost import Runtime
from fencepost.actors import Job
from fencepost.actors.job import HardwareFence
from fencepost.checks import explore
from fencepost.errors import BadInput
from fencepost.hw import Batch
from fencepost.hw.access import AccessFault
from fencepost.hw.clocked_engine import ClockedEngine
from fencepost.hw.long_running import FaultFirmware, FaultingQueue
from fencepost.hw.memory import PAGE_BYTES, FaultHandler, MemoryManager, Vm
from fencepost.hw.ring import Ring
from fencepost.sync import Gate

AT = 0x10000


class HeldHandler(FaultHandler):
    """Answers when it is let. Its `let` is open, unless a test shuts it."""

    let: Gate

    def bring(self, vm: Vm, address: int) -> None:
        self.let.wait()
        super().bring(vm, address)


class Machine:
    """An engine, a queue of work that can fault, and a ring of work that cannot."""

    def __init__(self, rt: Runtime, *, preempt_timeout_s: float = 0.64) -> None:
        self.rt = rt
        self.memory = MemoryManager(8 * PAGE_BYTES, 8 * PAGE_BYTES)
        self.vm = Vm(self.memory, "vm", long_running=True)
        self.vm.bind(self.memory.create(PAGE_BYTES, "P"), AT, populate=False)
        self.engine = ClockedEngine("ccs0")
        self.firmware = rt.start(FaultFirmware, preempt_timeout_s, name="firmware")
        self.handler = rt.start(HeldHandler, self.memory, name="H")
        self.handler.let = Gate("the answer")
        self.handler.let.open()
        self.queue = FaultingQueue(self.engine, self.vm, self.firmware, self.handler, priority=0, preempt_us=5)
        self.long = rt.scheduler(self.queue, name="long", policy="single", credit_limit=8).entity("J")
        self.short = rt.scheduler(Ring(self.engine, 0, 0), name="short").entity("K")

    def submit(self, *touches_us: int, leaves_stalled: bool = True, duration_us: float = 100) -> Job:
        touches = tuple((float(after_us), AT) for after_us in touches_us)
        work = Batch(memory=self.vm, touches=touches, leaves_stalled=leaves_stalled)
        return self.long.submit(duration_us=duration_us, work=work)

    def hold_answers(self) -> Gate:
        self.handler.let = Gate("the answer")
        return self.handler.let

    def sleep_us(self, us: float) -> None:
        self.rt.world.sleep(us / 1e6)

    def now_us(self) -> float:
        return self.rt.world.now_ns() / 1000


def test_a_fault_goes_through_the_firmware_and_back(rt: Runtime) -> None:
    machine = Machine(rt)
    job = machine.submit(10)
    assert job.finished.wait()
    assert job.finished.error == 0
    assert (machine.firmware.faults, machine.handler.handled) == (1, 1)
    assert machine.now_us() == 100


def test_a_suspended_context_keeps_what_it_has_done(rt: Runtime) -> None:
    machine = Machine(rt)
    job = machine.submit(10, 60)
    machine.sleep_us(40)
    off = machine.queue.suspend()
    assert off.wait()
    machine.sleep_us(1000)
    assert machine.short.submit(duration_us=5).finished.wait()
    assert not job.finished.signaled
    machine.queue.resume()
    assert job.finished.wait()
    assert machine.now_us() == 40 + 1000 + 5 + 60
    assert machine.firmware.faults == 1
    parent = job.finished.parent
    assert isinstance(parent, HardwareFence)
    assert parent.executed_ns == 100_000


def test_any_number_hold_it(rt: Runtime) -> None:
    machine = Machine(rt)
    job = machine.submit()
    machine.sleep_us(10)
    assert all(off.wait() for off in (machine.queue.suspend(), machine.queue.suspend()))
    machine.queue.resume()
    machine.sleep_us(1000)
    assert not job.finished.signaled
    machine.queue.resume()
    assert job.finished.wait(timeout_s=0.0001)


def test_what_is_submitted_meanwhile_runs_in_order_afterwards(
    rt: Runtime, stretches: Callable[[], list[tuple[str, str, int, int]]]
) -> None:
    machine = Machine(rt)
    jobs = [machine.submit(duration_us=100) for _ in range(2)]
    machine.sleep_us(10)
    assert machine.queue.suspend().wait()
    jobs += [machine.submit(duration_us=20)]
    machine.sleep_us(100)
    machine.queue.resume()
    ends_us: list[float] = []
    for job in jobs:
        assert job.finished.wait()
        ends_us.append(machine.now_us())
    assert ends_us == [200, 300, 320]
    assert all(start_us < end_us for _, _, start_us, end_us in stretches()), "the next one had the engine for no time"


def test_it_leaves_at_a_fault_and_faults_again_when_it_is_back(rt: Runtime) -> None:
    machine = Machine(rt)
    answer = machine.hold_answers()
    job = machine.submit(10)
    machine.sleep_us(20)
    assert machine.queue.suspend().wait(timeout_s=0.00001)
    assert machine.short.submit(duration_us=5).finished.wait(timeout_s=0.0001)
    answer.open()
    machine.sleep_us(10)
    assert machine.firmware.dropped == 1, "the answer is of a stay that is over"
    machine.queue.resume()
    assert job.finished.wait()
    assert job.finished.error == 0


def test_one_that_cannot_leave_at_a_fault_leaves_when_it_is_answered(rt: Runtime) -> None:
    machine = Machine(rt)
    answer = machine.hold_answers()
    job = machine.submit(10, leaves_stalled=False)
    machine.sleep_us(20)
    off = machine.queue.suspend()
    machine.sleep_us(100)
    assert not off.signaled
    answer.open()
    assert off.wait(timeout_s=0.00001)
    assert not job.finished.signaled
    machine.queue.resume()
    assert job.finished.wait()
    assert machine.firmware.resets == 0


def test_who_changes_his_mind_leaves_it_where_it_is(
    rt: Runtime, stretches: Callable[[], list[tuple[str, str, int, int]]]
) -> None:
    machine = Machine(rt)
    answer = machine.hold_answers()
    job = machine.submit(10, leaves_stalled=False)
    machine.sleep_us(20)
    off = machine.queue.suspend()
    later = machine.submit(duration_us=7)
    machine.queue.resume()
    assert off.wait()
    answer.open()
    assert job.finished.wait()
    assert later.finished.wait()
    machine.sleep_us(1_000_000)
    assert (machine.firmware.resets, job.finished.error, later.finished.error) == (0, 0, 0)
    assert all(start_us < end_us for _, _, start_us, end_us in stretches()), "it was there twice"


def test_one_that_will_not_leave_is_reset_and_its_faults_are_refused(rt: Runtime) -> None:
    """T6-12: nobody waits for the answer to a fault of what is dead, and the handler's comes to nothing."""
    machine = Machine(rt, preempt_timeout_s=0.5)
    answer = machine.hold_answers()
    job, behind = machine.submit(10, leaves_stalled=False), machine.submit()
    machine.sleep_us(20)
    began_us = machine.now_us()
    off = machine.queue.suspend()
    assert off.wait()
    assert machine.now_us() - began_us == 500_000
    assert job.finished.wait()
    assert behind.finished.wait()
    assert job.finished.error == behind.finished.error == -errno.EIO
    assert machine.queue.dead
    assert machine.short.submit(duration_us=5).finished.wait(timeout_s=0.0001)
    answer.open()
    machine.sleep_us(10)
    assert (machine.firmware.resets, machine.firmware.dropped) == (1, 1)
    assert machine.submit().finished.wait()


def test_a_fault_that_comes_after_the_death_is_refused_at_once(rt: Runtime) -> None:
    machine = Machine(rt)
    seen: list[AccessFault] = []
    deliver = machine.vm.on_fault
    assert deliver is not None
    machine.vm.on_fault = seen.append
    job = machine.submit(10)
    machine.sleep_us(20)
    machine.queue.kill()
    assert job.finished.wait()
    assert job.finished.error == -errno.EIO
    deliver(seen[0])
    machine.sleep_us(1)
    assert (machine.firmware.nacks, machine.firmware.faults, machine.handler.handled) == (1, 0, 0)


def test_one_that_is_killed_while_it_is_off_ends_its_jobs(rt: Runtime) -> None:
    machine = Machine(rt)
    assert machine.queue.suspend().wait()
    jobs = [machine.submit() for _ in range(2)]
    machine.sleep_us(1)
    machine.queue.kill()
    for job in jobs:
        assert job.finished.wait(timeout_s=0.001)
        assert job.finished.error == -errno.EIO


def test_a_job_that_is_cancelled_while_its_context_comes_back_is_off_in_the_end() -> None:
    def model(rt: Runtime) -> None:
        machine = Machine(rt)
        job = machine.submit()
        job.scheduled.wait()
        assert machine.queue.suspend().wait()
        tasks = [rt.spawn(machine.queue.resume), rt.spawn(lambda: machine.queue.abort(job, -errno.ECANCELED))]
        for task in tasks:
            task.join()
        rt.world.sleep(1e-6)
        assert machine.engine.running_job() is None

    report = explore(model, schedules=400)
    assert not report.found, str(report)


def test_a_job_that_is_cancelled_while_it_is_off_never_comes_back(rt: Runtime) -> None:
    machine = Machine(rt)
    job = machine.submit()
    machine.sleep_us(10)
    assert machine.queue.suspend().wait()
    machine.queue.abort(job, -errno.ECANCELED)
    assert job.finished.wait()
    machine.queue.resume()
    machine.sleep_us(1)
    assert machine.engine.running_job() is None


def test_a_time_out_below_zero_is_refused(rt: Runtime) -> None:
    with pytest.raises(BadInput, match="preempt_timeout_s"):
        rt.start(FaultFirmware, -1, name="firmware")


@pytest.mark.parametrize("ends", ["suspended", "at a fault"])
def test_the_end_of_the_runtime_ends_all_jobs(ends: str) -> None:
    with Runtime(world="virtual") as rt:
        machine = Machine(rt)
        if ends == "at a fault":
            machine.vm.on_fault = lambda _fault: None
        job = machine.submit(10)
        machine.sleep_us(20)
        if ends == "suspended":
            machine.queue.suspend()
    assert job.finished.error == -errno.ECANCELED
    assert rt.leftovers.tasks == ()


def test_on_real_threads_it_is_suspended_and_resumed_any_number_of_times() -> None:
    with Runtime(world="native") as rt:
        machine = Machine(rt)
        jobs = [machine.submit(10, 50) for _ in range(5)]

        def hold() -> None:
            for _ in range(20):
                off: Callable[[], bool] = machine.queue.suspend().wait
                assert off()
                machine.queue.resume()

        holders = [rt.spawn(hold) for _ in range(3)]
        for holder in holders:
            assert holder.join(30)
        for job in jobs:
            assert job.finished.wait(30)
            assert job.finished.error == 0
