"""What the driver has agreed on with the firmware about one queue: requests out, replies in."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from fencepost.hw.guc.emission import Emission
from fencepost.hw.guc.messages import (
    ContextId,
    Deregister,
    Policies,
    Register,
    ScheduleContext,
    ScheduleDisable,
    ScheduleEnable,
    UpdatePolicies,
)
from fencepost.hw.guc.queue_state import NOTHING, PENDING, Bit

if TYPE_CHECKING:
    from fencepost.hw.guc.queue import GucQueue

__all__ = ["DriverContext"]

AT_ONCE_US: Final = 1
"""The patience with a context that is to be taken off its engine now."""


class DriverContext:
    """The context of a queue in the firmware, as the driver sees it.

    Life cycle: *unknown* -> `register` -> *disabled* <-> *enabled* -> `deregister` -> *unknown*; a reset of the device
    makes it *unknown* again. The state tells which, and what is under way.

    Requests come from the queue's own scheduler, or from a recovery that has that stopped. Replies come from elsewhere,
    at any moment.

    Attributes:
        number: what the firmware calls it.
        ring: its batches in memory. Under the lock of the hardware.
        policies: how it is scheduled.
    """

    def __init__(self, queue: GucQueue, number: int, engines: tuple[str, ...], policies: Policies) -> None:
        self.number = number
        self.engines = engines
        self.policies = policies
        self.ring: deque[Emission] = deque()
        self._queue = queue
        self._guc = queue.guc
        self._state = queue.state
        self._id = ContextId(number, 0)

    @property
    def id(self) -> ContextId:
        """Its number, and the last registration of it."""
        return self._id

    # Requests.

    def register(self) -> None:
        """Make it known to the firmware, and say how it is scheduled."""
        self._id = ContextId(self.number, self._guc.new_generation())
        self._state.register(self._id.generation)
        self._guc.send(Register(self._id, self.engines, self.ring))
        self.send_policies()

    def send_policies(self) -> None:
        """Say how it is scheduled."""
        self._guc.send(UpdatePolicies(self._id, self.policies))

    def enable(self, reason: Bit = NOTHING) -> None:
        """Have it run. `reason` is set until the firmware has answered."""
        self._state.change(set_=Bit.ENABLED | Bit.PENDING_ENABLE | reason)
        self._guc.send(ScheduleEnable(self._id))

    def kick(self) -> None:
        """Say that there is more in its ring."""
        self._guc.send(ScheduleContext(self._id))

    def disable(self, *, at_once: bool = False) -> None:
        """Have it taken off its engine, patiently or not."""
        if at_once:
            policies = self.policies
            now = Policies(policies.priority, policies.quantum_us, AT_ONCE_US)
            self._guc.send(UpdatePolicies(self._id, now))
        self._state.change(set_=Bit.PENDING_DISABLE, clear=Bit.ENABLED)
        self._guc.send(ScheduleDisable(self._id))

    def disable_and_deregister(self) -> None:
        """Have it taken off its engine, and then forgotten, for good."""
        self._state.change(set_=Bit.PENDING_DISABLE | Bit.DESTROYED, clear=Bit.ENABLED)
        self._guc.send(ScheduleDisable(self._id, deregister_next=True))

    def deregister(self) -> None:
        """Have it forgotten, for good; it is disabled."""
        self._state.change(set_=Bit.DESTROYED)
        self._guc.send(Deregister(self._id))

    # Replies, to the registration of that generation. Each answers whether it was expected.

    def on_schedule_done(self, generation: int | None, *, enabled: bool) -> bool:
        """Note that it was enabled or disabled."""
        return self._on_enabled(generation) if enabled else self._on_disabled(generation)

    def _on_enabled(self, generation: int | None) -> bool:
        answered = Bit.PENDING_ENABLE | Bit.PENDING_RESUME | Bit.PENDING_TDR_EXIT
        before = self._state.answer(Bit.PENDING_ENABLE, generation, clear=answered)
        self._wake()
        return before is not None

    def _on_disabled(self, generation: int | None) -> bool:
        # If a reset comes in between there is nothing to deregister any more.
        epoch, context = self._guc.channel.epoch, self._id
        before = self._clear_pending_disable(generation)
        if before is None:
            return False
        if before & Bit.PENDING_SUSPEND and before & Bit.SUSPENDED:
            self._queue.suspension.finish()
        if before & Bit.DESTROYED and not before & Bit.CHECK_TIMEOUT:
            self._guc.send(Deregister(context, reserved=True), epoch)
        return True

    def _clear_pending_disable(self, generation: int | None) -> Bit | None:
        """Note that nothing is pending, and return what was set until then, None if that was not expected.

        Not what is set afterwards: somebody who waited for this may have begun to destroy the queue by then, and it
        would be taken for the answer to that.
        """
        before = self._state.answer(Bit.PENDING_DISABLE, generation, clear=Bit.PENDING_DISABLE)
        self._wake()
        return before

    def _wake(self) -> None:
        """Let those look who wait for a change, after it: who looked before it would sleep on."""
        self._state.changed.wake_all()

    def on_deregister_done(self, generation: int | None) -> bool:
        """Note that the firmware has forgotten it."""
        if self._state.has(PENDING | Bit.ENABLED):
            return False
        # Who clears REGISTERED, this or a reset, drops what was held for the firmware.
        before = self._state.answer(Bit.DESTROYED | Bit.REGISTERED, generation, clear=Bit.REGISTERED)
        if before is not None:
            self._queue.let_go()
        return before is not None

    def on_reset(self, generation: int | None) -> bool:
        """Note that it runs no more, and have the queue recover now, unless a recovery has it already."""
        before = self._state.answer(Bit.REGISTERED, generation, set_=Bit.RESET)
        if before is None:
            return False
        self._wake()
        if not before & (Bit.BANNED | Bit.CHECK_TIMEOUT):
            self._queue.trigger_cleanup()
        return True

    def __repr__(self) -> str:
        return f"<context {self.number}, {self._state!r}>"
