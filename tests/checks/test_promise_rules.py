from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from fencepost.actors import Runtime
from fencepost.checks.observers import Observers
from fencepost.fences import (
    Compare,
    Fence,
    FenceArray,
    HookedFence,
    PreemptFence,
    Syncobj,
    Timeline,
    UserFence,
    long_running_context,
    promise,
    publish,
)
from fencepost.fences.reservation import Reservation
from fencepost.fences.usage import Usage
from fencepost.hw import MockBackend
from fencepost.sync import current
from fencepost.sync.observed_virtual import ObservedVirtualWorld
from fencepost.sync.observer import signalling
from tests.checks.rules import WORLDS, Ruled, ruled

every_world = pytest.mark.parametrize("kind", WORLDS)


def owned(name: str = "work") -> Fence:
    """Make a fence that a driver answers for."""
    fence = Fence(name=name)
    promise(fence, by="driver")
    return fence


# In a section.


@every_world
def test_what_a_driver_promised_is_signalled_in_a_section(kind: str) -> None:
    with ruled(kind) as here:
        fence = owned()
        here.run(lambda: publish(fence, "a table"), fence.signal)
    (said,) = here.breaches
    assert "<Fence work:0 pending> was signalled by task1 at " in said
    assert "in no section; it was up to driver" in said
    assert "it was published in 'a table' by task0 at " in said


def signal_in_section(fence: Fence) -> None:
    with signalling():
        fence.signal()


def signal_in_callback(fence: Fence) -> None:
    before = Fence()
    before.add_callback(lambda _before: fence.signal())
    before.signal()


@pytest.mark.parametrize("signal", [signal_in_section, signal_in_callback])
def test_a_section_is_inherited_by_callbacks(signal: Callable[[Fence], None]) -> None:
    with ruled() as here:
        fence = owned()
        publish(fence, "a table")
        signal(fence)
    assert here.breaches == []


def test_a_fence_of_software_is_signalled_anywhere() -> None:
    with ruled() as here:
        timeline = Timeline()
        fences = [Fence(), timeline.fence(1)]
        for fence in fences:
            publish(fence, "a table")
        fences[0].signal()
        timeline.advance()
    assert here.breaches == []


def test_what_nobody_can_find_is_signalled_anywhere() -> None:
    with ruled() as here:
        owned().signal()
    assert here.breaches == []


class Polled(HookedFence):
    __slots__ = ("complete",)

    def poll(self) -> bool:
        return True


class Complete(HookedFence):
    __slots__ = ()

    def on_enable(self) -> bool:
        return False


@pytest.mark.parametrize("ask", [lambda: Polled().signaled, lambda: Complete().wait()])
def test_who_asks_and_finds_it_complete_needs_no_section(ask: Callable[[], bool]) -> None:
    with ruled() as here:
        fence = Polled() if ask.__code__.co_names[0] == "Polled" else Complete()
        promise(fence, by="driver")
        publish(fence, "a table")
        assert fence.signaled if isinstance(fence, Polled) else fence.wait()
    assert here.breaches == []


def test_who_asks_a_container_and_finds_its_members_complete_needs_none_either() -> None:
    with ruled() as here:
        work = Fence()
        array = FenceArray([work])
        promise(array, by="driver")
        publish(array, "a table")
        work.signal()
        assert array.signaled
    assert here.breaches == []


def test_scheduler_keeps_to_the_rules_with_what_it_publishes() -> None:
    """Jobs in a reservation and a syncobj, one after the other, killed and completed, in each kind of dispatch."""
    for dispatch in ("thread", "workqueue"):
        observers = Observers()
        with Runtime(ObservedVirtualWorld(observers), dispatch=dispatch) as runtime:
            scheduler = runtime.scheduler(MockBackend(), name="rcs0")
            entity, killed = scheduler.entity(), scheduler.entity()
            reservation, syncobj = Reservation(), Syncobj()
            first = entity.submit(duration_us=100)
            second = entity.submit(duration_us=100, deps=[first.finished])
            lost = killed.submit(duration_us=100, deps=[second.finished])
            reservation.lock()
            reservation.reserve(3)
            for job in (first, second, lost):
                reservation.add(job.finished, Usage.WRITE)
                syncobj.replace(job.scheduled)
            assert reservation.wait(Usage.READ, timeout_s=1)
            reservation.unlock()
            killed.kill()
        assert observers.findings == ()


# In time.


@pytest.mark.parametrize("in_time", [True, False])
def test_a_published_fence_signals_in_time(in_time: bool) -> None:  # noqa: FBT001
    with ruled(limits_s={Fence: 2.0}) as here:
        fence = Fence(name="work")
        publish(fence, "a table")
        here.world.sleep(2.0 if in_time else 2.1)
        fence.signal()
    if in_time:
        assert here.breaches == []
    else:
        (said,) = here.breaches
        assert "<Fence work:0 pending> took 2.1 s, expected at most 2; it was published in 'a table' by main at" in said


def test_one_that_is_pending_at_the_end_is_found_too() -> None:
    with ruled(limits_s={Fence: 2.0}) as here:
        fence = Fence(name="work")
        publish(fence, "a table")
        here.world.sleep(3)
    assert len(here.breaches) == 1
    fence.signal()


class Slow(Fence):
    __slots__ = ()


def test_each_class_has_its_limit() -> None:
    with ruled(limits_s={Slow: 5.0, Fence: 1.0}) as here:
        fences = [Fence(name="usual"), Slow(name="slow")]
        for fence in fences:
            publish(fence, "a table")
        here.world.sleep(3)
        for fence in fences:
            fence.signal()
    (said,) = here.breaches
    assert "<Fence usual:0 pending> took 3 s, expected at most 1" in said


def test_the_time_begins_when_what_comes_before_is_complete() -> None:
    with ruled(limits_s={Fence: 2.0}) as here:
        first, second = Fence(name="first"), Fence(name="second")
        publish(second, "a table")
        promise(second, after=[first])
        here.world.sleep(1.5)
        first.signal()
        here.world.sleep(1.5)
        second.signal()
    assert here.breaches == []


def test_who_is_waited_for_is_in_time_too() -> None:
    with ruled(limits_s={Fence: 2.0}) as here:
        first, second = Fence(name="first"), Fence(name="second")
        promise(second, after=[first])
        publish(second, "a table")
        here.world.sleep(3)
        first.signal()
        second.signal()
    (said,) = here.breaches
    assert "<Fence first:0 pending> took 3 s" in said
    assert "published in 'what <Fence second" not in said


def test_the_report_says_whose_turn_it_is() -> None:
    """The watchdog looks while the owner waits for something else."""
    with ruled(limits_s={Fence: 2.0}) as here:
        other, fence = Fence(name="other"), Fence(name="work")
        promise(fence, by="driver")
        publish(fence, "a table")
        driver = here.world.spawn(lambda: other.wait(timeout_s=5), name="driver")
        here.world.sleep(3)
        here.observers.rules.look(here.world.now_ns())
        driver.join()
        signal_in_section(fence)
    (said,) = here.breaches
    assert "it is up to driver, which waits for <Fence other:0 pending>" in said


def test_a_long_running_fence_has_all_time() -> None:
    with ruled() as here:
        fence = Fence(long_running_context())
        promise(Fence(long_running_context()), after=[fence])
        here.world.sleep(1000)
        fence.signal()
    assert here.breaches == []


def test_a_preemption_has_its_time_from_the_moment_at_which_somebody_wants_it() -> None:
    with ruled() as here:
        fences = [PreemptFence(lambda _fence: True, name=name) for name in ("unwanted", "fast", "slow")]
        for fence in fences:
            publish(fence, "a buffer", "BOOKKEEP")
        here.world.sleep(1000)
        for fence in fences[1:]:
            fence.enable_signaling()
        here.world.sleep(4)
        fences[1].signal()
        here.world.sleep(4)
        fences[2].signal()
    (said,) = here.breaches
    assert "slow" in said
    assert "took 8 s, expected at most 5" in said


# At all.


def test_what_a_driver_promised_is_signalled_before_the_end() -> None:
    with ruled() as here:
        fence = owned()
        publish(fence, "a table")
    (said,) = here.breaches
    assert "all tasks have ended; it was up to driver; it was published in 'a table' by main" in said
    fence.signal()


def test_what_a_driver_promised_is_not_dropped() -> None:
    with ruled() as here:
        publish(owned(), "a table")
        gc.collect()
        (said,) = here.breaches
    assert "nobody has it any more; it was up to driver" in said


def test_a_watched_fence_is_kept_alive_by_nobody_else() -> None:
    """As without observers, it warns when it goes with callbacks that wait."""
    called: list[int] = []
    with ruled() as here:
        fence = Fence()
        publish(fence, "a table")
        fence.add_callback(lambda fence: called.append(fence.error))
        with pytest.warns(RuntimeWarning, match="was dropped with 1 callbacks"):
            del fence
    assert len(called) == 1
    assert here.breaches == []


# By what was submitted.


@every_world
def test_nobody_signals_after_waiting_for_a_user_fence(kind: str) -> None:
    """Nobody has said that the fence stands for the user fence; but so it does."""
    with ruled(kind) as here:
        fence, flip = Fence(name="proxy"), UserFence(name="flip")
        publish(fence, "a table")

        def wrap() -> None:
            while not flip.wait(Compare.EQ, 1, timeout_s=0.001):
                flip.write(1)
            fence.signal()

        here.run(wrap)
    (said,) = here.breaches
    assert "<Fence proxy:0 pending> was signalled by task0" in said
    assert "could not be before <UserFence flip> was waited for by task0" in said


def wrap_user_fence(here: Ruled, *, published_first: bool) -> None:
    fence, flip = Fence(name="proxy"), UserFence(name="flip")
    if published_first:
        publish(fence, "a table")
    here.world.timers.call_at(1000, lambda: flip.write(1))
    flip.wait(Compare.EQ, 1)
    if not published_first:
        publish(fence, "a table")
    fence.signal()


def test_a_fence_that_is_published_after_the_wait_depends_on_nothing() -> None:
    with ruled() as here:
        wrap_user_fence(here, published_first=False)
    assert here.breaches == []
    with ruled() as here:
        wrap_user_fence(here, published_first=True)
    assert len(here.breaches) == 1


def test_a_member_of_an_array_is_published_with_it() -> None:
    with ruled() as here:
        members = owned(), owned()
        publish(FenceArray(members), "a table")
        members[0].signal()
        signal_in_section(members[1])
    assert len(here.breaches) == 1


def test_what_was_published_in_an_observed_world_may_signal_after_it() -> None:
    with ruled():
        fence = Fence()
        publish(fence, "a table")
    fence.signal()
    with ruled() as here:
        assert fence.signaled
        assert current() is here.world
    assert here.breaches == []
