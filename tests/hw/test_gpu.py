from __future__ import annotations

import errno
from collections.abc import Callable, Mapping

import pytest

from fencepost import Runtime
from fencepost.actors import Scheduler
from fencepost.errors import BadInput, WrongState, WrongWorld
from fencepost.hw import Batch, EngineStatistics, Gpu, GpuStatistics, MockBackend, Ring
from fencepost.sync import Timer

Stretches = Callable[[], list[tuple[str, str, int, int]]]

HIGH, LOW = 0, 1


def scheduler(rt: Runtime, ring: Ring, name: str | None = None) -> Scheduler:
    return rt.scheduler(ring, name, credit_limit=100)


def at_us(rt: Runtime, when_us: int, function: Callable[[], object]) -> Timer:
    return rt.world.timers.call_at(when_us * 1000, function)


def sleep_us(rt: Runtime, us: int) -> None:
    rt.world.sleep_until(rt.world.now_ns() + us * 1000)


# --- what it is made of


def test_the_default_has_every_class() -> None:
    assert Gpu().engines == {
        "rcs": ("rcs0",),
        "bcs": ("bcs0",),
        "vcs": ("vcs0", "vcs1"),
        "vecs": ("vecs0",),
        "ccs": ("ccs0",),
    }


@pytest.mark.parametrize(
    ("engines", "message"),
    [
        ({}, "engines: found no engines"),
        ({"gpu": 1}, "engines: found engine class 'gpu', expected one of rcs, bcs, vcs, vecs, ccs"),
        ({"rcs": 0}, "engines: found rcs=0, expected rcs=1 to rcs=64"),
        ({"rcs": 1, "ccs": 65}, "engines: found ccs=65, expected ccs=1 to ccs=64"),
    ],
)
def test_bad_engines_are_refused(engines: Mapping[str, int], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Gpu(engines)


def test_a_bad_default_granularity_is_refused() -> None:
    with pytest.raises(BadInput, match=r"preempt_us: found -1, expected 0 \(never\) or more"):
        Gpu(preempt_us=-1)


@pytest.mark.parametrize("name", ["vcs2", "rcs", "VCS0", ""])
def test_an_engine_that_it_has_not_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match=f"engine: found '{name}', expected one of rcs0, vcs0, vcs1"):
        Gpu({"rcs": 1, "vcs": 2}).ring(name)


# --- time


def test_jobs_follow_each_other_without_a_gap(rt: Runtime, stretches: Stretches) -> None:
    entity = scheduler(rt, Gpu().ring("rcs0")).entity(client="a")
    jobs = [entity.submit(duration) for duration in (10, 20, 30)]
    jobs[-1].finished.wait()
    assert stretches() == [("rcs0", "a", 0, 10), ("rcs0", "a", 10, 30), ("rcs0", "a", 30, 60)]
    assert [job.finished.timestamp_ns for job in jobs] == [10_000, 30_000, 60_000]
    assert rt.world.now_ns() == 60_000


def test_an_idle_engine_starts_a_job_when_it_arrives(rt: Runtime, stretches: Stretches) -> None:
    entity = scheduler(rt, Gpu().ring("rcs0")).entity()
    entity.submit(10).finished.wait()
    sleep_us(rt, 40)
    entity.submit(10).finished.wait()
    assert stretches() == [("rcs0", "", 0, 10), ("rcs0", "", 50, 60)]


def test_engines_work_at_the_same_time(rt: Runtime, stretches: Stretches) -> None:
    gpu = Gpu()
    entities = [scheduler(rt, gpu.ring(name), name).entity() for name in ("vcs0", "vcs1")]
    for job in [entity.submit(10) for entity in entities]:
        job.finished.wait()
    assert stretches() == [("vcs0", "", 0, 10), ("vcs1", "", 0, 10)]


def test_nanoseconds_are_kept(rt: Runtime) -> None:
    entity = scheduler(rt, Gpu().ring("rcs0")).entity()
    jobs = [entity.submit(0.333) for _ in range(3)]
    jobs[-1].finished.wait()
    assert [job.finished.timestamp_ns for job in jobs] == [333, 666, 999]


def test_a_batch_event_has_the_numbers_of_its_job(rt: Runtime) -> None:
    assert rt.events is not None
    entity = scheduler(rt, Gpu().ring("rcs0")).entity(client="a")
    entity.submit(1)
    job = entity.submit(2)
    job.finished.wait()
    assert rt.events.of("batch")[-1] == (3000, "batch", "rcs0", "a", job.finished.context, 2, 1000, 3000)


def test_events_may_be_off() -> None:
    with Runtime(world="virtual", events=False) as rt:
        assert scheduler(rt, Gpu().ring("rcs0")).entity().submit(1).finished.wait(1)


# --- arbitration


def test_a_more_important_ring_preempts_and_the_rest_follows(rt: Runtime, stretches: Stretches) -> None:
    gpu = Gpu()
    low = scheduler(rt, gpu.ring("rcs0", priority=LOW)).entity(client="low")
    high = scheduler(rt, gpu.ring("rcs0", priority=HIGH)).entity(client="high")
    slow = low.submit(100, work=Batch(preempt_us=30))
    sleep_us(rt, 40)
    quick = high.submit(10)
    slow.finished.wait()
    assert stretches() == [("rcs0", "low", 0, 60), ("rcs0", "high", 60, 70), ("rcs0", "low", 70, 110)]
    assert (quick.finished.timestamp_ns, slow.finished.timestamp_ns) == (70_000, 110_000)


@pytest.mark.parametrize(
    ("gpu", "work", "switch_us"),
    [
        pytest.param(Gpu(), None, 100, id="the default"),
        pytest.param(Gpu(), Batch(), 100, id="the default, said"),
        pytest.param(Gpu(preempt_us=70), None, 70, id="the GPU's"),
        pytest.param(Gpu(preempt_us=70), Batch(preempt_us=20), 20, id="its own"),
        pytest.param(Gpu(preempt_us=0), None, 1000, id="never, by the GPU"),
        pytest.param(Gpu(), Batch(preempt_us=0), 1000, id="never, by itself"),
    ],
)
def test_where_a_batch_can_be_preempted(rt: Runtime, gpu: Gpu, work: object, switch_us: int) -> None:
    low = scheduler(rt, gpu.ring("rcs0", priority=LOW)).entity()
    high = scheduler(rt, gpu.ring("rcs0", priority=HIGH)).entity()
    low.submit(1000, work=work)
    sleep_us(rt, 10)
    job = high.submit(5)
    job.finished.wait()
    assert job.finished.timestamp_ns == (switch_us + 5) * 1000


def test_equal_rings_take_turns(rt: Runtime, stretches: Stretches) -> None:
    gpu = Gpu()
    entities = [scheduler(rt, gpu.ring("rcs0")).entity(client=client) for client in "ab"]
    jobs = [entity.submit(10) for entity in entities for _ in range(3)]
    for job in jobs:
        job.finished.wait()
    assert [client for _, client, _, _ in stretches()] == ["a", "b", "a", "b", "a", "b"]


# --- jobs without a duration


def test_a_job_without_a_duration_runs_until_it_is_terminated(rt: Runtime, stretches: Stretches) -> None:
    gpu = Gpu()
    entity = scheduler(rt, gpu.ring("rcs0")).entity()
    spinner, following = entity.submit(), entity.submit(10)
    assert not spinner.finished.wait(1)
    gpu.terminate(spinner)
    gpu.terminate(spinner)
    following.finished.wait()
    gpu.terminate(spinner)
    assert stretches() == [("rcs0", "", 0, 1_000_000), ("rcs0", "", 1_000_000, 1_000_010)]
    assert spinner.finished.error == 0


def test_a_job_may_be_terminated_from_a_timer(rt: Runtime) -> None:
    gpu = Gpu()
    spinner = scheduler(rt, gpu.ring("rcs0")).entity().submit()
    at_us(rt, 77, lambda: gpu.terminate(spinner))
    spinner.finished.wait()
    assert spinner.finished.timestamp_ns == 77_000


def test_a_job_that_waits_for_its_engine_takes_no_time_when_terminated(rt: Runtime, stretches: Stretches) -> None:
    gpu = Gpu()
    entity = scheduler(rt, gpu.ring("rcs0")).entity()
    entity.submit(10)
    spinner, following = entity.submit(), entity.submit(10)
    spinner.scheduled.wait()
    gpu.terminate(spinner)
    following.finished.wait()
    assert stretches() == [("rcs0", "", 0, 10), ("rcs0", "", 10, 10), ("rcs0", "", 10, 20)]


def test_a_job_that_is_not_on_the_hardware_yet_takes_no_time_when_terminated(rt: Runtime, stretches: Stretches) -> None:
    gpu = Gpu()
    entity = rt.scheduler(gpu.ring("rcs0"), credit_limit=1).entity()
    entity.submit(10)
    spinner, following = entity.submit(), entity.submit(10)
    gpu.terminate(spinner)
    assert not spinner.scheduled.signaled
    following.finished.wait()
    assert stretches() == [("rcs0", "", 0, 10), ("rcs0", "", 10, 10), ("rcs0", "", 10, 20)]


def test_a_job_with_a_duration_ends_early_when_terminated(rt: Runtime) -> None:
    gpu = Gpu()
    job = scheduler(rt, gpu.ring("rcs0")).entity().submit(1000)
    sleep_us(rt, 5)
    gpu.terminate(job)
    assert job.finished.wait()
    assert job.finished.timestamp_ns == 5000


def test_a_job_that_is_not_armed_cannot_be_terminated(rt: Runtime) -> None:
    gpu = Gpu()
    job = scheduler(rt, gpu.ring("rcs0"), "s").entity("e").job()
    with pytest.raises(WrongState, match=r"<Job e:new> is not armed"):
        gpu.terminate(job)


def test_a_job_of_another_device_cannot_be_terminated(rt: Runtime) -> None:
    for backend in (Gpu().ring("rcs0"), MockBackend()):
        job = rt.scheduler(backend, "rcs0").entity().submit(1)
        with pytest.raises(ValueError, match="expected a ring of this GPU"):
            Gpu().terminate(job)


# --- cancelling


def test_leaving_cancels_what_runs_and_what_waits() -> None:
    gpu = Gpu()
    with Runtime(world="virtual") as rt:
        entity = scheduler(rt, gpu.ring("rcs0")).entity(client="a")
        jobs = [entity.submit(), entity.submit(10)]
        sleep_us(rt, 25)
    assert [job.finished.error for job in jobs] == [-errno.ECANCELED] * 2
    assert [job.finished.parent and job.finished.parent.error for job in jobs] == [-errno.ECANCELED] * 2
    assert not rt.leftovers
    assert gpu.statistics().clients == {("a", "rcs0"): 25_000}


def test_when_a_scheduler_ends_its_engine_goes_on_with_the_others(rt: Runtime, stretches: Stretches) -> None:
    gpu = Gpu()
    one, other = (scheduler(rt, gpu.ring("rcs0")) for _ in range(2))
    hung = one.entity(client="hung")
    spinners = [hung.submit(), hung.submit()]
    spinners[1].scheduled.wait()
    job = other.entity(client="fine").submit(10)
    sleep_us(rt, 50)
    hung.kill()
    one.fini()
    assert job.finished.wait()
    assert stretches() == [("rcs0", "hung", 0, 50), ("rcs0", "fine", 50, 60)]
    assert [job.finished.error for job in spinners] == [-errno.ECANCELED] * 2


# --- statistics


def test_statistics_count_up_to_now(rt: Runtime) -> None:
    gpu = Gpu({"rcs": 1, "vcs": 1})
    render = scheduler(rt, gpu.ring("rcs0"))
    render.entity(client="game").submit(30).finished.wait()
    spinner = render.entity(client="desktop").submit()
    scheduler(rt, gpu.ring("vcs0")).entity(client="game").submit(100)
    sleep_us(rt, 20)
    assert gpu.statistics() == GpuStatistics(
        engines={"rcs0": EngineStatistics(50_000, 1), "vcs0": EngineStatistics(20_000, 0)},
        clients={("game", "rcs0"): 30_000, ("desktop", "rcs0"): 20_000, ("game", "vcs0"): 20_000},
    )
    gpu.terminate(spinner)
    sleep_us(rt, 80)
    assert gpu.statistics().engines == {"rcs0": EngineStatistics(50_000, 2), "vcs0": EngineStatistics(100_000, 1)}


def test_a_new_gpu_has_done_nothing() -> None:
    assert Gpu({"ccs": 1}).statistics() == GpuStatistics({"ccs0": EngineStatistics()}, {})


# --- one world


def test_the_rings_of_an_engine_are_of_one_world(rt: Runtime) -> None:
    gpu = Gpu()
    scheduler(rt, gpu.ring("rcs0"))
    with Runtime() as other, pytest.raises(WrongWorld, match="rcs0: one of its rings is in another world"):
        scheduler(other, gpu.ring("rcs0"))
