"""A process on some GPUs, for tests of how buffers are mapped on them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from fencepost.hw.mapping import Arguments, Client, Process, Sdma
from fencepost.hw.memory import PAGE_BYTES, MemoryManager
from fencepost.sync import current

__all__ = ["Machine", "answer", "at", "now_ms"]


class Machine:
    """GPUs, memory for one page, a process with a buffer, and times of 1 ms to dispatch and 5 ms to update."""

    def __init__(self, gpus: int = 4, *, dispatch_us: int = 1000, update_us: int = 5000, pages: int = 1) -> None:
        self.gpus = [Sdma(f"gpu{number}") for number in range(gpus)]
        self.memory = MemoryManager(pages * PAGE_BYTES, pages * PAGE_BYTES)
        self.process = Process(self.gpus, self.memory, dispatch_us=dispatch_us, update_us=update_us)
        self.handle = self.process.allocate(PAGE_BYTES)
        self.client = Client()

    @property
    def mapped(self) -> tuple[int, ...]:
        return self.process.mapped(self.handle)

    @property
    def usable(self) -> tuple[int, ...]:
        return self.process.usable(self.handle)

    @property
    def violations(self) -> list[str]:
        return self.process.ledger.violations

    @property
    def dispatches(self) -> list[int]:
        """How many mappings each GPU was given."""
        return [self.process.ledger.of((self.handle, number)) for number in range(len(self.gpus))]

    def arguments(self, *devices: int) -> Arguments:
        """Make the arguments of a call, for all GPUs unless some are named."""
        return Arguments(self.handle, devices or tuple(range(len(self.gpus))))


def at(when_ms: float, function: Callable[[], object]) -> None:
    """Have something happen at a time, in irq context."""
    current().timers.call_at(round(when_ms * 1e6), function)


def now_ms() -> float:
    return current().now_ns() / 1e6


def answer(call: Callable[..., None], *arguments: object) -> int:
    """Return 0, or the errno that a call raises."""
    try:
        partial(call, *arguments)()
    except OSError as error:
        return error.errno or -1
    return 0
