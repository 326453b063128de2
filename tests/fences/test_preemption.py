from __future__ import annotations

import errno
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

import pytest

from fencepost.actors import Runtime
from fencepost.checks import explore
from fencepost.checks.observers import Observers
from fencepost.errors import WrongState
from fencepost.fences import PreemptFence, Preemption, PreemptState
from fencepost.fences.reservation import Reservation
from fencepost.fences.usage import Usage
from fencepost.sync import Mailbox, World, current
from fencepost.sync.allocation import Allocation, might_alloc
from fencepost.sync.observed_virtual import ObservedVirtualWorld
from fencepost.sync.observer import signalling
from tests.searching import assert_clean

ACTIVE, PREEMPTING, SIGNALLED, REBINDING, LOST = PreemptState


class Context:
    """Long-running work on hardware, with one buffer; an actor suspends it, and a worker brings it back."""

    def __init__(self) -> None:
        self.runs = True
        self.mail: Mailbox[str] = current().mailbox("preemption")
        self.done: Mailbox[str] = current().mailbox("rebind worker")
        self.preemption = Preemption(lambda: self.mail.put("suspend"), name="preemption")
        self.buffer = Reservation("buffer")
        self.buffer.lock()
        self.publish(self.preemption.fence)
        self.buffer.unlock()

    def publish(self, fence: PreemptFence) -> None:
        self.buffer.reserve()
        self.buffer.add(fence, Usage.BOOKKEEP)

    def suspend(self) -> None:
        """Wait to be told, and leave the hardware."""
        if self.mail.get() == "suspend":
            with signalling():
                self.runs = False
                self.preemption.suspended()
            self.done.put("suspended")

    def resume(self) -> None:
        """Bring it back once it has left."""
        self.done.get()
        self.buffer.lock()
        self.preemption.rebind()
        might_alloc(Allocation.KERNEL)
        self.buffer.reserve()
        with self.preemption.resuming() as fence:
            self.buffer.add(fence, Usage.BOOKKEEP)
            self.runs = True
        self.buffer.unlock()


def test_a_context_goes_and_comes_back_as_often_as_somebody_waits(any_world: World) -> None:
    context = Context()
    fences: list[PreemptFence] = []
    for _ in range(3):
        fence = context.preemption.fence
        assert context.preemption.state is ACTIVE
        tasks = [any_world.spawn(each, name=each.__name__) for each in (context.suspend, context.resume)]
        assert context.buffer.wait(Usage.BOOKKEEP, timeout_s=60) or context.preemption.fence is not fence
        assert all(task.join() for task in tasks)
        assert fence.status == 1
        assert context.runs
        fences.append(fence)
    assert [fence.seqno for fence in fences] == [1, 2, 3]
    assert len({fence.context for fence in fences}) == 1


def test_the_states_in_turn(virtual: World) -> None:  # noqa: ARG001
    asked: list[str] = []
    preemption = Preemption(lambda: asked.append("suspend"))
    first = preemption.fence
    assert preemption.state is ACTIVE
    first.enable_signaling()
    assert (preemption.state, asked) == (PREEMPTING, ["suspend"])
    preemption.suspended()
    assert (preemption.state, first.status) == (SIGNALLED, 1)
    assert preemption.fence is first
    preemption.rebind()
    assert preemption.state is REBINDING
    assert preemption.fence is first, "nobody finds the next one before it is resumed"
    with preemption.resuming() as second:
        assert preemption.fence is second
        assert not second.signaled
    assert preemption.state is ACTIVE


def resume(preemption: Preemption) -> None:
    with preemption.resuming():
        pass


def want(preemption: Preemption) -> None:
    preemption.fence.enable_signaling()


STEPS: Final[tuple[Callable[[Preemption], None], ...]] = (
    want,
    Preemption.suspended,
    Preemption.rebind,
    resume,
)


@pytest.mark.parametrize("done", range(4))
@pytest.mark.parametrize("step", [1, 2, 3])
def test_no_step_can_be_left_out(virtual: World, done: int, step: int) -> None:  # noqa: ARG001
    preemption = Preemption(lambda: None)
    for each in STEPS[:done]:
        each(preemption)
    if done == step:
        STEPS[step](preemption)
        return
    before = preemption.state
    with pytest.raises(WrongState, match=f"preemption is .* while {before.value}, expected it"):
        STEPS[step](preemption)
    assert preemption.state is before


def test_an_error_of_the_suspension_does_not_keep_the_fence_from_signalling(virtual: World) -> None:  # noqa: ARG001
    preemption = Preemption(lambda: None)
    preemption.fence.enable_signaling()
    preemption.suspended(-errno.ETIME)
    assert preemption.fence.status == -errno.ETIME


def test_a_context_lost_before_anybody_waited_says_so_to_who_does(virtual: World) -> None:  # noqa: ARG001
    preemption = Preemption(lambda: pytest.fail("nothing to suspend"))
    preemption.lose()
    assert not preemption.fence.signaled
    assert preemption.fence.wait()
    assert preemption.fence.status == -errno.ENOENT
    assert preemption.state is LOST


def test_one_lost_while_it_is_to_leave_signals_at_once(virtual: World) -> None:  # noqa: ARG001
    preemption = Preemption(lambda: None)
    preemption.fence.enable_signaling()
    preemption.lose()
    preemption.lose()
    preemption.suspended()
    assert preemption.fence.status == -errno.ENOENT
    with pytest.raises(WrongState, match="gone for good"):
        preemption.rebind()


def test_a_resumption_that_fails_loses_the_context(virtual: World) -> None:  # noqa: ARG001
    preemption = Preemption(lambda: None)
    for step in STEPS[:3]:
        step(preemption)
    fences: list[PreemptFence] = []

    def fail_to_resume() -> None:
        with preemption.resuming() as fence:
            fences.append(fence)
            fence.enable_signaling()
            raise OSError(errno.ENODEV, "the hardware is gone")

    with pytest.raises(OSError, match="the hardware is gone"):
        fail_to_resume()
    assert fences[0].status == -errno.ENOENT
    assert preemption.state is LOST


@contextmanager
def preempted() -> Generator[tuple[Preemption, Observers]]:
    """Give one that has signalled, in an observed world that is closed at the end."""
    observers = Observers()
    world = ObservedVirtualWorld(observers)
    world.enter()
    preemption = Preemption(lambda: None)
    preemption.fence.enable_signaling()
    preemption.suspended()
    yield preemption, observers
    assert world.close() == []


def test_all_memory_is_there_before_the_next_fence_is_published() -> None:
    with preempted() as (preemption, observers):
        preemption.rebind()
        might_alloc(Allocation.KERNEL)
        with preemption.resuming():
            pass
    assert observers.findings == ()
    with preempted() as (preemption, observers):
        preemption.rebind()
        with preemption.resuming():
            might_alloc(Allocation.KERNEL)
    (said,) = map(str, observers.findings)
    assert "memory of the kind KERNEL" in said


def test_a_preemption_fence_costs_memory() -> None:
    with preempted() as (_, observers), signalling():
        PreemptFence(lambda _fence: True)
    assert len(observers.findings) == 1


def test_who_suspends_does_so_in_a_section() -> None:
    observers = Observers()
    world = ObservedVirtualWorld(observers)
    world.enter()
    context = Context()
    context.preemption.fence.enable_signaling()
    context.preemption.suspended()
    world.close()
    (said,) = map(str, observers.findings)
    assert "in no section; it was up to preemption" in said


def evict_model(runtime: Runtime) -> None:
    """Evict the buffer twice at once while the context may be lost."""
    context = Context()

    def evict() -> None:
        context.preemption.fence.wait()

    def lose() -> None:
        with signalling():
            context.preemption.lose()
        context.mail.put("gone")

    for function in (context.suspend, evict, evict, lose):
        runtime.spawn(function, function.__name__)


def test_whoever_waits_gets_the_hardware_free_or_hears_that_the_context_is_gone() -> None:
    assert_clean(evict_model)
    report = explore(evict_model, fields={Preemption: "_state _fence _next"}, observe=True)
    assert not report.found, str(report)
