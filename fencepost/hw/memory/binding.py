"""A range of addresses of the GPU, and what memory is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fencepost.hw.memory.buffer import BufferObject
    from fencepost.hw.memory.notifier import Notifier
    from fencepost.hw.memory.vm import Vm

__all__ = ["Binding"]


class Binding:
    """A range of a `Vm`.

    (kernel: xe_vma, amdgpu_bo_va_mapping)

    Life cycle: *bound*, and between `Vm.populate` and the next `Vm.invalidate` also valid; *unbound*.

    Attributes:
        vm, address, size_bytes: where.
        buffer, offset_bytes: what is there, from where on; None for memory of the process.
        notifier: who tells when that memory goes; None for a buffer.
        valid: whether the page tables lead there. This and the next are protected by the page tables of the `Vm`.
        stale: whether the process is taking that memory away, so that nobody may begin to use it.
    """

    __slots__ = ("address", "buffer", "notifier", "offset_bytes", "size_bytes", "stale", "valid", "vm")

    def __init__(
        self,
        vm: Vm,
        address: int,
        size_bytes: int,
        buffer: BufferObject | None = None,
        *,
        offset_bytes: int = 0,
    ) -> None:
        self.vm = vm
        self.address = address
        self.size_bytes = size_bytes
        self.buffer = buffer
        self.offset_bytes = offset_bytes
        self.notifier: Notifier | None = None
        self.valid = self.stale = False

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + self.size_bytes

    def __repr__(self) -> str:
        what = "process memory" if self.buffer is None else self.buffer.name
        return f"<{what} at {self.address:#x} to {self.end:#x} of {self.vm.name}>"
