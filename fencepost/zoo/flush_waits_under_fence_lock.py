"""A flush that waited for the submission of what it had handed over, and held a lock meanwhile.

The product waits for nothing under its locks; the model is a program's half of a driver, with a thread that submits.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import Gate, Mailbox, current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class Winsys:
    """Hands work to a thread that submits it.

    `_fence_lock` protects the fences of buffers, `_cache_lock` the cache of buffers. Order: cache, then fence.
    """

    def __init__(self) -> None:
        self._fence_lock = current().lock()
        self._cache_lock = current().lock()
        self._work: Mailbox[Gate] = current().mailbox("submissions")

    def flush(self) -> None:
        """Submit what there is, after what was submitted before."""
        submitted = Gate("submission")
        with self._fence_lock:
            self._work.put(submitted)
            self.order_behind(submitted)

    def order_behind(self, submitted: Gate) -> None:
        """Have what comes next executed behind a submission: by its fence, which is handed on."""

    def submit(self) -> None:
        """Submit one piece of work; its buffers come from the cache. By the thread that submits."""
        submitted = self._work.get()
        with self._cache_lock:
            submitted.open()

    def reuse(self) -> None:
        """Take an idle buffer out of the cache."""
        with self._cache_lock, self._fence_lock:
            """Look at its fences."""


class WinsysAsItWas(Winsys):
    """Waits until the fence is there."""

    def order_behind(self, submitted: Gate) -> None:
        submitted.wait()


def model(winsys: Winsys, runtime: Runtime) -> None:
    """Flush while another thread makes a buffer."""
    runtime.spawn(winsys.submit, "submission thread")
    runtime.spawn(winsys.reuse, "another context")
    runtime.spawn(winsys.flush, "context")


BUG = Bug(
    name="flush-waits-under-fence-lock",
    title=None,
    fix="58af1f6bb074 (Mesa, winsys), date and title not known",
    symptom="a program hangs in a flush",
    interleaving="a flush holds the lock of the fences and waits for the thread that submits; another thread has the"
    " lock of the cache and wants that of the fences; the thread that submits wants the lock of the cache",
    repair="do not wait for the submission: hand its fence on",
    broken=lambda runtime: model(WinsysAsItWas(), runtime),
    fixed=lambda runtime: model(Winsys(), runtime),
    finds=frozenset({Kind.DEADLOCK}),
)
