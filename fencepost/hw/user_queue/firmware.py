"""The firmware: listens to doorbells, and shares hardware slots out among queues."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Hashable, Iterator
from typing import ClassVar, Final

from fencepost.actors import Actor
from fencepost.actors.dispatch import Dispatch
from fencepost.hw.guc.hardware import Hardware
from fencepost.hw.guc.messages import (
    CatError,
    ContextId,
    ContextReset,
    DeregisterDone,
    Policies,
    ScheduleDone,
)
from fencepost.hw.user_queue.doorbell import Doorbell
from fencepost.hw.user_queue.messages import (
    Add,
    Look,
    Lose,
    Poll,
    Release,
    Remove,
    Rung,
    SetPolicies,
    Suspect,
    Suspend,
    Tick,
)
from fencepost.hw.user_queue.misfortune import Road
from fencepost.hw.user_queue.mqd import Mqd, QueueState
from fencepost.hw.user_queue.slots import Slots
from fencepost.hw.user_queue.suspicion import guilty
from fencepost.sync import NS_PER_S, World

__all__ = ["Firmware"]

AT_ONCE_US: Final = 1
"""The patience with a queue that is to leave its engine now."""

TICK: Final = Tick()
POLL: Final = Poll()


class Firmware(Actor):
    """Maps queues to slots, has their packets executed, and takes them off again. Never blocks.

    The doorbell of a mapped queue makes it look at the ring. That of an unmapped one makes the queue wait for a slot,
    or is lost; then the next poll of all pointers in memory finds what was published. Mapping a queue looks there too.

    A queue that does not yield in time is reset by its engine, alone, and hangs from then on: its fences end with
    errors, its slot goes to others.

    Args:
        world: whose clock it has.
        road: what happens to doorbells.
        slots: how many queues can be mapped at a time.
        poll_us: how often it looks at the pointers of unmapped queues.
    """

    signals: ClassVar = True

    def __init__(self, dispatch: Dispatch, name: str, world: World, road: Road, *, slots: int, poll_us: float) -> None:
        super().__init__(dispatch, name)
        self._world = world
        self._road = road
        self._slots = Slots(slots)
        self._poll_ns = round(poll_us * NS_PER_S / 1e6)
        self._known: dict[int, Mqd] = {}
        self._holds: Counter[Hashable] = Counter()
        self._suspends: list[Suspend] = []
        self._removals: dict[Mqd, list[Remove]] = {}
        self._gone_error = 0
        self._poll_due = False
        self._tick_ns: int | None = None
        self._hardware: Hardware
        self._aggregated: Doorbell

    def attach(self, hardware: Hardware, aggregated: Doorbell) -> None:
        """Get to know its engines and the doorbell of all queues, before the first message. By the device."""
        self._hardware = hardware
        self._aggregated = aggregated

    # From users.

    def on_rung(self, message: Rung) -> None:
        """Look at the ring of a mapped queue; let an unmapped one wait for a slot, unless the doorbell is lost."""
        mqd = message.mqd
        # Before the look: what is published after it comes with a doorbell of its own.
        mqd.doorbell.answer()
        if mqd.state is QueueState.MAPPED:
            self._fetch(mqd)
        elif mqd.state is QueueState.UNMAPPED and self._knows(mqd):
            if self._road.loses():
                self._poll_later()
            else:
                self._want(mqd)
        self._settle()

    def on_poll(self, message: Poll) -> None:
        """Look at the pointers of all unmapped queues."""
        if message.rung:
            self._aggregated.answer()
        else:
            self._poll_due = False
        for mqd in self._known.values():
            self._want(mqd)
        self._settle()

    # From the driver.

    def on_add(self, message: Add) -> None:
        """Know a queue; it is in step with the others of its process."""
        mqd = message.mqd
        identity = mqd.identity
        if self._gone_error:
            self._end(mqd, self._gone_error, QueueState.HUNG)
            return
        with self._hardware as contexts:
            contexts.register(identity.id, identity.engines, mqd.batches)
        mqd.wake = lambda _fence: self.post(Look(mqd))
        mqd.drained = lambda: self.post(TICK)
        self._known[identity.id.number] = mqd
        self._schedule(mqd, mqd.policies)
        if self._holds[identity.process]:
            mqd.state = QueueState.PREEMPTED
        self._want(mqd)
        self._settle()

    def on_remove(self, message: Remove) -> None:
        """Take a queue off its engine first: if it hangs, this is where it shows, and who pays for it."""
        mqd = message.mqd
        if not self._knows(mqd):
            message.gone.open()
            return
        self._removals.setdefault(mqd, []).append(message)
        if message.at_once:
            self._schedule(mqd, Policies(mqd.priority, mqd.policies.quantum_us, AT_ONCE_US))
        if mqd.state is QueueState.MAPPED:
            self._unmap(mqd)
        else:
            self._end(mqd, -errno.ECANCELED, QueueState.UNMAPPED)
        self._settle()

    def on_set_policies(self, message: SetPolicies) -> None:
        """Schedule a queue differently, from its next decision on."""
        if self._knows(message.mqd):
            message.mqd.policies = message.policies
            self._schedule(message.mqd, message.policies)
            self._slots.reorder(message.mqd)
            self._settle()

    def on_suspend(self, message: Suspend) -> None:
        """Take the queues of a process off the hardware, and say when they are."""
        self._holds[message.process] += 1
        self._suspends.append(message)
        for mqd in self._of(message.process):
            if mqd.state is QueueState.MAPPED:
                self._unmap(mqd)
            elif mqd.state is QueueState.UNMAPPED:
                self._slots.leave(mqd)
                mqd.state = QueueState.PREEMPTED
        self._answer_suspends()
        self._settle()

    def on_release(self, message: Release) -> None:
        """Let the queues of a process run again, if nobody else holds them; look whether they have something to do."""
        self._holds[message.process] -= 1
        if not self._holds[message.process]:
            del self._holds[message.process]
            for mqd in self._of(message.process):
                if mqd.state is QueueState.PREEMPTED:
                    mqd.state = QueueState.UNMAPPED
                    self._want(mqd)
        self._settle()

    def on_suspect(self, message: Suspect) -> None:
        """Reset a queue that has kept an engine for too long, or has nothing that could signal the fence."""
        mqd = message.mqd
        if not self._knows(mqd):
            return
        if mqd.state is QueueState.MAPPED:
            # A doorbell may have been lost.
            self._fetch(mqd)
        self._want(mqd)
        if guilty(message, self._hardware):
            self._end(mqd, -errno.ETIME, QueueState.HUNG)
        else:
            message.spare()
        self._settle()

    def on_lose(self, message: Lose) -> None:
        """End everything: there are no engines any more."""
        self._gone_error = message.error
        for mqd in list(self._known.values()):
            self._end(mqd, message.error, QueueState.HUNG)

    # From the hardware, and from itself.

    def on_scheduled(self, message: ScheduleDone) -> None:
        """A queue was mapped, or is off its engine."""
        mqd = self._find(message.context)
        if message.enabled or mqd is None:
            return
        self._slots.leave(mqd)
        mqd.leaving = False
        if mqd in self._removals:
            self._end(mqd, -errno.ECANCELED, QueueState.UNMAPPED)
        elif self._holds[mqd.identity.process]:
            mqd.state = QueueState.PREEMPTED
            self._answer_suspends()
        else:
            mqd.state = QueueState.UNMAPPED
            self._want(mqd)
        self._settle()

    def on_reset(self, message: ContextReset | CatError) -> None:
        """An engine was reset under a queue, or the queue has accessed foreign memory."""
        mqd = None if message.context is None else self._find(message.context)
        if mqd is not None:
            if any(removal.at_once for removal in self._removals.get(mqd, ())):
                # It was given no time to yield, so it is no fault of its own that it did not.
                self._end(mqd, -errno.ECANCELED, QueueState.UNMAPPED)
            else:
                error = -errno.EIO if isinstance(message, CatError) else -errno.ETIME
                self._end(mqd, error, QueueState.HUNG)
            self._settle()

    def on_look(self, message: Look) -> None:
        """Go on with a queue whose packet had to wait."""
        mqd = message.mqd
        mqd.waits_for = None
        if mqd.state is QueueState.MAPPED:
            self._fetch(mqd)
        self._want(mqd)
        self._settle()

    def on_tick(self, _message: Tick) -> None:
        """A quantum may be over, or a queue may need its slot no more."""
        self._tick_ns = None
        self._settle()

    def on_forgotten(self, _message: DeregisterDone) -> None:
        """Its own words, come back."""

    messages: ClassVar = {
        Rung: on_rung,
        Poll: on_poll,
        Add: on_add,
        Remove: on_remove,
        SetPolicies: on_set_policies,
        Suspend: on_suspend,
        Release: on_release,
        Suspect: on_suspect,
        Lose: on_lose,
        ScheduleDone: on_scheduled,
        ContextReset: on_reset,
        CatError: on_reset,
        DeregisterDone: on_forgotten,
        Look: on_look,
        Tick: on_tick,
    }

    # Packets.

    def _fetch(self, mqd: Mqd) -> None:
        """Put what was published before an engine, as far as it need not wait."""
        up_to, blocked = mqd.look()
        if up_to > mqd.fetched:
            with self._hardware as contexts:
                mqd.fetch(contexts, up_to)
        if blocked is not None and mqd.waits_for is None:
            mqd.waits_for = blocked
            if not blocked.add_callback(mqd.wake):
                self.post(Look(mqd))

    # Slots.

    def _want(self, mqd: Mqd) -> None:
        """Let an unmapped queue wait for a slot, if it has something to do."""
        if mqd.state is QueueState.UNMAPPED and mqd.has_work and self._knows(mqd):
            self._slots.enter(mqd)

    def _settle(self) -> None:
        """Give slots to those who are to have them, and ask for one back where that must be."""
        now_ns = self._world.now_ns()
        while (mqd := self._slots.give(now_ns)) is not None:
            self._map(mqd)
        if not self._slots.short:
            return
        with self._hardware:
            # Under this lock: a queue either is found idle here, or finds there that somebody waits for its slot.
            victim = self._slots.victim(now_ns)
            for mqd in self._slots.taken:
                mqd.wanted = victim is None
        if victim is not None:
            self._unmap(victim)
        else:
            self._tick_at(self._slots.decision_ns())

    def _map(self, mqd: Mqd) -> None:
        """Give a queue what a slot is for. It looks at the pointers first, since doorbells may have been lost."""
        mqd.state = QueueState.MAPPED
        with self._hardware as contexts:
            contexts.enable(contexts.contexts[mqd.identity.id.number])
        self._fetch(mqd)

    def _unmap(self, mqd: Mqd) -> None:
        """Have a queue leave its engine and its slot; it is said when it has."""
        if not mqd.leaving:
            mqd.leaving = True
            with self._hardware as contexts:
                contexts.disable(contexts.contexts[mqd.identity.id.number])

    def _tick_at(self, when_ns: int | None) -> None:
        """Look again then; a look that is due before will do as well."""
        if when_ns is not None and (self._tick_ns is None or when_ns < self._tick_ns):
            self._tick_ns = when_ns
            self._world.timers.call_at(when_ns, lambda: self.post(TICK))

    def _poll_later(self) -> None:
        """Look at all pointers at the next poll. Polls that would find nothing are not made: nobody could tell."""
        if not self._poll_due:
            self._poll_due = True
            self._world.timers.call_at(self._world.now_ns() + self._poll_ns, lambda: self.post(POLL))

    def _schedule(self, mqd: Mqd, policies: Policies) -> None:
        with self._hardware as contexts:
            contexts.set_policies(contexts.contexts[mqd.identity.id.number], policies)

    # The end.

    def _end(self, mqd: Mqd, error: int, state: QueueState) -> None:
        """Forget a queue, which is off its engine when its first fence signals."""
        if self._knows(mqd):
            self._forget(mqd)
        mqd.state = state
        if state is QueueState.HUNG:
            self.log.warning("queue lost", queue=mqd.identity.name, error=error)
            # First: whoever is woken by a fence finds its owner told.
            mqd.lost(error)
        mqd.fail(error)
        for removal in self._removals.pop(mqd, ()):
            removal.gone.open()
        self._answer_suspends()

    def _forget(self, mqd: Mqd) -> None:
        with self._hardware as contexts:
            contexts.deregister(contexts.contexts[mqd.identity.id.number])
        with self._hardware:
            # By now it is noted what had ended before.
            mqd.drop()
        del self._known[mqd.identity.id.number]
        self._slots.leave(mqd)
        if mqd.waits_for is not None:
            mqd.waits_for.remove_callback(mqd.wake, wait=False)

    def _answer_suspends(self) -> None:
        """Tell those whose queues are off the hardware."""
        for suspend in tuple(self._suspends):
            if not any(mqd.state is QueueState.MAPPED for mqd in self._of(suspend.process)):
                self._suspends.remove(suspend)
                suspend.done()

    def on_dead_letter(self, message: object) -> None:
        """Leave nobody waiting who comes too late."""
        if isinstance(message, Add):
            message.mqd.fail(-errno.ENODEV)
        elif isinstance(message, Remove):
            message.gone.open()
        elif isinstance(message, Suspend):
            message.done()

    def on_stop(self) -> None:
        """End what is left."""
        for mqd in list(self._known.values()):
            self._end(mqd, -errno.ECANCELED, QueueState.UNMAPPED)

    def on_failure(self, *_: object, **__: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """End what is left: it will not get round to it."""
        self.on_stop()

    # Who is who.

    def _knows(self, mqd: Mqd) -> bool:
        return self._known.get(mqd.identity.id.number) is mqd

    def _find(self, context: ContextId) -> Mqd | None:
        mqd = self._known.get(context.number)
        return mqd if mqd is not None and mqd.identity.id == context else None

    def _of(self, process: Hashable) -> Iterator[Mqd]:
        return (mqd for mqd in self._known.values() if mqd.identity.process == process)
