"""An eviction fence that two signalled, each of which believed that it was the one."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.hw.eviction import ComputeProcess
from fencepost.hw.memory import PAGE_BYTES, MemoryManager, Vm
from fencepost.sync import Gate
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class Queues:
    """The queues of a process on a device that takes them off at once."""

    def hold(self) -> Gate:
        """Take them off."""
        off = Gate("queues off")
        off.open()
        return off

    def release(self) -> None:
        """Let them run."""


class ProcessAsItWas(ComputeProcess):
    """Looks whether the fence has signalled, then signals it."""

    def signal(self, fence: Fence, error: int) -> bool:
        first = not fence.signaled
        fence.signal(error)
        return first


def model(process_class: type[ComputeProcess], runtime: Runtime) -> None:
    """Evict a process for its memory while a reset stops its queues too."""
    process = process_class(
        runtime, Vm(MemoryManager(PAGE_BYTES, PAGE_BYTES), "process"), restore_delay_s=1, min_run_s=0
    )
    queues = Queues()
    process.join(queues)
    process.begin()
    while process.fence is None:
        runtime.world.sleep(1e-3)
    clients = [runtime.spawn(process.evict, name) for name in ("eviction", "reset")]
    for client in clients:
        client.join()
    owed = process.evictions(queues)
    assert owed == 1, f"{owed} have evicted the process, and each leaves it to a restore, of which there is one"


BUG = Bug(
    name="restored-by-both-signallers",
    title=None,
    fix="a mail about KFD's eviction fences; commit and date not known",
    symptom="two restores at once, and the second eviction finds a fence that is not its own; or queues that stay off",
    interleaving="the eviction finds the fence pending; a reset, too, finds it pending; both signal it, and both"
    " schedule a restore",
    repair="let the result of the signal decide who restores; who was not first undoes what it has stopped",
    broken=lambda runtime: model(ProcessAsItWas, runtime),
    fixed=lambda runtime: model(ComputeProcess, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
