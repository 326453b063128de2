"""A completion that the firmware held back until a job that waited for it had run.

The firmwares of the product hold nothing back; the model is the one word of memory that this one went by.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.fences import Fence
from fencepost.sync import Mailbox, current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Counter

__all__ = ["BUG"]


class Notifier:
    """Tells the driver of completions when as many have come as it was told to expect."""

    def __init__(self) -> None:
        self._expected = Counter("threshold", 0)
        self._complete = Counter("notifications", 0)

    def submitted(self) -> None:
        """Prepare for a job that may run some day."""

    def runs(self) -> None:
        """Prepare for a job that the firmware is given now."""
        self.expect_one_more()

    def complete(self, fences: list[Fence]) -> None:
        """Count a completion; signal those of `fences` that may be signalled."""
        if self._complete.add(1) >= self._expected.load():
            for fence in fences:
                fence.signal()

    def expect_one_more(self) -> None:
        """Raise the threshold."""
        self._expected.add(1)


class NotifierAsItWas(Notifier):
    """Expects what has only been submitted."""

    def submitted(self) -> None:
        self.expect_one_more()

    def runs(self) -> None:
        """Is prepared."""


def model(notifier: Notifier, runtime: Runtime) -> None:
    """Submit two jobs, the second of which waits for the fence of the first."""
    submitted: Mailbox[Fence] = current().mailbox("submitted")
    fences = [Fence(name="first"), Fence(name="second")]

    def work() -> None:
        dependency: Fence | None = None
        for number in range(len(fences)):
            fence = submitted.get()
            if dependency is not None:
                dependency.wait()
            dependency = fence
            notifier.runs()
            notifier.complete(fences[: number + 1])

    runtime.spawn(work, "scheduler")
    for fence in fences:
        notifier.submitted()
        submitted.put(fence)
    fences[-1].wait()


BUG = Bug(
    name="notifier-raised-at-submit",
    title=None,
    fix="a comment in the asahi driver; commit and date not known",
    symptom="a queue stops for ever; by luck it does not, while the scheduler drops dependencies on its own queue",
    interleaving="the first job runs; the second is submitted, so the firmware expects two completions; the first"
    " completes, and is not told of; the scheduler keeps the second back until it is",
    repair="raise the notifier's threshold when a job runs",
    broken=lambda runtime: model(NotifierAsItWas(), runtime),
    fixed=lambda runtime: model(Notifier(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
