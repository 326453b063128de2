"""A chain that took a point for complete because its own fence was."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence, FenceChain
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class ChainAsItWas(FenceChain):
    """Says that a collected point is complete."""

    __slots__ = ()

    def find_seqno(self, seqno: int) -> Fence | None:
        found = super().find_seqno(seqno)
        return found if found is None or found.seqno >= seqno else None


def model(chain_class: type[FenceChain], runtime: Runtime) -> None:
    """Wait for the second of three points, whose fences signal in whatever order."""
    fences = [Fence(name=f"fence {seqno}") for seqno in (1, 2, 3)]
    first = chain_class(fences[0], 1)
    head = chain_class(fences[2], 3, chain_class(fences[1], 2, first))

    def wait() -> None:
        point = head.find_seqno(2)
        if point is not None:
            point.wait()
        assert first.signaled, "point 2 is said to be complete, and point 1 is pending"

    tasks = [runtime.spawn(fence.signal, fence.name) for fence in fences]
    tasks.append(runtime.spawn(wait, "waiter"))
    for task in tasks:
        task.join()


BUG = Bug(
    name="chain-point-done-before-its-past",
    title=None,
    fix="4cca2e641641 (dma-fence-chain), June 2020, which put an earlier change back; title not known",
    symptom="work begins although something earlier on its timeline is not complete",
    interleaving="the fence of the second point signals before that of the first; a client asks for the second, finds"
    " it collected, and takes that for complete",
    repair="answer with what is before a collected point: all up to it must be complete",
    broken=lambda runtime: model(ChainAsItWas, runtime),
    fixed=lambda runtime: model(FenceChain, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
