"""Who sees to it that work runs only while all its memory is there: it leaves when others want the memory, and returns.

Work that the GPU takes from queues of user space may touch anything at any time, so all that is bound must be valid
while it runs. Two of these that do not fit in together take the memory from each other in turn. So each runs for a
while before it leaves, and waits for a while before it takes the memory back: without that they could be busy with
moving for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import ClassVar, Protocol

from fencepost.actors.dispatch import Dispatch
from fencepost.errors import BadInput
from fencepost.fences.preempt_fence import PreemptFence
from fencepost.fences.preemption import Preemption
from fencepost.fences.reservation import Reservation
from fencepost.fences.usage import Usage
from fencepost.hw.memory.blocking_actor import BlockingActor
from fencepost.hw.memory.vm import Vm
from fencepost.sync import NS_PER_S, current
from fencepost.sync.observer import signalling

__all__ = ["Queues", "Residency"]


class Queues(Protocol):
    """The work of an address space, as its `Residency` sees it. Called by that one's actor."""

    def resume(self) -> None:
        """Let it run. Never blocks, takes no memory."""
        ...

    def suspend(self) -> None:
        """Take it off the hardware; it is off when this returns. In a signalling section."""
        ...


@dataclass(frozen=True, slots=True)
class Leave:
    """Preemption -> residency: somebody wants the memory."""


@dataclass(frozen=True, slots=True)
class Restore:
    """Residency, client -> residency: take the memory, and run."""


@dataclass(frozen=True, slots=True)
class End:
    """Client -> residency: the work is complete, or gone."""


LEAVE, RESTORE, END = Leave(), Restore(), End()


class Residency(BlockingActor):
    """Takes the work of an address space off the hardware when somebody wants its memory, and brings both back.

    Life cycle: *away* -> *running* (`begin`) -> *away*, once its fence was waited for and it had its time -> *running*
    again, after the back-off ... -> *over* (`finish`). It blocks where it brings memory back, for locks and fences.

        rt.start(Residency, vm, queues, min_run_s=0.01, back_off_s=0.002, name="compute")

    Args:
        vm: the address space, with all that the work may touch bound and not populated.
        queues: the work.
        min_run_s: how long it runs at least before it leaves. Whoever wants the memory waits so long, too.
        back_off_s: how long it stays away at least.

    Attributes:
        runs: how often it was brought back.
        resumed_ns: when it was last.

    Raises:
        BadInput: for a negative time.
        WrongState: in a work queue.
    """

    def __init__(
        self,
        dispatch: Dispatch,
        name: str,
        vm: Vm,
        queues: Queues,
        *,
        min_run_s: float = 0.01,
        back_off_s: float = 0.002,
    ) -> None:
        super().__init__(dispatch, name)
        for where, time_s in (("min_run_s", min_run_s), ("back_off_s", back_off_s)):
            if not time_s >= 0:
                raise BadInput(where, str(time_s), "0 or more seconds")
        self._vm = vm
        self._queues = queues
        self._min_run_ns = round(min_run_s * NS_PER_S)
        self._back_off_ns = round(back_off_s * NS_PER_S)
        self._preemption: Preemption | None = None
        # What promises the next preemption, made and not published yet.
        self._fence: AbstractContextManager[PreemptFence] | None = None
        self._running = self._over = False
        self.resumed_ns = 0
        self.runs = 0

    def begin(self) -> None:
        """Have the work run. Never blocks; any context."""
        self.post(RESTORE)

    def finish(self) -> None:
        """Have it run no more. Never blocks; any context; idempotent."""
        self.post(END)

    def on_leave(self, _message: Leave) -> None:
        """Take the work off the hardware, or come back for that when it has had its time."""
        if not self._running:
            return
        stay_ns = self.stay_until_ns()
        if current().now_ns() < stay_ns:
            current().timers.call_at(stay_ns, lambda: self.post(LEAVE))
            return
        self._suspend()
        current().timers.call_at(self.away_until_ns(), self.begin)

    def on_restore(self, _message: Restore) -> None:
        """Bring the memory back, and let the work run; come back for that later, where there is no room. Blocks."""
        if self._running or self._over:
            return
        try:
            with self._vm.lock.write():
                self._restore()
        except OSError as refused:
            self.log.warning("not restored", why=str(refused))
            current().timers.call_at(self.away_until_ns(), self.begin)

    def on_end(self, _message: End) -> None:
        """Take the work off for good."""
        self._over = True
        if self._running:
            self._suspend()

    messages: ClassVar = {Leave: on_leave, Restore: on_restore, End: on_end}

    def stay_until_ns(self) -> int:
        """Return until when it does not leave."""
        return self.resumed_ns + self._min_run_ns

    def away_until_ns(self) -> int:
        """Return until when it stays away that leaves now."""
        return current().now_ns() + self._back_off_ns

    def _restore(self) -> None:
        """Bring all memory back, publish the next fence, and resume. The lock of the address space is held; blocks."""
        fence = self._fence = self._fence or self._new_fence()
        reservations = self._vm.reservations()
        while not self._running:
            with self._vm.rebound():
                for reservation in reservations:
                    reservation.reserve()
                # From here on nothing may fail, wait or take memory: others may wait for the fence.
                with signalling():
                    if self._vm.unless_changed(lambda: publish(fence, reservations)):
                        self._resume()

    def _new_fence(self) -> AbstractContextManager[PreemptFence]:
        if self._preemption is None:
            self._preemption = Preemption(lambda: self.post(LEAVE), name=self.name)
            return nullcontext(self._preemption.fence)
        self._preemption.rebind()
        return self._preemption.resuming()

    def _resume(self) -> None:
        self._fence = None
        self._running = True
        self.runs += 1
        self.resumed_ns = current().now_ns()
        self._queues.resume()

    def _suspend(self) -> None:
        assert self._preemption is not None
        self._running = False
        with signalling():
            self._queues.suspend()
            if self._over:
                self._preemption.lose()
            else:
                self._preemption.suspended()


def publish(fence: AbstractContextManager[PreemptFence], reservations: Iterable[Reservation]) -> None:
    """Put the fence of the next preemption where those will find it who want the memory."""
    with fence as armed:
        for reservation in reservations:
            reservation.add(armed, Usage.BOOKKEEP)
