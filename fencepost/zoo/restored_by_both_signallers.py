"""An eviction fence that two signalled, each of which believed that it was the one."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.sync import current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class FenceAsItWas(Fence):
    """Looks whether it has signalled, then signals."""

    __slots__ = ()

    def signal(self, error: int = 0, timestamp_ns: int | None = None) -> bool:
        first = not self.signaled
        super().signal(error, timestamp_ns)
        return first


class Process:
    """A process whose queues are stopped to have its memory moved. `_lock` protects the count of restores."""

    def __init__(self, eviction: Fence) -> None:
        self._lock = current().lock()
        self._eviction = eviction
        self.restores = 0

    def evicted(self) -> None:
        """Say that its queues have stopped; whoever says so first sees to it that they start again."""
        if self._eviction.signal():
            with self._lock:
                self.restores += 1


def model(fence_class: type[Fence], runtime: Runtime) -> None:
    """Evict a process while a reset stops its queues too."""
    process = Process(fence_class(name="eviction"))
    clients = [runtime.spawn(process.evicted, name) for name in ("eviction", "reset")]
    for client in clients:
        client.join()
    assert process.restores == 1, f"the process was restored {process.restores} times"


BUG = Bug(
    name="restored-by-both-signallers",
    title=None,
    fix="a mail about KFD's eviction fences; commit and date not known",
    symptom="two restores at once, and the second eviction finds a fence that is not its own",
    interleaving="the eviction finds the fence pending; a reset, too, finds it pending; both signal it, and both"
    " schedule a restore",
    repair="let the result of the signal decide who restores",
    broken=lambda runtime: model(FenceAsItWas, runtime),
    fixed=lambda runtime: model(Fence, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
