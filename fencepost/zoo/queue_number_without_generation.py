"""A reply about a queue that was gone, which was taken for one about the next queue of that number."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.hw.guc import Guc, GucQueue
from fencepost.hw.guc.messages import DeregisterDone, FromFirmware
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


def model(guc: Guc, runtime: Runtime) -> None:
    """Reset a device when the firmware has forgotten a queue, and have another queue under its number."""
    late: list[FromFirmware] = []

    def keep(message: FromFirmware) -> bool:
        if isinstance(message, DeregisterDone):
            late.append(message)
        return bool(late)

    def use() -> GucQueue:
        queue = guc.queue(runtime, "rcs0")
        queue.entity.submit(0).finished.wait()
        queue.close()
        return queue

    guc.faults.drop(keep)
    first = use()
    runtime.world.sleep(1)
    guc.reset("a test", blame=False)
    first.gone.wait()
    runtime.spawn(lambda: guc.replies.post(late[0]), "late word")
    second = use()
    second.gone.wait()
    with guc.hardware as contexts:
        assert second.context.number not in contexts.contexts, "a queue is freed, and the firmware still has its ring"


BUG = Bug(
    name="queue-number-without-generation",
    title=None,
    fix="none known: a hazard of the xe driver's design, written down by this project",
    symptom="the firmware uses the memory of a queue that is gone",
    interleaving="the firmware has forgotten a queue, and its word of that is late; a reset frees the queue, and another"
    " one gets its number, which in turn is to be forgotten; the word comes, and that one is freed at once",
    repair="number the registrations, and ignore what is about another one",
    broken=lambda runtime: model(Guc({"rcs": 1}, generations=False), runtime),
    fixed=lambda runtime: model(Guc({"rcs": 1}), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
