"""One way to submit long-running work beside work with fences, as programs see it."""

from __future__ import annotations

import abc
import errno
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from fencepost.actors import Runtime
from fencepost.fences import Compare, Fence, Reservation, Usage, UserFence, locked
from fencepost.hw.memory import PAGE_BYTES, BufferObject, MemoryManager, Placement, Vm

__all__ = ["FIRST_ADDRESS", "Design", "Settings", "Touches", "Work"]

FIRST_ADDRESS: Final = 0x10000

Touches = Sequence[tuple[float, int]]
"""After how many microseconds of its execution work touches which address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a device is like.

    Attributes:
        engines: how many there are.
        vram_pages, system_pages: how much memory there is.
        preemptible: whether work leaves the engine before it is complete, where it could.
        preempt_timeout_s: how long work may take to leave at a fault, where there are any.
        min_run_s: how long work runs at least before it leaves for its memory's sake, where the hardware knows that.
        back_off_s: how long it stays off then, at least.
    """

    engines: int = 1
    vram_pages: int = 64
    system_pages: int = 64
    preemptible: bool = True
    preempt_timeout_s: float = 0.64
    min_run_s: float = 0.0
    back_off_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Work:
    """Long-running work that was submitted.

    Attributes:
        done: is 1 when it is complete.
    """

    done: UserFence

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until it is complete; False when `timeout_s` ran out first. Client context."""
        return self.done.wait(Compare.EQ, 1, timeout_s=timeout_s)

    @property
    def complete(self) -> bool:
        """Whether it is. Any context."""
        return self.done.value == 1


class Design(abc.ABC):
    """A device, its memory, and an address space for long-running work.

        design = PreemptFences(rt, Settings(vram_pages=32))
        address = design.bind(design.buffer("texture"))
        work = design.start("J", duration_us=100, touches=[(10, address)])
        fence = design.draw("K", duration_us=10, buffers=[...])
        work.wait()

    Everything is bound before work is started. Client context.

    Args:
        runtime: where its actors run.
        settings: what it is like.

    Attributes:
        name: what tables call it.
        faults: whether its work may touch what is not there.
        knows_min_run, knows_back_off: which pauses of the settings it knows.
        memory, vm: as said.
        signalling_path: called with the name of the work by whoever must go on for its fence to signal: the place for a
            mistake.
    """

    name: ClassVar[str]
    faults: ClassVar[bool]
    knows_min_run: ClassVar[bool] = False
    knows_back_off: ClassVar[bool] = False
    long_running: ClassVar[bool] = True

    def __init__(self, runtime: Runtime, settings: Settings) -> None:
        self.runtime = runtime
        self.settings = settings
        self.memory = MemoryManager(settings.vram_pages * PAGE_BYTES, settings.system_pages * PAGE_BYTES)
        self.signalling_path: Callable[[str], object] = _nothing
        self.vm = self.address_space("vm")
        self.prepare()

    @abc.abstractmethod
    def prepare(self) -> None:
        """Make the device."""

    # Memory.

    def address_space(self, name: str) -> Vm:
        """Make an address space for long-running work."""
        return Vm(self.memory, name, long_running=self.long_running)

    def buffer(self, name: str, pages: int = 1, placement: Placement | None = None) -> BufferObject:
        """Make a buffer, and bring it somewhere."""
        buffer = self.memory.create(pages * PAGE_BYTES, name)
        if placement is not None:
            with self.memory.validated([buffer], placement):
                pass
        return buffer

    def bind(self, buffer: BufferObject, vm: Vm | None = None) -> int:
        """Bind a buffer behind all that is bound; return where. What is there is found later."""
        vm = vm or self.vm
        address = max((binding.end for binding in vm.bindings()), default=FIRST_ADDRESS)
        vm.bind(buffer, address, populate=False)
        return address

    # Work.

    @abc.abstractmethod
    def start(self, name: str, duration_us: float, touches: Touches = (), vm: Vm | None = None) -> Work:
        """Submit long-running work, on an engine that the last one was not submitted to, if there is one."""

    @abc.abstractmethod
    def draw(
        self, name: str, duration_us: float, buffers: Iterable[BufferObject] = (), after: Sequence[Fence] = ()
    ) -> Fence:
        """Submit short work with a fence, which is then in the reservations of `buffers`.

        What has the same name goes one after the other.
        """

    @abc.abstractmethod
    def busy_ns(self) -> int:
        """Return how long the engines have worked; at a fault they do not."""

    def import_user_fence(self, user_fence: UserFence) -> Fence:
        """Return a fence that signals when `user_fence` is 1. Raises OSError EOPNOTSUPP where that is forbidden."""
        raise OSError(
            errno.EOPNOTSUPP, f"{user_fence!r} is no promise, and no fence can stand for it: wait for it first"
        )

    def publish(self, fence: Fence, reservations: Iterable[Reservation]) -> None:
        """Let those find a fence who want the memory of these."""
        order = tuple(reservations)
        with locked(order):
            for reservation in order:
                reservation.reserve()
                reservation.add(fence, Usage.BOOKKEEP)

    def __repr__(self) -> str:
        return f"<{self.name}>"


def _nothing(_name: str) -> None:
    """Make no mistake."""
