"""A fence of one's own that has signalled from the beginning."""

from __future__ import annotations

from fencepost.fences.fence import Fence

__all__ = ["private_stub"]


def private_stub(timestamp_ns: int | None = None) -> Fence:
    """Return a new fence that has signalled, at `timestamp_ns` or now. Any context.

    Where `get_stub` is not enough, since its timestamp is 0. (kernel: dma_fence_allocate_private_stub)
    """
    stub = Fence(name="stub")
    stub.signal(timestamp_ns=timestamp_ns)
    return stub
