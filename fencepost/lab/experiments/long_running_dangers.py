"""The ways in which long-running work deadlocks, each as one scene that every design plays.

J is long-running work, K short work with a fence. Where the scene is *pressed*, memory is short and others are in the
way, in the worst order; where not, the same steps are done with room for all.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Protocol, TypeAlias

from fencepost.fences import Compare, Fence, Usage, UserFence
from fencepost.hw.long_running.designs import Design
from fencepost.hw.long_running.designs.preempting import PreemptingDesign
from fencepost.hw.memory import PAGE_BYTES, BufferObject, Placement, ProcessMemory, Vm
from fencepost.sync import Task, current
from fencepost.sync.observer import signalling

__all__ = ["DANGERS", "PAGES", "End", "Ends", "Scene"]

PAGES: Final = 16
"""As many pages of system memory has a device in these scenes; of its own memory it has twice as many."""

TOUCH_US: Final = 10
J_US: Final = 100
K_US: Final = 10
ENDLESS_US: Final = 10_000_000
SOON_S: Final = 1e-6
SLOW_S: Final = 0.9
"""More than a preemption may take, and less than anybody waits here."""

LATER_S: Final = 2 * TOUCH_US * 1e-6

End: TypeAlias = tuple[str, Callable[[float], bool]]
"""What a scene is to come to: a name, and a wait with a time-out."""

Ends: TypeAlias = list[End]


class Scene(Protocol):
    """Plays with a design, pressed or not."""

    def __call__(self, design: Design, /, *, pressed: bool) -> Iterable[End]: ...


def fault_and_reclaim(design: Design, *, pressed: bool) -> Iterator[End]:
    """T6-1: J faults, and what could be freed for its handler is what J uses."""
    design.bind(design.buffer("X", PAGES, Placement.SYSTEM if pressed else Placement.VRAM))
    at = design.bind(design.buffer("P"))
    work = design.start("J", J_US, [(TOUCH_US, at)])
    yield "J", work.wait
    if pressed:
        current().sleep(LATER_S)
        yield task(design, lambda: hog(design), "hog")


def fault_and_mmap_lock(design: Design, *, pressed: bool) -> Iterator[End]:
    """T6-2: J faults on memory of a process, which T takes away meanwhile."""
    process = ProcessMemory("process")
    at = 0x10000
    design.vm.bind_userptr(process, 0, PAGE_BYTES, at, populate=False)
    work = design.start("J", J_US, [(TOUCH_US, at)])
    yield "J", work.wait
    if pressed:
        settle()
        yield task(design, lambda: process.unmap(0, PAGE_BYTES), "T")


def fault_and_reservation(design: Design, *, pressed: bool) -> Iterator[End]:
    """T6-3: J faults in X, which T evicts meanwhile."""
    buffer = design.buffer("X", 1, Placement.VRAM)
    at = design.bind(buffer)
    work = design.start("J", J_US, [(TOUCH_US, at)])
    yield "J", work.wait
    if pressed:
        settle()
        yield task(design, lambda: evict(design, buffer), "T")


def across_engines(design: Design, *, pressed: bool) -> Iterator[End]:
    """T6-4: J has the engine and faults, K is behind it, and what could be freed is what K uses."""
    # No fence of J is anywhere.
    vm = Vm(design.memory, "vm of J", long_running=True)
    at = design.bind(design.buffer("P"), vm)
    buffer = design.buffer("Y", PAGES, Placement.SYSTEM if pressed else Placement.VRAM)
    work = design.start("J", ENDLESS_US if pressed else J_US, [(TOUCH_US, at)], vm)
    settle()
    yield task(design, lambda: design.draw("K", K_US, [buffer]).wait(), "client")
    if pressed:
        current().sleep(LATER_S)
        yield task(design, lambda: allocate(design), "hog")
    else:
        yield "J", work.wait


def user_fence_imported(design: Design, *, pressed: bool) -> Iterator[End]:
    """T6-5: K comes after what a program writes, which wants memory before, and what could be freed is what K uses."""
    buffer = design.buffer("Y", PAGES, Placement.SYSTEM if pressed else Placement.VRAM)
    flip = UserFence(name="U")

    def write() -> None:
        allocate(design)
        flip.write(1)

    try:
        after = [design.import_user_fence(flip)]
    except OSError as refused:
        if refused.errno != errno.EOPNOTSUPP:
            raise
        after = []

    def draw() -> None:
        if not after:
            flip.wait(Compare.EQ, 1)
        design.draw("K", K_US, [buffer], after).wait()

    yield task(design, draw, "client")
    settle()
    yield task(design, write, "program")


def allocation_to_signal(design: Design, *, pressed: bool) -> Iterator[End]:
    """T6-6: whoever must go on for a fence wants memory, and what could be freed waits for that fence."""
    buffer = design.buffer("X", PAGES, Placement.VRAM)
    if pressed:
        pin(design.buffer("the other half of the memory", PAGES, Placement.VRAM))
    scratch = design.buffer("scratch")

    def mistake(_name: str) -> None:
        with design.memory.validated([scratch]):
            pass

    yield from with_mistake(design, buffer, mistake)


def lock_to_signal(design: Design, *, pressed: bool) -> Iterator[End]:
    """T6-7: whoever must go on for a fence wants a lock that is held by one who waits for that fence."""
    buffer = design.buffer("X", 1, Placement.VRAM)

    def mistake(_name: str) -> None:
        with design.vm.lock.read():
            pass

    yield from with_mistake(design, buffer, mistake, locked=True, timeout_s=None if pressed else SOON_S)


def wait_to_signal(design: Design, *, pressed: bool) -> Iterator[End]:
    """T6-8: whoever must go on for a fence waits for another one, that only it can see to afterwards."""
    buffer = design.buffer("X", 1, Placement.VRAM)
    first: list[str] = []
    second = current().mailbox("the second fence")

    def mistake(name: str) -> None:
        if not first:
            first.append(name)
            fence: Fence = second.get()
            fence.wait(None if pressed else SOON_S)

    if isinstance(design, PreemptingDesign):
        for name in ("J1", "J2"):
            design.bind(design.buffer(f"memory of {name}"))
            yield name, design.start(name, J_US).wait
        settle()
        design.signalling_path = mistake
        second.put(design.members[1].preemption.fence)
        yield task(design, lambda: design.vm.reservation.wait(Usage.BOOKKEEP), "T")
        return
    design.signalling_path = mistake

    def draw() -> None:
        fences = [design.draw("K", K_US, [buffer]) for _ in range(2)]
        second.put(fences[1])
        fences[1].wait()

    yield task(design, draw, "T")


def mode_switch(design: Design, *, pressed: bool) -> Iterator[End]:
    """T6-9: K comes after a fence that a program signals when it has seen J complete."""
    at = design.bind(design.buffer("P"))
    work = design.start("J", J_US, [(TOUCH_US, at)])
    seen = Fence(name="D")

    def watch() -> None:
        work.wait()
        with signalling():
            seen.signal()

    yield task(design, watch, "program")
    if pressed:
        yield task(design, lambda: design.draw("K", K_US, after=[seen]).wait(), "client")


def never_triggered(design: Design, *, pressed: bool) -> Iterator[End]:
    """T6-11: nobody waits for a preempt fence, for days."""
    assert isinstance(design, PreemptingDesign)
    days_s = 3 * 24 * 3600.0
    design.bind(design.buffer("X"))
    work = design.start("J", days_s * 1e6 + J_US)
    settle()
    fence = design.members[0].preemption.fence
    current().sleep(days_s)
    assert not fence.signaled, "a preempt fence signalled that nobody waited for"
    if pressed:
        yield "its preemption", fence.wait
    yield "J", work.wait


def reset_at_a_fault(design: Design, *, pressed: bool) -> Iterator[End]:
    """T6-12: J cannot leave at its fault, and its handler takes longer than K may wait."""
    buffer, copy = design.buffer("P"), Fence(name="the copy of P")
    at = design.bind(buffer)
    with buffer.reservation:
        buffer.reservation.reserve()
        buffer.reservation.add(copy, Usage.KERNEL)
    current().timers.call_at(current().now_ns() + (round(SLOW_S * 1e9) if pressed else 0), copy.signal)
    work = design.start("J", J_US, [(TOUCH_US, at)])
    current().sleep(LATER_S)

    def draw() -> None:
        design.draw("K", K_US).wait()
        assert not pressed or not copy.signaled, "K has waited for the handler of a fault"

    yield task(design, draw, "client")
    yield "J", work.wait


DANGERS: Final[Mapping[str, Scene]] = {
    "T6-1": fault_and_reclaim,
    "T6-2": fault_and_mmap_lock,
    "T6-3": fault_and_reservation,
    "T6-4": across_engines,
    "T6-5": user_fence_imported,
    "T6-6": allocation_to_signal,
    "T6-7": lock_to_signal,
    "T6-8": wait_to_signal,
    "T6-9": mode_switch,
    "T6-11": never_triggered,
    "T6-12": reset_at_a_fault,
}
"""All but T6-10, in which nobody waits: see `thrash`."""


def with_mistake(
    design: Design,
    buffer: BufferObject,
    mistake: Callable[[str], object],
    *,
    locked: bool = False,
    timeout_s: float | None = None,
) -> Iterator[End]:
    """Have T wait for the fences of a buffer, holding the lock or not, while there is a mistake on the way to them."""
    preempting = isinstance(design, PreemptingDesign)
    if preempting:
        design.bind(buffer)
        yield "J", design.start("J", J_US).wait
        settle()
    design.signalling_path = mistake

    def wait() -> None:
        if not preempting:
            design.draw("K", K_US, [buffer])
        buffer.reservation.wait(Usage.BOOKKEEP, timeout_s)

    def wait_locked() -> None:
        with design.vm.lock.write():
            wait()

    yield task(design, wait_locked if locked else wait, "T")


def settle() -> None:
    """Let everybody come to where nothing moves before the first touch."""
    current().sleep(SOON_S)


def task(design: Design, function: Callable[[], object], name: str) -> End:
    """Start a client."""
    return name, joined(design.runtime.spawn(function, name))


def joined(client: Task) -> Callable[[float], bool]:
    """Return the wait for the end of a client."""
    return client.join


def allocate(design: Design) -> None:
    """Take a page of system memory, and give it back."""
    design.memory.allocate(PAGE_BYTES)
    design.memory.release(PAGE_BYTES)


def pin(buffer: BufferObject) -> None:
    """Have a buffer stay."""
    with buffer.reservation:
        buffer.pin()


def evict(design: Design, buffer: BufferObject) -> None:
    """Have a buffer leave."""
    with buffer.reservation:
        design.memory.evict(buffer)


def hog(design: Design) -> None:
    """Take all memory of the device, and some of the machine's, and give it back."""
    everything = design.buffer("memory of the hog", 2 * PAGES, Placement.VRAM)
    allocate(design)
    everything.free()
