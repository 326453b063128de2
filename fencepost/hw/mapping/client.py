"""A client: makes system calls, is sent signals, and makes a call again that a signal broke off."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import replace

from fencepost.fences import Fence, FenceArray, Interrupt, WwLock
from fencepost.fences.interruptible import wait_interruptibly
from fencepost.hw.mapping.arguments import Arguments
from fencepost.hw.mapping.sdma import Update
from fencepost.sync import current, deadline_ns
from fencepost.sync.tracking import published

__all__ = ["Call", "Client"]

Call = Callable[["Client", Arguments], None]
"""A system call, inside of the kernel: works on its copy of the arguments, and raises OSError when it fails."""


@published("_killed")
class Client:
    """A thread that makes calls, one at a time, as far as the kernel knows it.

    Life cycle: *alive* -> *killed*. A signal breaks off the call that waits at the time; then it is handled, and the
    call made again, with what its arguments say by then (ERESTARTSYS). One that comes between two calls is met by the
    second. A kill breaks it off for good.

    Args:
        name: what reports call it.
        pending: whether a signal that comes while a call does not sleep ends its next sleep, as in a kernel. If not, it
            is taken for handled on the spot: only who sleeps is interrupted.
        on_signal: what handling a signal does; may change the arguments, which it is given.

    Attributes:
        syscalls: how many calls it made.
        restarts: how many of them were made again, each time counted.
        told: the n_success that the call it made last was given, and the one it gave back, each time.
    """

    def __init__(
        self,
        name: str = "client",
        *,
        pending: bool = True,
        on_signal: Callable[[Arguments], object] | None = None,
    ) -> None:
        self.name = name
        self.interrupt = Interrupt(f"a signal to {name}")
        self.syscalls = self.restarts = 0
        self.told: list[tuple[int, int]] = []
        self._pending = pending
        self._on_signal = on_signal
        self._killed = False

    # From outside. Any context.

    def signal(self) -> None:
        """Send it a signal that it handles."""
        self.interrupt.send()

    def kill(self) -> None:
        """Send it one that ends it."""
        self._killed = True
        self.interrupt.send()

    # Its own side. Client context.

    def call(self, call: Call, arguments: Arguments) -> None:
        """Make a call, again and again until no signal breaks it off.

        Raises:
            OSError: what the call raises; EINTR when the client was killed; EFAULT when the arguments could not be
                copied back, whatever the call did.
        """
        self.syscalls += 1
        self.told = []
        while True:
            inside = replace(arguments)
            try:
                call(self, inside)
            except OSError as error:
                self._copy_back(inside, arguments)
                if error.errno != errno.EINTR or self._killed:
                    raise
            else:
                self._copy_back(inside, arguments)
                self._handle_signals(arguments)
                return
            self._handle_signals(arguments)
            self.restarts += 1

    def _copy_back(self, inside: Arguments, arguments: Arguments) -> None:
        given = arguments.n_success
        arguments.copy_back(inside)
        self.told.append((given, inside.n_success))

    def _handle_signals(self, arguments: Arguments) -> None:
        """On the way back from the kernel."""
        if self.interrupt.pending:
            self.interrupt.clear()
            if self._on_signal is not None:
                self._on_signal(arguments)

    # For calls.

    def check(self) -> None:
        """Raise OSError EINTR when there is a signal."""
        if self.interrupt.pending or self._killed:
            raise OSError(errno.EINTR, f"{self.interrupt!r} came before {self.name} went on")

    def begin_wait(self) -> None:
        """Note that it is about to sleep. Raises OSError EINTR when it was killed."""
        if not self._pending:
            self.interrupt.clear()
            if self._killed:
                self.check()

    def wait(self, fence: Fence, timeout_s: float | None = None) -> None:
        """Block until a fence has signalled.

        Raises OSError: EINTR when a signal came first, ETIME when the time was up first.
        """
        when_ns = deadline_ns(timeout_s)
        if not wait_interruptibly(fence, when_ns, self.interrupt):
            raise OSError(errno.ETIME, f"{fence!r} did not signal within {timeout_s} s")

    def wait_for(self, updates: Iterable[Update]) -> None:
        """Block until updates are over; raise what the first failed with that failed, or as `wait`."""
        fences = [update.fence for update in updates]
        for fence in fences:
            self.wait(fence)
        check_fences(fences)

    def wait_any(self, updates: Iterable[Update]) -> None:
        """Block until one of several updates is over. Raises as `wait`, not what it failed with."""
        self.wait(FenceArray((update.fence for update in updates), signal_on_any=True))

    def lock(self, mutex: WwLock) -> None:
        """Block until it holds a mutex. Raises OSError EINTR when a signal came first."""
        mutex.lock(interrupt=self.interrupt)

    def work(self, duration_ns: int) -> None:
        """Be busy in the kernel for so long: no signal ends that."""
        if duration_ns:
            current().sleep_until(current().now_ns() + duration_ns)

    def __repr__(self) -> str:
        return f"<client {self.name}>"


def check_fences(fences: Iterable[Fence]) -> None:
    """Raise OSError with the error of the first that has one."""
    for fence in fences:
        if fence.error:
            raise OSError(-fence.error, f"{fence!r}: the page table was not written")
