"""A reply about a queue that was gone, which was taken for one about the next queue of that number."""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.hw.guc import Guc, GucQueue
from fencepost.hw.guc.messages import DeregisterDone
from fencepost.sync import NS_PER_S
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]

FORGETTING_S: Final = 1.0


def model(guc: Guc, runtime: Runtime) -> None:
    """Reset a device while its firmware forgets a queue, which takes long, and have another under the same number."""
    guc.faults.delay(lambda message: isinstance(message, DeregisterDone), FORGETTING_S, count=2)
    close_one(guc, runtime)
    runtime.world.sleep(FORGETTING_S / 4)
    guc.reset("a test", blame=False)
    runtime.world.sleep(FORGETTING_S / 4)
    began_ns = runtime.world.now_ns()
    close_one(guc, runtime).gone.wait()
    took_s = (runtime.world.now_ns() - began_ns) / NS_PER_S
    assert took_s >= FORGETTING_S, "a queue is freed before the firmware has forgotten it"


def close_one(guc: Guc, runtime: Runtime) -> GucQueue:
    """Make a queue, use it, and close it."""
    queue = guc.queue(runtime, "rcs0")
    queue.entity.submit(0).finished.wait()
    queue.close()
    return queue


BUG = Bug(
    name="queue-number-without-generation",
    title=None,
    fix="none known: a hazard of the xe driver's design, written down by this project",
    symptom="the firmware uses the memory of a queue that is gone",
    interleaving="the firmware has forgotten a queue, and its word of that is late; a reset frees the queue, another"
    " one gets its number, and is to be forgotten in its turn; the word comes, and that one is freed at once",
    repair="number the registrations, and ignore what is about another one",
    broken=lambda runtime: model(Guc({"rcs": 1}, generations=False), runtime),
    fixed=lambda runtime: model(Guc({"rcs": 1}), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
