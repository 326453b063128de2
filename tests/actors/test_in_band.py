# ruff: noqa: PT012 - what a runtime raises when its block is left is what is tested
"""Messages of a backend: one at a time, between its jobs, and kept while the scheduler stands still."""

from __future__ import annotations

import errno

import pytest

from fencepost.actors import Job, Recovery, Runtime, Scheduler, Status
from fencepost.actors.procedure import Steps, Until, UntilSignaled
from fencepost.actors.static_message import StaticMessage
from fencepost.errors import ActorFailed
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.sync import WaitQueue
from tests.actors.kit import EVERYWHERE, LIMIT_S, Way, adds_up, finished, settle
from tests.actors.scripted import ScriptedDriver
from tests.searching import assert_clean


class Holding:
    """A message whose processing takes until `goes_on` signals."""

    def __init__(self) -> None:
        self.goes_on = Fence()

    def __call__(self) -> Steps[None]:
        yield UntilSignaled(self.goes_on)


def never(_job: Job, _recovery: Recovery) -> Status:
    raise AssertionError("nobody was to be asked")


# Order.


@EVERYWHERE
def test_messages_are_processed_in_order_and_first_means_before_all_others(way: Way) -> None:
    with way.runtime() as rt:
        driver, holding = ScriptedDriver(), Holding()
        scheduler = rt.scheduler(driver)
        for message in (holding, "b", "c"):
            assert scheduler.send(message)
        assert scheduler.send("a", first=True)
        settle(scheduler)
        assert driver.log == [holding]
        holding.goes_on.signal()
        assert scheduler.entity().submit(1).finished.wait(LIMIT_S)
        assert [entry for entry in driver.log if isinstance(entry, str)] == ["a", "b", "c"]
    assert adds_up(rt)


@EVERYWHERE
def test_a_message_waits_for_one_job_at_most(way: Way) -> None:
    """Of those that are ready when it is sent."""
    with way.runtime() as rt:
        driver, holding = ScriptedDriver(), Holding()
        scheduler = rt.scheduler(driver, credit_limit=100)
        entity = scheduler.entity()
        scheduler.send(holding)
        jobs = [entity.submit(1) for _ in range(20)]
        settle(entity, scheduler)
        holding.goes_on.add_callback(lambda _: [scheduler.send(name) for name in "abc"])
        holding.goes_on.signal()
        assert finished(jobs)
        handed_over = [entry for entry in driver.log if isinstance(entry, (int, str))]
        assert [number for number in handed_over if isinstance(number, int)] == list(range(1, 21))
        places = [handed_over.index(name) for name in "abc"]
        assert places == sorted(places)
        # Sent before the scheduler heard of the signal, so before the first job.
        assert handed_over[places[0] : places[0] + 5 : 2] == ["a", "b", "c"] or places == [0, 1, 2]
    assert adds_up(rt)


def test_messages_and_jobs_take_turns(rt: Runtime) -> None:
    driver = ScriptedDriver()
    scheduler = rt.scheduler(driver, credit_limit=100)
    holding = Holding()
    entity = scheduler.entity()
    scheduler.send(holding)
    jobs = [entity.submit(1) for _ in range(4)]
    for name in "abc":
        scheduler.send(name)
    settle(entity, scheduler)
    holding.goes_on.signal()
    assert finished(jobs)
    assert driver.log[:8] == [holding, "a", 1, "b", 2, "c", 3, 4]


@EVERYWHERE
def test_while_a_message_is_processed_nothing_runs_and_nothing_is_freed(way: Way) -> None:
    with way.runtime() as rt:
        driver, holding = ScriptedDriver(), Holding()
        scheduler = rt.scheduler(driver, credit_limit=2)
        entity = scheduler.entity()
        first = entity.submit()
        assert first.scheduled.wait(LIMIT_S)
        scheduler.send(holding)
        scheduler.send("behind it")
        second = entity.submit(1)
        settle(entity, scheduler)
        assert driver.advance() == 1
        assert first.finished.wait(LIMIT_S)
        settle(entity, scheduler)
        assert driver.log == [1, holding]
        holding.goes_on.signal()
        assert second.finished.wait(LIMIT_S)
        settle(scheduler)
        assert driver.log == [1, holding, "behind it", ("freed", 1), 2, ("freed", 2)]
    assert adds_up(rt)


@EVERYWHERE
def test_a_message_overtakes_jobs_that_wait_for_something(way: Way) -> None:
    with way.runtime() as rt:
        driver, blocker = ScriptedDriver(), Fence()
        scheduler = rt.scheduler(driver)
        job = scheduler.entity().submit(1, deps=[blocker])
        scheduler.send("before it")
        settle(scheduler)
        blocker.signal()
        assert job.finished.wait(LIMIT_S)
        settle(scheduler)
        assert driver.log == ["before it", 1, ("freed", 1)]
    assert adds_up(rt)


# Static messages.


@EVERYWHERE
def test_a_static_message_that_is_on_its_way_is_not_sent_twice(way: Way) -> None:
    """T2-2: one that is queued coalesces; after it was taken out another is accepted."""
    with way.runtime() as rt:
        driver, holding, suspend = ScriptedDriver(), Holding(), StaticMessage("SUSPEND")
        scheduler = rt.scheduler(driver)
        scheduler.send(holding)
        assert scheduler.send(suspend)
        assert "queued" in repr(suspend)
        assert suspend.queued
        assert not scheduler.send(suspend)
        assert not scheduler.send(suspend, first=True)
        holding.goes_on.signal()
        assert scheduler.entity().submit(1).finished.wait(LIMIT_S)
        assert not suspend.queued
        assert driver.log[:2] == [holding, suspend]
        assert scheduler.send(suspend)
        settle(scheduler)
        assert driver.log.count(suspend) == 2
    assert adds_up(rt)


def test_a_static_message_can_be_sent_again_by_its_own_processing(rt: Runtime) -> None:
    class Repeated(StaticMessage):
        left = 3

        def __call__(self) -> None:
            self.left -= 1
            if self.left:
                assert scheduler.send(self)

    repeated = Repeated("AGAIN")
    driver = ScriptedDriver()
    scheduler = rt.scheduler(driver)
    scheduler.send(repeated)
    settle(scheduler)
    assert driver.log == [repeated] * 3


def test_a_static_message_is_processed_after_every_request_for_it() -> None:
    """Whoever was told that it is on its way finds its request seen by the processing that comes."""

    def model(rt: Runtime) -> None:
        message, asked, seen = StaticMessage("SUSPEND"), [0], list[int]()

        class Device(MockBackend):
            def process_message(self, what: object) -> None:
                assert what is message
                seen.append(asked[0])

        scheduler = rt.scheduler(Device())

        def ask() -> None:
            asked[0] += 1
            mine = asked[0]
            scheduler.send(message)
            rt.world.sleep(1)
            assert max(seen) >= mine

        for task in [rt.spawn(ask) for _ in range(3)]:
            task.join()

    assert_clean(model, schedules=300)


@EVERYWHERE
def test_a_static_message_to_a_scheduler_that_has_ended_is_free_again(way: Way) -> None:
    with way.runtime() as rt:
        kept, late, waiting = (StaticMessage(name) for name in ("KEPT", "LATE", "WAITING"))
        driver, holding = ScriptedDriver(), Holding()
        scheduler = rt.scheduler(driver)
        scheduler.send(holding)
        scheduler.send(kept)
        settle(scheduler)
        scheduler.actor.actor_ref.stop()
        assert scheduler.send(late)
        assert scheduler.send(late)
        assert not any(message.queued for message in (kept, late, waiting))
        assert driver.log == [holding]
        holding.goes_on.signal()


# Stop and start.


@EVERYWHERE
def test_messages_are_kept_over_a_recovery(way: Way) -> None:
    """T2-4: stop, send, start: processed once, and in order."""
    goes_on: list[Fence] = []

    def answer(_job: Job, _recovery: Recovery) -> Steps[Status]:
        yield UntilSignaled(goes_on[0])
        return Status.NO_HANG

    with way.runtime() as rt:
        goes_on.append(Fence())
        driver = ScriptedDriver(answer)
        scheduler = rt.scheduler(driver, domain=rt.reset_domain())
        job, resume = scheduler.entity().submit(), StaticMessage("RESUME")
        assert job.scheduled.wait(LIMIT_S)
        scheduler.fault()
        while not driver.asked:
            rt.world.sleep(0.001)
        scheduler.send("suspend")
        assert scheduler.send(resume, first=True)
        assert not scheduler.send(resume)
        settle(scheduler)
        assert driver.log == [1]
        goes_on[0].signal()
        driver.advance()
        assert job.finished.wait(LIMIT_S)
        while len(driver.log) < 4:
            rt.world.sleep(0.001)
        assert [entry for entry in driver.log if not isinstance(entry, tuple)] == [1, resume, "suspend"]
    assert adds_up(rt)


@EVERYWHERE
def test_a_recovery_waits_for_the_end_of_a_message(way: Way) -> None:
    with way.runtime() as rt:
        driver, holding = ScriptedDriver(), Holding()
        scheduler = rt.scheduler(driver, domain=rt.reset_domain())
        job = scheduler.entity().submit()
        assert job.scheduled.wait(LIMIT_S)
        scheduler.send(holding)
        settle(scheduler)
        scheduler.fault()
        assert not job.finished.wait(0.01)
        assert driver.asked == []
        holding.goes_on.signal()
        assert job.finished.wait(LIMIT_S)
        assert job.finished.error == -errno.ETIMEDOUT
    assert adds_up(rt)


@EVERYWHERE
def test_a_job_that_completes_during_a_message_is_not_reported(way: Way) -> None:
    """It is complete and waits to be freed: its time is over, in the other sense (B42)."""
    with way.runtime() as rt:
        driver, holding = ScriptedDriver(never), Holding()
        scheduler = rt.scheduler(driver, domain=rt.reset_domain())
        job = scheduler.entity().submit()
        assert job.scheduled.wait(LIMIT_S)
        scheduler.send(holding)
        driver.advance()
        assert job.finished.wait(LIMIT_S)
        scheduler.set_timeout(0.001)
        rt.world.sleep(0.002)
        scheduler.fault()
        settle(scheduler)
        holding.goes_on.signal()
        settle(scheduler)
        assert scheduler.domain is not None
        assert scheduler.domain.records == ()
    assert adds_up(rt)


def test_messages_behind_one_that_waits_cost_nothing(rt: Runtime) -> None:
    """The scheduler does not ask itself again and again whether it may go on."""
    driver, holding = ScriptedDriver(), Holding()
    scheduler = rt.scheduler(driver)
    scheduler.send(holding)
    scheduler.send("behind it")
    rt.world.sleep(1)
    holding.goes_on.signal()
    settle(scheduler)
    assert driver.log == [holding, "behind it"]


# Ends.


@EVERYWHERE
def test_a_scheduler_is_finished_in_the_middle_of_a_message(way: Way) -> None:
    """What is on the hardware is taken back when the message has ended."""
    with way.runtime() as rt:
        driver, holding = ScriptedDriver(), Holding()
        scheduler: Scheduler = rt.scheduler(driver)
        entity = scheduler.entity()
        job = entity.submit()
        assert job.scheduled.wait(LIMIT_S)
        scheduler.send(holding)
        assert not scheduler.fini(0.01)
        assert not job.finished.signaled
        holding.goes_on.signal()
        assert scheduler.fini(LIMIT_S)
        assert job.finished.error == -errno.ECANCELED
    assert adds_up(rt)


@EVERYWHERE
def test_a_runtime_is_left_in_the_middle_of_a_message(way: Way) -> None:
    ends: list[str] = []

    def hold_for_ever() -> Steps[None]:
        try:
            yield Until(lambda: False, WaitQueue())
        finally:
            ends.append("given up")

    with way.runtime() as rt:
        driver = ScriptedDriver()
        scheduler = rt.scheduler(driver)
        entity = scheduler.entity()
        jobs = [entity.submit() for _ in range(2)]
        assert jobs[0].scheduled.wait(LIMIT_S)
        scheduler.send(hold_for_ever)
        settle(scheduler)
    assert ends == ["given up"]
    assert all(job.finished.signaled for job in jobs)
    assert adds_up(rt)


@EVERYWHERE
@pytest.mark.parametrize("waits", [False, True])
def test_a_message_whose_processing_raises_ends_the_scheduler(way: Way, waits: bool) -> None:  # noqa: FBT001
    def fail() -> Steps[None]:
        yield Until(lambda: False, WaitQueue(), 0.001)
        raise RuntimeError("the firmware does not know it")

    def fail_at_once() -> None:
        raise RuntimeError("the firmware does not know it")

    with pytest.raises(ActorFailed, match="does not know it"), way.runtime() as rt:
        driver = ScriptedDriver()
        scheduler = rt.scheduler(driver, domain=rt.reset_domain())
        entity = scheduler.entity()
        jobs = [entity.submit(), entity.submit()]
        assert jobs[0].scheduled.wait(LIMIT_S)
        scheduler.send(fail if waits else fail_at_once)
        assert finished(jobs)
        assert {job.finished.error for job in jobs} == {-errno.ENODEV}
        # What the hardware still has is for the driver to end; nobody asks it any more.
        driver.advance()
    assert adds_up(rt)


def test_steps_that_cannot_be_given_up_do_not_keep_jobs_from_ending(rt: Runtime) -> None:
    def stubborn() -> Steps[None]:
        try:
            yield Until(lambda: False, WaitQueue())
        finally:
            yield Until(lambda: False, WaitQueue())

    scheduler = rt.scheduler(ScriptedDriver())
    entity = scheduler.entity()
    jobs = [entity.submit(), entity.submit()]
    assert jobs[0].scheduled.wait(LIMIT_S)
    scheduler.send(stubborn)
    settle(scheduler)
    scheduler.actor.actor_ref.stop()
    assert [job.finished.error for job in jobs] == [-errno.ENODEV] * 2
    (failure,) = rt.world.failures
    assert "GeneratorExit" in str(failure)
    rt.world.failures.clear()
    assert isinstance(scheduler.backend, MockBackend)
    scheduler.backend.advance()


def test_a_backend_that_takes_no_messages_is_sent_none(rt: Runtime) -> None:
    with pytest.raises(TypeError, match="has no process_message: it cannot be sent 'hello'"):
        rt.scheduler(MockBackend()).send("hello")
