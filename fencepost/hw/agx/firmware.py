"""The firmware: it feeds the engines from the work queues, tells how far it is, and halts when something hangs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import ClassVar

from fencepost.actors import Actor
from fencepost.actors.dispatch import Dispatch
from fencepost.events import EventRing
from fencepost.events.kinds import BATCH
from fencepost.hw.agx.command import Command, Kind
from fencepost.hw.agx.event_slots import EventSlot
from fencepost.hw.agx.messages import Died, Halted, HaltRequest, Inject, Kick, Notice, Resume, Tick
from fencepost.hw.agx.misfortune import ChannelError, Death, Hang, IgnoredHalt, LostNotices, PageFault, Step
from fencepost.hw.agx.pipe import Happening, Pipe
from fencepost.hw.agx.result import Result
from fencepost.hw.agx.shared import Halt, PendingStamp, Shared
from fencepost.hw.agx.submission import Submission
from fencepost.hw.agx.work_queue import WorkQueue
from fencepost.hw.statistics import EngineStatistics
from fencepost.sync import Timer, current
from fencepost.sync.tracking import tracked

__all__ = ["Firmware"]

TICK = Tick()


@tracked("_dead", "_halted", "_now_ns", "_timer")
class Firmware(Actor):
    """Runs what the work queues hold, one command an engine.

    A fault or a time-out halts all engines. The driver then marks what is to be skipped and what may run again; at
    `Resume` the other commands that were on the engines are given up, and what stands behind them goes on.

    Hardware time is computed: what happened up to now has happened before a message is dealt with, each thing at its
    time, however late this actor looks.

    Life cycle: *running* <-> *halted* -> *dead* (nothing it could do is done any more).

    `_lock` protects the engines and all fields below it against those who are no firmware: it comes after the
    driver's, and before those of inboxes and timers.

    Args:
        shared: the words of the halt cycle.
        pipes: the engines.
        host: who hears of it: called with a message of the driver's.
        events: where to record what was executed.
    """

    def __init__(
        self,
        dispatch: Dispatch,
        name: str,
        shared: Shared,
        pipes: Mapping[Kind, Pipe],
        *,
        host: Callable[[object], object],
        events: EventRing | None,
    ) -> None:
        super().__init__(dispatch, name)
        world = current()
        self._shared = shared
        self._host = host
        self._record = None if events is None else events.record
        self._world = world
        self._lock = world.lock()
        self._pipes = pipes
        self._now_ns = world.now_ns()
        self._timer: Timer | None = None
        self._halted = self._dead = False
        self._armed: list[Hang | PageFault | ChannelError] = []
        self._death: Death | None = None
        self._halts = self._notices_to_lose = self._halts_to_ignore = 0

    # Messages.

    def on_kick(self, message: Kick) -> None:
        """Note that a work queue has more commands."""
        with self._hardware(message.time_ns) as alive:
            if alive and not self._dies("kick"):
                message.queue.gpu_seen = message.wptr
                self._pipes[message.queue.kind].enter(message.queue)

    def on_tick(self, _message: Tick) -> None:
        """Look at what has happened."""
        with self._hardware():
            pass

    def on_halt_request(self, message: HaltRequest) -> None:
        """Halt if that command still runs; otherwise answer."""
        with self._hardware() as alive:
            if not alive:
                return
            command = message.command
            if command is None or self._halted or self._pipes[command.queue.kind].current is not command:
                self._shared.answers.value += 1
            elif not self._dies("halt"):
                self._halt(Result.TIMEOUT, command)
        self._shared.changed.wake_all()

    def on_resume(self, _message: Resume) -> None:
        """Give up what was on the engines, except what is to run again, and go on."""
        with self._hardware() as alive:
            if not (alive and self._halted) or self._dies("resume"):
                return
            self._halted = False
            self._clear()
            self._serve()
            self._shared.resumes.value += 1
        self._shared.changed.wake_all()

    def on_inject(self, message: Inject) -> None:
        """Have something go wrong."""
        misfortune = message.misfortune
        with self._hardware() as alive:
            if not alive:
                return
            if isinstance(misfortune, Death):
                self._death = misfortune
                self._dies(None)
            elif isinstance(misfortune, LostNotices):
                self._notices_to_lose += misfortune.count
            elif isinstance(misfortune, IgnoredHalt):
                self._halts_to_ignore += 1
            else:
                self._armed.append(misfortune)
                self._afflict_running()

    messages: ClassVar = {
        Kick: on_kick,
        Tick: on_tick,
        HaltRequest: on_halt_request,
        Resume: on_resume,
        Inject: on_inject,
    }

    # For others; any context.

    def overdue(self, submission: Submission, limit_ns: int) -> Command | None:
        """Return a command of a job that has been executed for so long, or None."""
        with self._hardware():
            for pipe in self._pipes.values():
                command, start_ns = pipe.current, pipe.start_ns
                mine = command is not None and command.submission is submission
                if mine and start_ns is not None and self._now_ns - start_ns >= limit_ns:
                    return command
        return None

    def take_off(self, submission: Submission) -> None:
        """Execute nothing more of a job: what runs is given up, unless all is halted; what waits will be skipped."""
        with self._hardware() as alive:
            for command in submission.commands:
                command.skip = True
            for pipe in self._pipes.values():
                running = alive and not self._halted and pipe.current is not None
                if running and pipe.current in submission.commands:
                    self._stand_still(pipe)
                    self._give_up(pipe)

    def power_off(self) -> None:
        """End it: no engine does anything after this."""
        with self._hardware() as alive:
            if alive:
                self._die()

    def statistics(self) -> tuple[dict[str, EngineStatistics], dict[tuple[str, str], int]]:
        """Return what the engines did up to now, and for whom."""
        engines: dict[str, EngineStatistics] = {}
        clients: dict[tuple[str, str], int] = {}
        with self._hardware():
            for pipe in self._pipes.values():
                busy_ns = pipe.busy_ns(self._now_ns)
                engines[pipe.name] = EngineStatistics(sum(busy_ns.values()), pipe.completed)
                clients |= {(client, pipe.name): ns for client, ns in busy_ns.items()}
        return engines, clients

    # Time.

    @contextmanager
    def _hardware(self, time_ns: int | None = None) -> Generator[bool, None, None]:
        """Let pass what has happened, use the engines, and go on; tells whether there is a firmware."""
        with self._lock:
            self._advance(self._world.now_ns() if time_ns is None else time_ns)
            yield not self._dead
            self._serve()
            self._arm()

    def _next(self) -> tuple[int, Happening, Pipe] | None:
        if self._halted or self._dead:
            return None
        due = [(*when, pipe) for pipe in self._pipes.values() if (when := pipe.due()) is not None]
        return min(due, key=lambda each: each[:2], default=None)

    def _advance(self, to_ns: int) -> None:
        """Let everything happen up to a time, in the order of time."""
        while (due := self._next()) is not None and due[0] <= to_ns:
            self._now_ns, what, pipe = due
            if what is Happening.END:
                self._end(pipe)
            else:
                assert pipe.current is not None
                self._stop_the_world(Result.TIMEOUT, pipe.current)
            self._serve()
        self._now_ns = max(self._now_ns, to_ns)

    def _arm(self) -> None:
        """Have the timer fire when the next thing happens."""
        due, timer = self._next(), self._timer
        if timer is not None and timer.armed:
            if due is not None and timer.deadline_ns == due[0]:
                return
            timer.cancel()
        self._timer = None if due is None else self._world.timers.call_at(due[0], lambda: self.post(TICK))

    # What happens; the lock is held.

    def _serve(self) -> None:
        """Give each idle engine something to do."""
        for pipe in self._pipes.values():
            while pipe.current is None and not (self._halted or self._dead):
                queue = pipe.take()
                if queue is None:
                    break
                if queue.head.skip:
                    self._retire(pipe, queue)
                else:
                    self._start(pipe, queue.head)

    def _start(self, pipe: Pipe, command: Command) -> None:
        if not self._dies("start"):
            pipe.begin(command, self._now_ns)
            self._afflict(pipe)

    def _end(self, pipe: Pipe) -> None:
        """Be done with a command that has come to its end."""
        if not self._dies("done"):
            pipe.completed += 1
            self._stand_still(pipe)
            self._give_up(pipe)

    def _clear(self) -> None:
        """Deal with what was on the engines: it is given up, or it runs again.

        The latter may halt all at once. What has not been restarted then was cut off once more.
        """
        for pipe in self._pipes.values():
            if pipe.current is not None and not pipe.current.restart:
                self._give_up(pipe)
        for pipe in self._pipes.values():
            if pipe.current is not None and not self._halted:
                self._start(pipe, pipe.current)

    def _give_up(self, pipe: Pipe) -> None:
        command = pipe.current
        assert command is not None
        pipe.current = None
        self._retire(pipe, command.queue)

    def _retire(self, pipe: Pipe, queue: WorkQueue) -> None:
        """Write the stamp of a command, and tell of it."""
        slot = queue.retire(self._now_ns)
        pipe.enter(queue)
        self._notify(slot)

    def _notify(self, slot: EventSlot) -> None:
        if self._dies("notice"):
            return
        if self._notices_to_lose:
            self._notices_to_lose -= 1
        else:
            self._host(Notice(slot.index))

    def _stand_still(self, pipe: Pipe) -> None:
        """Let an engine stand still."""
        start_ns, command = pipe.stop(self._now_ns), pipe.current
        if command is not None and start_ns is not None and self._record is not None:
            job = command.submission
            self._record((self._now_ns, BATCH, pipe.name, job.client, job.queue, job.seqno, start_ns, self._now_ns))

    def _stop_the_world(
        self, result: Result, command: Command, vm: str | None = None, address: int | None = None
    ) -> None:
        """Halt, and tell the driver, which knows nothing of it."""
        if not self._dies("halt"):
            self._host(Halted(self._halt(result, command, vm, address)))

    def _halt(self, result: Result, command: Command, vm: str | None = None, address: int | None = None) -> Halt:
        """Let everything stand still, and leave word of what was on the hardware."""
        self._halted = True
        self._halts += 1
        for pipe in self._pipes.values():
            self._stand_still(pipe)
        slot = command.queue.slot
        assert slot is not None
        # The registers tell of a fault whose address space it was, and not which command.
        known_slot = None if result is Result.FAULT else slot.index
        halt = self._shared.halt = Halt(self._halts, self._now_ns, result, known_slot, vm, address)
        self._shared.pending = tuple(map(pending_stamp, self._on_hardware()))
        if self._halts_to_ignore:
            self._halts_to_ignore -= 1
        else:
            self._shared.halted.value = 1
        self._shared.changed.wake_all()
        return halt

    def _on_hardware(self) -> list[Command]:
        return [pipe.current for pipe in self._pipes.values() if pipe.current is not None]

    # What goes wrong.

    def _afflict_running(self) -> None:
        for pipe in self._pipes.values():
            if pipe.start_ns is not None:
                self._afflict(pipe)

    def _afflict(self, pipe: Pipe) -> None:
        """Let the running command have the first of the misfortunes that wait for one such."""
        command = pipe.current
        assert command is not None
        vm = command.submission.vm
        misfortune = next((each for each in self._armed if each.vm in (None, vm)), None)
        if misfortune is None or self._halted:
            return
        self._armed.remove(misfortune)
        if isinstance(misfortune, Hang):
            command.left_ns = None
        elif isinstance(misfortune, PageFault):
            self._stop_the_world(Result.FAULT, command, vm if misfortune.vm_known else None, misfortune.address)
        else:
            self._stop_the_world(Result.CHANNEL_ERROR, command)

    def _dies(self, step: Step | None) -> bool:
        """Die if that is due at this step; say whether it is dead."""
        death = self._death
        if death is not None and death.at == step and not self._dead:
            self._die()
            if not death.silent:
                self._host(Died())
        return self._dead

    def _die(self) -> None:
        self._dead = True
        for pipe in self._pipes.values():
            self._stand_still(pipe)


def pending_stamp(command: Command) -> PendingStamp:
    """Return the entry of a command in the table of what was on the hardware."""
    slot = command.queue.slot
    assert slot is not None
    return PendingStamp(slot.index, command.value)
