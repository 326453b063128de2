"""T6-10: two address spaces that do not fit in together, and how much work is done for all the moving."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Any, Final

from fencepost.actors import Runtime
from fencepost.errors import BadInput
from fencepost.hw.long_running.compute_vm import ComputeVm
from fencepost.hw.long_running.designs import Design, FaultingQueues, PreemptFences, Settings, UserQueues, Work
from fencepost.hw.long_running.designs.preempting import PreemptingDesign
from fencepost.hw.long_running.member import Member
from fencepost.hw.long_running.rebinder import Rebinder

__all__ = ["THRASHERS", "Thrash", "ThrashResult", "thrash"]

THRASHERS: Final[tuple[type[Design], ...]] = (PreemptFences, FaultingQueues, UserQueues)
"""Those whose work gives way; the others wait for each other instead."""

SHORT_PAGES: Final = 10
EACH_PAGES: Final = 7
SETTLE_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Thrash:
    """What is done.

    Attributes:
        work_us: how much work each of the two has.
        rounds: after how many times that memory was brought back nobody believes in an end any more.
        min_run_us, back_off_us: see `Settings`.
        room: whether there is memory for both.
    """

    work_us: float
    rounds: int
    min_run_us: float = 0.0
    back_off_us: float = 0.0
    room: bool = False


@dataclass(frozen=True, slots=True)
class ThrashResult:
    """What came of it, in the virtual world.

    Attributes:
        design: its name.
        min_run_us, back_off_us, room: with which.
        moves: how often memory was brought back: of all that is bound at once, or of a page at a fault.
        done_us, wanted_us: how much work was done by then, and was there to do.
        ended_us: when it was all done; None when it was given up.
    """

    design: str
    min_run_us: float
    back_off_us: float
    room: bool
    moves: int
    done_us: float
    wanted_us: float
    ended_us: float | None

    @property
    def bare(self) -> bool:
        """Whether memory was short, and nothing was done about that."""
        return not (self.room or self.min_run_us or self.back_off_us)

    def as_json(self) -> dict[str, Any]:
        """Return the facts for a JSON file."""
        return {name: getattr(self, name) for name in self.__slots__}


class Patience:
    """Counts how often memory was brought back, in all address spaces of a device.

    Attributes:
        left: how often it still may be.
        design: the device.
        done_ns: how much work was done when patience was over; None while it is not.
    """

    def __init__(self, rounds: int) -> None:
        self.left = rounds
        self.design: Design | None = None
        self.done_ns: int | None = None

    def rebinder(self) -> type[Rebinder]:
        """Return a class of rebinders that end it all once patience is over."""
        patience = self

        class Patient(Rebinder):
            def prepare(self) -> list[Member]:
                patience.left -= 1
                if patience.left >= 0:
                    return super().prepare()
                assert patience.design is not None
                if patience.done_ns is None:
                    patience.done_ns = patience.design.busy_ns()
                self.vm.ban(-errno.ECANCELED)
                return []

        return Patient


def thrash(design_class: type[Design], what: Thrash) -> ThrashResult:
    """Have two works take the memory from each other, until they are complete or patience is over.

    Raises BadInput for work or rounds below 1.
    """
    for name, number in (("work_us", what.work_us), ("rounds", what.rounds)):
        if number < 1:
            raise BadInput(name, str(number), "1 or more")
    settings = Settings(
        engines=2,
        vram_pages=2 * EACH_PAGES if what.room else SHORT_PAGES,
        min_run_s=what.min_run_us / 1e6,
        back_off_s=what.back_off_us / 1e6,
    )
    patience = Patience(what.rounds)
    with Runtime(world="virtual", log_leftovers=False) as runtime:
        design = design_class(runtime, settings)
        if isinstance(design, PreemptingDesign):
            design.rebinder = patience.rebinder()
        patience.design = design
        for work in [start(design, name, what.work_us) for name in ("J1", "J2")]:
            await_end(work)
        ended_us = runtime.world.now_ns() / 1000
        done_ns = design.busy_ns() if patience.done_ns is None else patience.done_ns
        moves = moves_of(design)
        if isinstance(design, PreemptingDesign):
            design.close()
        # What was killed, or is on its way off the hardware, has yet to say so.
        runtime.world.sleep(SETTLE_S)
        return ThrashResult(
            design=design.name,
            min_run_us=what.min_run_us,
            back_off_us=what.back_off_us,
            room=what.room,
            moves=moves,
            done_us=done_ns / 1000,
            wanted_us=2 * what.work_us,
            ended_us=ended_us if patience.done_ns is None else None,
        )


def await_end(work: Work) -> None:
    """Wait until work is complete, or was killed."""
    try:
        work.wait()
    except OSError as gone:
        if gone.errno != errno.EIO:
            raise


def start(design: Design, name: str, work_us: float) -> Work:
    """Start work that touches all of its memory, page by page, again and again."""
    vm = design.address_space(f"vm of {name}")
    at = [design.bind(design.buffer(f"page {number} of {name}"), vm) for number in range(EACH_PAGES)]
    touches = [(float(after_us), at[after_us % EACH_PAGES]) for after_us in range(int(work_us))]
    return design.start(name, work_us, touches, vm)


def moves_of(design: Design) -> int:
    """Return how often memory was brought back."""
    if isinstance(design, PreemptingDesign):
        compute_vms: list[ComputeVm] = list(design.vms.values())
        return sum(each.rebinder.rebinds for each in compute_vms)
    assert isinstance(design, FaultingQueues)
    return design.handler.handled
