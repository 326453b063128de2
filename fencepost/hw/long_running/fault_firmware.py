"""The firmware that runs work which can fault: it takes contexts off engines, and passes faults on and answers back."""

from __future__ import annotations

import errno
from typing import ClassVar, Final

from fencepost.actors import Actor
from fencepost.actors.dispatch import Dispatch
from fencepost.errors import BadInput
from fencepost.fences import Fence
from fencepost.hw.long_running.context import SAVED, Context, Piece
from fencepost.hw.long_running.fault_messages import Drop, Ended, Fault, Kill, Overdue, Reply, Resume, Run, Suspend
from fencepost.hw.long_running.relayed_fault import RelayedFault
from fencepost.sync import NS_PER_S, current

__all__ = ["FaultFirmware"]

PREEMPT_TIMEOUT_S: Final = 0.64


class FaultFirmware(Actor):
    """Runs contexts, and suspends them for any number of holders. Never blocks.

    `rt.start(FaultFirmware, name="firmware")`.

    A context that cannot be saved at a fault leaves when that is answered. If that takes too long its engine is reset:
    the context is dead, its jobs end with -EIO, and nobody waits for its faults. Those that still come are refused, and
    what a handler says of one that it had in hand is dropped.

    Args:
        preempt_timeout_s: how long a context may take to leave.

    Attributes:
        faults, nacks, dropped: how many were passed on; how many refused for a dead context, or answers dropped.
        resets: how many contexts would not leave.

    Raises:
        BadInput: for a negative time-out.
    """

    def __init__(self, dispatch: Dispatch, name: str, preempt_timeout_s: float = PREEMPT_TIMEOUT_S) -> None:
        super().__init__(dispatch, name)
        if not preempt_timeout_s >= 0:
            raise BadInput("preempt_timeout_s", str(preempt_timeout_s), "0 or more seconds")
        self._preempt_timeout_ns = round(preempt_timeout_s * NS_PER_S)
        self.faults = self.nacks = self.dropped = self.resets = 0

    # Contexts.

    def on_run(self, message: Run) -> None:
        """Take a piece, and put it on the engine unless somebody holds its context."""
        context, piece = message.context, message.piece
        if context.dead:
            piece.fence.signal(-errno.EIO)
            return
        context.pieces.append(piece)
        if not context.holders:
            self._put_on(context, piece)

    def on_ended(self, message: Ended) -> None:
        """Forget what is complete."""
        if message.piece in message.context.pieces:
            message.context.pieces.remove(message.piece)

    def on_drop(self, message: Drop) -> None:
        """Forget what nobody will ask about any more."""
        message.context.drop(message.piece)

    def on_suspend(self, message: Suspend) -> None:
        """Take a context off now, or as soon as it can leave."""
        context = message.context
        context.holders += 1
        context.leaving.append(message.off)
        if context.holders == 1 and not context.can_leave:
            context.attempt += 1
            overdue = Overdue(context, context.attempt)
            world = current()
            context.timer = world.timers.call_at(world.now_ns() + self._preempt_timeout_ns, lambda: self.post(overdue))
        elif context.timer is None:
            self._remove(context, SAVED)

    def on_resume(self, message: Resume) -> None:
        """Put a context back that nobody holds any more."""
        context = message.context
        context.holders -= 1
        if context.holders:
            return
        # It may be there still, if it could not leave yet: those who wanted that have changed their minds.
        self._tell(context)
        for piece in tuple(context.pieces):
            if not piece.on_engine:
                self._put_on(context, piece)

    def on_overdue(self, message: Overdue) -> None:
        """Reset the engine under a context that would not leave."""
        context = message.context
        if context.timer is not None and message.number == context.attempt:
            self._reset(context)

    def on_kill(self, message: Kill) -> None:
        """Reset the engine under a context that is to run no more."""
        if not message.context.dead:
            self._reset(message.context)

    def _reset(self, context: Context) -> None:
        self.resets += 1
        context.dead = True
        self._remove(context, -errno.EIO)
        for piece in context.pieces:
            # Those that were not on the engine just now.
            piece.fence.signal(-errno.EIO)
        context.pieces.clear()

    def _put_on(self, context: Context, piece: Piece) -> None:
        stay = context.put_on(piece)
        if stay is None:
            context.pieces.remove(piece)
        elif not stay.add_callback(lambda fence: self._off(context, piece, fence)):
            self._off(context, piece, stay)

    def _off(self, context: Context, piece: Piece, stay: Fence) -> None:
        """Pass on how a stay has ended. Irq context, or that of who took it off."""
        execution = piece.execution
        assert execution is not None
        if stay.error != SAVED:
            piece.fence.executed_ns = execution.executed_ns
            piece.fence.signal(stay.error, timestamp_ns=execution.end_ns)
            self.post(Ended(context, piece))

    def _remove(self, context: Context, error: int) -> None:
        context.take_off(error)
        self._tell(context)

    def _tell(self, context: Context) -> None:
        """Tell those who wait until it is off; a reply is up to them."""
        if context.timer is not None:
            context.timer.cancel()
            context.timer = None
        leaving, context.leaving = context.leaving, []
        for off in leaving:
            off.signal()

    # Faults.

    def on_fault(self, message: Fault) -> None:
        """Have a fault dealt with, if anybody waits for that."""
        if message.context.dead or message.fault.dead:
            self.nacks += 1
            message.fault.nack()
            return
        self.faults += 1
        message.serve(
            RelayedFault(message.fault, lambda found: self.post(Reply(message.context, message.fault, found)))
        )

    def on_reply(self, message: Reply) -> None:
        """Let the work go on, or be recovered; and have its context leave if that waited for this."""
        context, fault = message.context, message.fault
        if fault.dead:
            self.dropped += 1
        elif message.found:
            fault.ack()
        else:
            fault.nack()
        if context.timer is not None and context.can_leave:
            self._remove(context, SAVED)

    messages: ClassVar = {
        Run: on_run,
        Drop: on_drop,
        Ended: on_ended,
        Suspend: on_suspend,
        Resume: on_resume,
        Overdue: on_overdue,
        Kill: on_kill,
        Fault: on_fault,
        Reply: on_reply,
    }

    def on_dead_letter(self, message: object) -> None:
        """Let nobody wait for what comes too late: nothing runs any more."""
        match message:
            case Run(piece=piece):
                piece.fence.signal(-errno.ECANCELED)
            case Drop(context=context, piece=piece):
                context.drop(piece)
            case Suspend(off=off):
                off.signal()
            case Fault(fault=fault) | Reply(fault=fault):
                fault.nack()
            case _:
                pass
