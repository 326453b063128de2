from __future__ import annotations

from collections.abc import Callable

import pytest

from fencepost.actors import Runtime
from fencepost.checks.observers import Observers
from fencepost.fences import (
    FaultingWork,
    Fence,
    FenceArray,
    FenceChain,
    Syncobj,
    Timeline,
    Unsubmitted,
    UserFence,
    get_stub,
    long_running_context,
    promise,
    publish,
)
from fencepost.fences.reservation import Reservation
from fencepost.fences.sync_file import SyncFile
from fencepost.fences.usage import Usage
from fencepost.hw import MockBackend
from fencepost.sync.observed_virtual import ObservedVirtualWorld
from tests.checks.rules import WORLDS, ruled


def to_syncobj(fence: Fence) -> None:
    Syncobj("slot").replace(fence)


def to_timeline(fence: Fence) -> None:
    Syncobj("slot").add_point(fence, 1)


def to_file(fence: Fence) -> None:
    SyncFile(fence).close()


def to_reservation(fence: Fence) -> None:
    reservation = Reservation()
    reservation.lock()
    reservation.reserve()
    reservation.add(fence, Usage.WRITE)
    reservation.unlock()


@pytest.mark.parametrize("put", [to_syncobj, to_timeline, to_file, to_reservation])
@pytest.mark.parametrize("kind", WORLDS)
def test_no_published_fence_depends_on_a_user_fence(kind: str, put: Callable[[Fence], None]) -> None:
    with ruled(kind) as here:
        fence = Fence(name="proxy")
        promise(fence, after=[UserFence(name="flip")])
        here.run(lambda: put(fence))
        fence.signal()
    (said,) = here.breaches
    assert "<Fence proxy:0 pending>, which completes only after <UserFence flip>, which nobody has to write" in said
    assert "was published in <" in said
    assert " by task0 at fences/" in said
    assert f" in {put.__name__}" in said


def test_it_may_depend_on_one_until_it_is_published() -> None:
    with ruled() as here:
        fence = Fence()
        promise(fence, after=[UserFence()])
        fence.signal()
        publish(fence, "a table")
    assert here.breaches == []


def test_nor_on_what_was_not_submitted() -> None:
    with ruled() as here:
        fence = Fence(name="future")
        promise(fence, after=[Unsubmitted("batch 7")])
        publish(fence, "a table")
        promise(fence)
        publish(fence, "another table")
    (said,) = here.breaches
    assert "which completes only after <Unsubmitted batch 7>, which was not submitted" in said


def test_nor_on_a_job_that_is_still_being_made() -> None:
    observers = Observers()
    with Runtime(ObservedVirtualWorld(observers)) as runtime:
        entity = runtime.scheduler(MockBackend(), name="rcs0").entity()
        job = entity.job(duration_us=1)
        proxy = Fence()
        promise(proxy, after=[job])
        publish(proxy, "a table")
        assert len(observers.findings) == 1
        job.arm()
        publish(proxy, "another table")
        publish(job.finished, "a table")
        job.push()
        job.finished.wait()
        proxy.signal()
    assert len(observers.findings) == 1


def test_the_whole_way_is_told() -> None:
    with ruled() as here:
        last, middle = Fence(name="last"), Fence(name="middle")
        promise(middle, after=[UserFence(name="flip")])
        promise(last, after=[Fence(name="other"), middle])
        publish(last, "a table")
    (said,) = here.breaches
    assert (
        "<Fence last:0 pending>, which completes only after <Fence middle:0 pending>, which completes only after"
        " <UserFence flip>, which nobody has to write, was published in 'a table' by main"
    ) in said


def test_a_dependency_of_a_job_is_one_of_its_fences() -> None:
    observers = Observers()
    with Runtime(ObservedVirtualWorld(observers)) as runtime:
        entity = runtime.scheduler(MockBackend(), name="rcs0").entity()
        proxy = Fence(name="proxy")
        promise(proxy, after=[UserFence(name="flip")])
        job = entity.submit(duration_us=1, deps=[proxy])
        Syncobj().replace(job.finished)
        proxy.signal()
        job.finished.wait()
    (said,) = map(str, observers.findings)
    assert "which completes only after <Fence proxy" in said


def in_array(fence: Fence) -> Fence:
    return FenceArray([Fence(), fence])


def in_chain(fence: Fence) -> Fence:
    return FenceChain(Fence(), 2, FenceChain(fence, 1))


@pytest.mark.parametrize("wrap", [in_array, in_chain])
def test_what_is_inside_of_a_container_counts(wrap: Callable[[Fence], Fence]) -> None:
    with ruled() as here:
        fence = Fence(name="proxy")
        promise(fence, after=[UserFence()])
        whole = wrap(fence)
        publish(whole, "a table")
    assert len(here.breaches) == 1


def test_a_circle_of_promises_has_an_end() -> None:
    with ruled() as here:
        one, other = Fence(), Fence()
        promise(one, after=[other])
        promise(other, after=[one])
        publish(one, "a table")
    assert here.breaches == []


def test_neither_stubs_nor_timelines_of_software_are_objected_to() -> None:
    with ruled() as here:
        for fence in (get_stub(), Timeline().fence(1), FenceArray([Fence(), get_stub()])):
            publish(fence, "a table")
    assert here.breaches == []


def test_work_that_can_fault_has_no_fence() -> None:
    with ruled() as here:
        fence = Fence()
        promise(fence, after=[FaultingWork("shader", "rcs0", preemptible=True)])
        publish(fence, "a table")
    (said,) = here.breaches
    assert "which may need memory that is free only once fences have signalled" in said


@pytest.mark.parametrize("put", [to_syncobj, to_timeline, to_file, to_reservation])
def test_a_long_running_fence_is_not_published(put: Callable[[Fence], None]) -> None:
    with ruled() as here, pytest.warns(RuntimeWarning, match="is long-running and must not be put into"):
        put(Fence(long_running_context(), name="endless"))
    (said,) = here.breaches
    assert "which is long-running, was published in <" in said


def test_nor_is_one_that_depends_on_it() -> None:
    with ruled() as here:
        fence, endless = Fence(name="short"), Fence(long_running_context(), name="endless")
        promise(fence, after=[endless])
        publish(fence, "a table")
    (said,) = here.breaches
    assert "completes only after <Fence endless:0 pending>, which is long-running" in said
