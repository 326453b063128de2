"""Each way to deadlock happens on real threads, is named by who watches, and ends by what a reset does."""

from __future__ import annotations

import pytest

from fencepost.actors import Runtime
from fencepost.checks.observers import Observers
from fencepost.checks.waits import Stall
from fencepost.sync import Gate, Task, current
from fencepost.sync.observed import ObservedWorld
from tests.hw.memory.scenes import SCENES

CIRCLES = {
    "T6-1": "fence J:1 => job J:1 => fault at 0x10000 => H => reclaim => fence J:1",
    "T6-2": "fence J:1 => job J:1 => fault at 0x10000 => H => MmapLock process => T => fence J:1",
    "T6-3": "fence J:1 => job J:1 => fault at 0x10000 => H => Reservation X => T => fence J:1",
    "T6-4": "fence K:1 => job K:1 => engine rcs0 => job L:1 => fault at 0x10000 => H => reclaim => fence K:1",
    "T6-6": "fence 1:1 => W => reclaim => fence 1:1",
    "T6-7": "fence P:1 => P => VmLock vm => R => fence P:1",
    "T6-8": "fence W:1 => W => fence W:1",
}
NO_CIRCLE = "T6-5"
"""A user fence: nobody can know who will write it, so all that shows is that nothing moves."""

LOOK_S = 0.05
PATIENCE_S = 30.0


def until_waiting(task: Task) -> None:
    while task.waiting_on is None:
        current().sleep(1e-4)


@pytest.mark.parametrize("name", SCENES)
def test_it_happens_is_named_and_ends(name: str) -> None:
    observers = Observers(stall_limit_s=LOOK_S)
    world = ObservedWorld(observers)
    stalls: list[Stall] = []
    with Runtime(world, log_leftovers=False) as runtime:
        stalled = Gate("the report")

        def report(stall: Stall) -> None:
            # K may not have got to its ring at first: then it is the engine that F_K waits for.
            if stall.circle == CIRCLES.get(name, ""):
                stalls.append(stall)
                stalled.open()

        observers.on_stall = report
        scene = SCENES[name](runtime, until_waiting)
        # Without a time-out, where nothing may move if that is to be seen.
        assert stalled.wait(None if name == NO_CIRCLE else PATIENCE_S), observers.stalls
        scene.break_it()
    assert runtime.leftovers.tasks == ()
    assert stalls
