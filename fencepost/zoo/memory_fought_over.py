"""Two that needed most of the memory each, and took it from each other before either had done anything."""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.hw.memory import PAGE_BYTES, MemoryManager, Residency, Vm
from fencepost.sync import Gate, Timer, current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]

VRAM_PAGES: Final = 10
NEEDED_PAGES: Final = 7
WORK_NS: Final = 15_000_000

PATIENCE: Final = 5
"""How often work may be brought back for nothing."""


class Work:
    """So much work, done while its memory is there."""

    def __init__(self, runtime: Runtime, residency_class: type[Residency], vm: Vm) -> None:
        self.name = vm.name
        self.complete = Gate(f"the end of the work of {vm.name}")
        self.residency = runtime.start(residency_class, vm, self, name=vm.name)
        self._left_ns = WORK_NS
        self._since_ns = 0
        self._timer: Timer | None = None

    def resume(self) -> None:
        """Go on."""
        useless = self.residency.runs > PATIENCE and self._left_ns == WORK_NS
        assert not useless, f"{self.name} was brought back {PATIENCE} times, and nothing was done"
        self._since_ns = current().now_ns()
        self._timer = current().timers.call_at(self._since_ns + self._left_ns, self._end)

    def suspend(self) -> None:
        """Stop where it is."""
        assert self._timer is not None
        self._timer.cancel()
        self._left_ns -= current().now_ns() - self._since_ns

    def _end(self) -> None:
        self.complete.open()
        self.residency.finish()


class ResidencyAsItWas(Residency):
    """Gives its memory to whoever wants it, and wants it back, at once."""

    def stay_until_ns(self) -> int:
        return self.resumed_ns

    def away_until_ns(self) -> int:
        return current().now_ns()


def model(residency_class: type[Residency], runtime: Runtime) -> None:
    """Have two work that do not fit into memory together."""
    memory = MemoryManager(VRAM_PAGES * PAGE_BYTES, 2 * VRAM_PAGES * PAGE_BYTES)
    works: list[Work] = []
    for name in ("first", "second"):
        vm = Vm(memory, name, long_running=True)
        vm.bind(memory.create(NEEDED_PAGES * PAGE_BYTES, name), 0, populate=False)
        works.append(Work(runtime, residency_class, vm))
    for work in works:
        work.residency.begin()
    for work in works:
        work.complete.wait()


BUG = Bug(
    name="memory-fought-over",
    title=None,
    fix="KFD restores a process only after PROCESS_RESTORE_TIME_MS; Xe has a minimum run period; changes not known",
    symptom="memory moves all the time, and no work is done",
    interleaving="two address spaces need seven tenths of the memory each; one is brought back, which evicts the other;"
    " that is to be brought back at once, which evicts the first before it has done anything; and so on",
    repair="let work run for a while before it leaves, and wait for a while before it is brought back",
    broken=lambda runtime: model(ResidencyAsItWas, runtime),
    fixed=lambda runtime: model(Residency, runtime),
    finds=frozenset({Kind.ASSERTION}),
)
