"""The fences that a client signals itself: its `f` and `a` steps."""

from __future__ import annotations

from collections.abc import Sequence

from fencepost.fences import Fence, context_alloc
from fencepost.lab.wsim import SoftwareFence, Step

__all__ = ["SoftFences"]


class SoftFences:
    """The fence that each `f` step made last.

    Each step has a fence context of its own: the fences of one step signal in the order of the cycles, those of two in
    any. Belongs to the task of the client; any task may call `signal_all`.

    Args:
        client: the client's name.
        steps: of its workload.
    """

    def __init__(self, client: str, steps: Sequence[Step]) -> None:
        self.contexts = {index: context_alloc() for index, step in enumerate(steps) if isinstance(step, SoftwareFence)}
        self._client = client
        self._fences: dict[int, Fence] = {}

    def make(self, index: int) -> None:
        """Make the fence of the step at `index`; its last one has signalled."""
        last = self._fences.get(index)
        seqno = 1 if last is None else last.seqno + 1
        self._fences[index] = Fence(self.contexts[index], seqno, name=f"{self._client} step {index + 1}")

    def get(self, index: int) -> Fence | None:
        """Return the fence of the step at `index`, None if that is no `f` step."""
        return self._fences.get(index)

    def signal(self, index: int) -> None:
        """Signal the fence of the step at `index`; a second signal changes nothing."""
        self._fences[index].signal()

    def signal_all(self) -> None:
        """Signal what is left. Any context."""
        for fence in list(self._fences.values()):
            fence.signal()
