"""A queue over the firmware: its jobs, what goes over the wire, what is refused."""

from __future__ import annotations

import errno

import pytest

from fencepost import Runtime
from fencepost.errors import BadInput, WrongState
from fencepost.hw import Batch, Gpu
from fencepost.hw.guc import Bit, Guc
from fencepost.policies import Priority
from tests.hw.guc.kit import disabled, ends, errors, quiet, wire


@pytest.fixture
def guc() -> Guc:
    return Guc({"rcs": 1, "vcs": 2}, quantum_us=1_000)


def test_jobs_of_two_queues_complete_in_any_order(rt: Runtime, guc: Guc) -> None:
    """T1-8: the short job of B overtakes the long one of A, and gives back B's credits; A holds up nobody."""
    a, b = guc.queue(rt, "rcs0", client="a"), guc.queue(rt, "rcs0", client="b", credit_limit=1)
    long, short, next_ = a.entity.submit(10_000), b.entity.submit(1_000), b.entity.submit(1_000)
    assert ends(short, next_, long) == [2, 4, 12]
    assert guc.statistics().clients == {("a", "rcs0"): 10_000_000, ("b", "rcs0"): 2_000_000}
    assert guc.statistics().engines["rcs0"].jobs == 3
    quiet(guc)


def test_jobs_of_one_queue_complete_in_order(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "vcs")
    assert ends(*(queue.entity.submit(duration) for duration in (3_000, 1_000, 2_000))) == [3, 4, 6]


def test_the_first_job_registers_and_the_others_kick(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0")
    assert wire(rt) == []
    errors(queue.entity.submit(10), queue.entity.submit(10))
    assert wire(rt) == ["Register", "UpdatePolicies", "ScheduleEnable", "ScheduleContext"]
    assert wire(rt, queue, "g2h") == ["ScheduleDone"]
    assert queue.state.bits == Bit.REGISTERED | Bit.ENABLED


def test_a_class_has_several_engines(rt: Runtime, guc: Guc) -> None:
    queues = [guc.queue(rt, "vcs", client=name) for name in "abc"]
    jobs = [queue.entity.submit(900) for queue in queues]
    assert ends(*jobs) == [0.9, 0.9, 1.8]
    with pytest.raises(BadInput, match="engine: found 'vcs2', expected one of rcs, vcs, rcs0, vcs0, vcs1"):
        guc.queue(rt, ["vcs0", "vcs2"])


def test_a_more_important_queue_gets_the_engine(rt: Runtime, guc: Guc) -> None:
    low, high = guc.queue(rt, "rcs0", priority=Priority.LOW), guc.queue(rt, "rcs0", priority=Priority.HIGH)
    slow = low.entity.submit(10_000)
    rt.world.sleep(0.00105)
    quick = high.entity.submit(500, work=Batch(0))
    assert ends(quick, slow) == [1.6, 10.5]


def test_policies_can_be_changed_while_jobs_run(rt: Runtime, guc: Guc) -> None:
    a, b = guc.queue(rt, "rcs0"), guc.queue(rt, "rcs0")
    slow, quick = a.entity.submit(10_000), b.entity.submit(5_000)
    rt.world.sleep(0.0005)
    b.set_policies(priority=Priority.HIGH)
    assert ends(quick, slow) == [5.5, 15]
    assert wire(rt, b)[-1] == "UpdatePolicies"
    quiet(guc)


def test_policies_of_an_unregistered_queue_stay_here_until_it_is(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0")
    queue.set_policies(quantum_us=5)
    rt.world.sleep(0.001)
    assert wire(rt) == []
    assert queue.context.policies.quantum_us == 5


def test_a_job_without_a_duration_ends_when_told(rt: Runtime, guc: Guc) -> None:
    queue, other = guc.queue(rt, "rcs0"), Gpu().ring("rcs0")
    running, waiting = queue.entity.submit(), queue.entity.submit(50_000)
    rt.world.sleep(0.002)
    guc.terminate(waiting)
    guc.terminate(running)
    assert ends(running, waiting) == [2, 2]
    foreign = rt.scheduler(other).entity().submit(1)
    with pytest.raises(ValueError, match="expected a queue of <Guc rcs=1, vcs=2>"):
        guc.terminate(foreign)
    with pytest.raises(WrongState, match="is not armed"):
        guc.terminate(queue.entity.job())


def test_a_job_that_is_terminated_before_it_runs_takes_no_time(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0", credit_limit=1)
    first, second = queue.entity.submit(1_000), queue.entity.submit(5_000)
    guc.terminate(second)
    assert ends(first, second) == [1, 1]


def test_closing_takes_jobs_off_and_has_the_firmware_forget_the_queue(rt: Runtime, guc: Guc) -> None:
    queue, other = guc.queue(rt, "rcs0"), guc.queue(rt, "rcs0")
    jobs = [queue.entity.submit(5_000), queue.entity.submit(5_000)]
    spared = other.entity.submit(2_000)
    rt.world.sleep(0.0005)
    queue.close()
    queue.close()
    assert errors(*jobs) == [-errno.ECANCELED, -errno.ECANCELED]
    assert queue.gone.wait(1)
    assert ends(spared) == [2.5]
    assert guc.queues == (other,)
    with pytest.raises(OSError, match="banned"):
        queue.entity.submit(1)
    quiet(guc)


def test_of_many_queues_that_are_killed_together_none_runs_on(rt: Runtime, guc: Guc) -> None:
    """The recovery of the first waits for the answer to its disable, which comes late; the others are off by then."""
    queues = [guc.queue(rt, "vcs") for _ in range(3)]
    jobs = [queue.entity.submit() for queue in queues]
    guc.faults.delay(disabled, 0.5)
    rt.world.sleep(0.0045)
    for queue in queues:
        queue.kill()
    assert errors(*jobs) == [-errno.ECANCELED] * 3
    assert {engine.busy_ns for name, engine in guc.statistics().engines.items() if name != "rcs0"} == {4_500_000}
    quiet(guc)


def test_closing_an_idle_queue_disables_and_deregisters_it_with_room_for_both_replies(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0")
    errors(queue.entity.submit(1))
    queue.close()
    assert queue.gone.wait(1)
    assert wire(rt, queue)[-2:] == ["ScheduleDisable", "Deregister"]
    assert wire(rt, queue, "g2h")[-2:] == ["ScheduleDone", "DeregisterDone"]
    quiet(guc)


def test_a_queue_that_the_firmware_never_knew_is_gone_at_once(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0")
    queue.close()
    assert queue.gone.wait(1)
    assert wire(rt) == []


def test_a_job_of_a_killed_queue_never_runs(rt: Runtime, guc: Guc) -> None:
    queue = guc.queue(rt, "rcs0")
    queue.kill()
    job = queue.entity.submit(1_000)
    assert errors(job) == [-errno.ECANCELED]
    assert wire(rt) == []


def test_numbers_are_used_again_and_are_not_endless(rt: Runtime) -> None:
    guc = Guc({"rcs": 1}, max_contexts=2)
    first, second = guc.queue(rt, "rcs0"), guc.queue(rt, "rcs0")
    with pytest.raises(OSError, match="has 2 queues, and there can be no more") as refusal:
        guc.queue(rt, "rcs0")
    assert refusal.value.errno == errno.ENOMEM
    first.close()
    first.gone.wait()
    assert guc.queue(rt, "rcs0").context.number == first.context.number != second.context.number


def test_a_device_is_for_one_runtime(rt: Runtime, guc: Guc) -> None:
    guc.queue(rt, "rcs0")
    with Runtime(world="virtual") as other, pytest.raises(WrongState, match="is in another runtime already"):
        guc.queue(other, "rcs0")


def test_what_was_not_used_has_statistics(guc: Guc) -> None:
    assert {name: engine.busy_ns for name, engine in guc.statistics().engines.items()} == {
        "rcs0": 0,
        "vcs0": 0,
        "vcs1": 0,
    }
    guc.unload()


@pytest.mark.parametrize("number", [-1, float("inf"), float("nan")])
def test_impossible_numbers_are_refused(number: float) -> None:
    with pytest.raises(BadInput, match="quantum_us"):
        Guc(quantum_us=number)


def test_leaving_ends_every_job() -> None:
    with Runtime(world="virtual") as rt:
        guc = Guc({"rcs": 1})
        jobs = [queue.entity.submit() for queue in [guc.queue(rt, "rcs0") for _ in range(3)] for _ in range(3)]
        rt.world.sleep(0.005)
    assert not rt.leftovers
    assert {job.finished.error for job in jobs} == {-errno.ECANCELED}


def test_translations_are_invalidated(rt: Runtime, guc: Guc) -> None:
    guc.queue(rt, "rcs0")
    assert guc.invalidate_tlb()
    quiet(guc)
