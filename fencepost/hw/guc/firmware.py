"""The firmware: takes what the driver asks for, and says what has become of it."""

from __future__ import annotations

from typing import ClassVar

from fencepost.actors import Actor
from fencepost.actors.dispatch import Dispatch
from fencepost.hw.guc.channel import Channel, Request
from fencepost.hw.guc.contexts import Contexts
from fencepost.hw.guc.faults import Faults
from fencepost.hw.guc.hardware import Hardware
from fencepost.hw.guc.messages import (
    Deregister,
    FromFirmware,
    Register,
    ScheduleContext,
    ScheduleDisable,
    ScheduleEnable,
    TlbDone,
    TlbInvalidate,
    ToFirmware,
    UpdatePolicies,
)
from fencepost.hw.guc.replies import Replies
from fencepost.hw.guc.seat import Context

__all__ = ["Firmware"]


class Firmware(Actor):
    """Carries out requests in their order. What it decides in hardware time is in `Contexts`.

    It does not trust the driver: a request that must not come is noted and does nothing. Dead, it takes nothing out of
    its ring, and says nothing.

    Attributes:
        violations: what the driver asked for and must not have, in words.
    """

    def __init__(self, dispatch: Dispatch, name: str, faults: Faults, replies: Replies) -> None:
        super().__init__(dispatch, name)
        self.violations: list[str] = []
        self._faults = faults
        self._replies = replies
        self._hardware: Hardware
        self._channel: Channel

    def attach(self, hardware: Hardware, channel: Channel) -> None:
        """Get to know both sides of it, before the first message. By the device."""
        self._hardware = hardware
        self._channel = channel

    # To the host.

    def say(self, message: FromFirmware) -> None:
        """Tell the host something, unless it is dead. Never blocks; any context."""
        if self._faults.alive():
            self._faults.pass_on(message, self._replies.post)

    # From the host.

    def on_request(self, request: Request) -> None:
        """Carry out a request; one that was sent before a reset is lost."""
        if not self._faults.alive():
            return
        self._channel.taken(request.epoch)
        with self._hardware as contexts:
            # Under this lock: a reset changes the epoch before it clears the contexts.
            if request.epoch == self._channel.epoch:
                self._carry_out(contexts, request.message)

    messages: ClassVar = {Request: on_request}

    def _carry_out(self, contexts: Contexts, message: ToFirmware) -> None:
        if isinstance(message, TlbInvalidate):
            contexts.notices.append(TlbDone(message.seqno))
            return
        known = contexts.contexts.get(message.context.number)
        if isinstance(message, Register):
            if known is not None:
                self._object(message, "the number is in use")
            else:
                contexts.register(message.context, message.engines, message.ring)
        elif known is None or known.id != message.context:
            self._object(message, "no such context")
        else:
            self._change(contexts, known, message)

    def _change(self, contexts: Contexts, context: Context, message: ToFirmware) -> None:
        match message:
            case UpdatePolicies(policies=policies):
                contexts.set_policies(context, policies)
            case ScheduleEnable():
                if context.enabled or context.disabling:
                    self._object(message, "it is enabled, or being disabled")
                contexts.enable(context)
            case ScheduleDisable():
                if context.disabling:
                    self._object(message, "it is being disabled")
                contexts.disable(context)
            case ScheduleContext():
                contexts.kick(context)
            case Deregister():
                if context.enabled or context.disabling:
                    self._object(message, "it is not disabled")
                contexts.deregister(context)
            case _:
                self._object(message, "nobody knows what that is")

    def _object(self, message: ToFirmware, why: str) -> None:
        self.violations.append(f"{message}: {why}")
        self.log.error("request refused", message=str(message), why=why)
