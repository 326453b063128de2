"""Several fences at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fencepost.fences.fence import Fence
from fencepost.sync.world import current, deadline_ns

__all__ = ["AnyOf", "signal_all", "wait_any"]


class AnyOf:
    """What `wait_any` waits for."""

    __slots__ = ("fences",)

    def __init__(self, fences: Sequence[Fence]) -> None:
        self.fences = fences

    def __str__(self) -> str:
        return f"any of {len(self.fences)} fences, first {self.fences[0]!r}"


def wait_any(fences: Sequence[Fence], timeout_s: float | None = None) -> int | None:
    """Block until one of `fences` has signalled; return the lowest index of those that have.

    None when `timeout_s` ran out first. A time-out of 0 only looks. Raises ValueError for no fences or a negative
    time-out, WrongContext from a context that may not block. (kernel: dma_fence_wait_any_timeout)
    """
    if not fences:
        raise ValueError("no fences to wait for, expected at least one")
    when_ns = deadline_ns(timeout_s)
    signaled = next((index for index, fence in enumerate(fences) if fence.signaled), None)
    if signaled is not None or timeout_s == 0:
        return signaled
    waiter = current().waiter()

    def wake(_fence: Fence) -> None:
        waiter.wake()

    hooked: list[Fence] = []
    try:
        for fence in fences:
            if not fence.add_callback(wake):
                break
            hooked.append(fence)
        else:
            waiter.wait(when_ns, AnyOf(fences))
    finally:
        for fence in hooked:
            # One that is being called now does no harm: it wakes nobody any more.
            fence.remove_callback(wake, wait=False)
    return next((index for index, fence in enumerate(fences) if fence.signaled), None)


def signal_all(fences: Iterable[Fence], error: int = 0) -> None:
    """Signal every one of `fences`; an exception of a callback is raised after the last. Never blocks."""
    failed: BaseException | None = None
    for fence in fences:
        try:
            fence.signal(error)
        except BaseException as raised:  # noqa: BLE001 - the others must signal all the same
            failed = failed or raised
    if failed is not None:
        raise failed
