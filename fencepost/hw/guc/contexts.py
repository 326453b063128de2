"""The rule by which the firmware shares engines out among contexts: in hardware time, without locks, timers or a world.

Hardware time is told from outside, as with `hw.engine`: `advance(t)` lets everything happen that happens up to t, and
only then may something be asked at t.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

from fencepost.events import Event
from fencepost.events.kinds import BATCH
from fencepost.hw.guc.emission import Emission
from fencepost.hw.guc.messages import (
    CatError,
    ContextId,
    ContextReset,
    DeregisterDone,
    EngineFailure,
    FromFirmware,
    Policies,
    ScheduleDone,
)
from fencepost.hw.guc.seat import Context, Seat
from fencepost.hw.guc.waiting import Waiting
from fencepost.sync.tracking import tracked

__all__ = ["Contexts"]


@tracked("frozen", "now_ns")
class Contexts:
    """Engines, the contexts that want them, and which has which.

    The most important context runs, on the first engine that it may use; among equals the one that waits longest. One
    that runs is asked to yield when it is disabled, when a more important one waits, or when an equal waits and its
    quantum is over. It yields at the next point of preemption or end of a batch. If that does not come before its
    preemption time-out, the engine is reset under it: what it executed is lost, it runs no more, the others go on.

    Calls must not overlap: whoever shares it brings a lock.

    Attributes:
        now_ns: hardware time.
        seats: the engines, by name.
        contexts: those that are registered, by number.
        frozen: the firmware is dead. What runs goes on to the end of its ring, and nothing else is decided.
        faulting: emissions that access foreign memory when they start.
        stretches: what was executed since somebody emptied the list, in order, as events.
        ended: the batches that ended, likewise.
        notices: what the firmware has to tell the host, likewise.
    """

    def __init__(self, engines: Iterable[str]) -> None:
        self.now_ns = 0
        self.seats = {name: Seat(name) for name in engines}
        self.contexts: dict[int, Context] = {}
        self.frozen = False
        self.faulting: set[Emission] = set()
        self.stretches: list[Event] = []
        self.ended: list[Emission] = []
        self.notices: list[FromFirmware] = []
        self._waiting = Waiting(self.seats)

    # Time.

    @property
    def next_event_ns(self) -> int | None:
        """When something will happen if nothing is asked before; None for never."""
        return min((when for seat in self.seats.values() if (when := self._next_ns(seat)) is not None), default=None)

    def advance(self, to_ns: int) -> None:
        """Let time pass up to `to_ns`, which is not in the past, with all that happens by then."""
        assert to_ns >= self.now_ns
        while (when_ns := self.next_event_ns) is not None and when_ns <= to_ns:
            self.now_ns = max(when_ns, self.now_ns)
            for seat in self.seats.values():
                if self._next_ns(seat) == when_ns:
                    self._happen(seat)
                    self._settle()
                    break
        self.now_ns = to_ns

    def ran_ns(self, emission: Emission) -> int:
        """Return how long an emission has executed, up to now."""
        for seat in self.seats.values():
            if seat.context is not None and seat.context.ring and seat.context.ring[0] is emission:
                return emission.ran_ns + self.now_ns - seat.start_ns
        return emission.ran_ns

    def busy_ns(self, seat: Seat) -> dict[str, int]:
        """Return how long an engine has executed for each client, up to now."""
        busy_ns: Counter[str] = seat.busy_ns.copy()
        if seat.context is not None:
            busy_ns[seat.context.ring[0].client] += self.now_ns - seat.start_ns
        return dict(busy_ns)

    # What the host asks for: all of it happens now.

    def register(self, context_id: ContextId, engines: tuple[str, ...], ring: deque[Emission]) -> None:
        """Know a context, which is disabled."""
        self.contexts[context_id.number] = Context(context_id, engines, ring)

    def set_policies(self, context: Context, policies: Policies) -> None:
        """Schedule a context differently. One that runs keeps the quantum that it has begun."""
        context.policies = policies
        if context.turn is not None:
            self._waiting.leave(context)
            self._waiting.enter(context)
        for seat in self.seats.values():
            if seat.context is context and seat.asked:
                # The request is made anew, with the new patience.
                seat.withdraw()
        self._settle()

    def enable(self, context: Context) -> None:
        """Run a context when there is something in its ring."""
        context.enabled = True
        context.disabling = False
        self.notices.append(ScheduleDone(context.id, enabled=True))
        self.kick(context)

    def disable(self, context: Context) -> None:
        """Take a context off its engine, and say so when that is done."""
        context.enabled = False
        self._waiting.leave(context)
        if self._seat_of(context) is None:
            self.notices.append(ScheduleDone(context.id, enabled=False))
        else:
            context.disabling = True
        self._settle()

    def kick(self, context: Context) -> None:
        """Look at the ring of a context."""
        if context.runnable and context.turn is None and self._seat_of(context) is None:
            self._waiting.enter(context)
        self._settle()

    def deregister(self, context: Context) -> None:
        """Forget a context, which is disabled."""
        self._remove(context)
        del self.contexts[context.id.number]
        self.notices.append(DeregisterDone(context.id))
        self._settle()

    # What happens to batches from outside.

    def terminate(self, emission: Emission) -> None:
        """End a batch: now if it runs, else as soon as its turn has come. Does nothing to one that has ended."""
        seat = self.executing(emission)
        if seat is not None:
            self._complete(seat)
            self._settle()
        elif emission.end_ns is None:
            emission.left_ns = 0

    def drop(self, emission: Emission, ring: deque[Emission]) -> None:
        """Take a batch away, now, without a trace. Does nothing to one that is not there."""
        seat = self.executing(emission)
        if seat is not None:
            self._stop(seat)
            ring.remove(emission)
            self._continue(seat)
            self._settle()
        elif emission in ring:
            ring.remove(emission)
            if not ring:
                self._stop_waiting(ring)
                self._settle()

    # Faults.

    def reset_engine(self, name: str) -> bool:
        """Reset an engine under the context that it has; False when it has none."""
        seat = self.seats[name]
        if seat.context is None:
            return False
        self._reset(seat, ContextReset(seat.context.id))
        self._settle()
        return True

    def fail_engine(self, name: str) -> None:
        """Have an engine stand still, until everything is reset."""
        seat = self.seats[name]
        if seat.context is not None:
            context = self._stop(seat)
            context.halted = True
            seat.leave()
        seat.failed = True
        self.notices.append(EngineFailure(name))

    def fault(self, context: Context) -> None:
        """Have a context access foreign memory: it runs no more."""
        seat = self._seat_of(context)
        if seat is not None:
            self._reset(seat, CatError(context.id))
        else:
            context.halted = True
            self._waiting.leave(context)
            self.notices.append(CatError(context.id))
        self._settle()

    def clear(self) -> None:
        """Forget everything, as by a reset of the whole device. Nothing that was under way has ended by that."""
        for seat in self.seats.values():
            if seat.context is not None:
                self._stop(seat)
                seat.leave()
            seat.failed = False
        for context in self.contexts.values():
            self._waiting.leave(context)
        self.contexts.clear()
        self.notices.clear()
        self.frozen = False

    # What happens.

    def _next_ns(self, seat: Seat) -> int | None:
        """Return when something will happen on an engine."""
        context = seat.context
        if context is None:
            return None
        left_ns = context.ring[0].left_ns
        times = [] if left_ns is None else [seat.start_ns + left_ns]
        if not self.frozen:
            times += seat.decisions(equal_waits=self._equal_waits(seat))
        return min(times, default=None)

    def _happen(self, seat: Seat) -> None:
        """Let happen the one thing that happens now on an engine."""
        assert seat.context is not None
        emission = seat.context.ring[0]
        if emission.left_ns is not None and emission.left_ns <= self.now_ns - seat.start_ns:
            self._complete(seat)
        elif seat.asked and seat.switch_ns is not None and seat.switch_ns <= self.now_ns:
            self._stop(seat)
            self._yield(seat)
        elif seat.asked and seat.reset_ns is not None and seat.reset_ns <= self.now_ns:
            self._reset(seat, ContextReset(seat.context.id))

    def _complete(self, seat: Seat) -> None:
        context = self._stop(seat)
        emission = context.ring.popleft()
        emission.end_ns = self.now_ns
        self.ended.append(emission)
        seat.completed += 1
        self._continue(seat)

    def _continue(self, seat: Seat) -> None:
        """Go on with the next batch of the context that an engine has, if there is one and it need not yield."""
        context = seat.context
        assert context is not None
        if context.ring and not seat.asked:
            self._start_batch(seat)
        else:
            self._yield(seat)

    def _yield(self, seat: Seat) -> None:
        """Free an engine. What the context still has waits, behind its equals."""
        context = seat.leave()
        if context.runnable:
            self._waiting.enter(context)
        self._say_disabled(context)

    def _reset(self, seat: Seat, notice: FromFirmware) -> None:
        """Take an engine away from a context, and what it executed."""
        context = self._stop(seat)
        context.ring.popleft()
        seat.leave()
        # If it went on, a later seqno would say that the lost batch is complete.
        context.halted = True
        self.notices.append(notice)
        self._say_disabled(context)

    def _say_disabled(self, context: Context) -> None:
        if context.disabling:
            context.disabling = False
            self.notices.append(ScheduleDone(context.id, enabled=False))

    def _stop(self, seat: Seat) -> Context:
        """End the stretch that runs on an engine; the engine is still the context's."""
        context = seat.context
        assert context is not None
        emission = context.ring[0]
        ran_ns = self.now_ns - seat.start_ns
        emission.ran_ns += ran_ns
        if emission.fence is not None:
            emission.fence.executed_ns = emission.ran_ns
        if emission.left_ns is not None:
            emission.left_ns -= ran_ns
        if ran_ns or emission.left_ns == 0:
            job = emission.finished
            fields = (seat.name, emission.client, job.context, job.seqno, seat.start_ns, self.now_ns)
            self.stretches.append((self.now_ns, BATCH, *fields))
            seat.busy_ns[emission.client] += ran_ns
        seat.start_ns = self.now_ns
        return context

    def _stop_waiting(self, ring: deque[Emission]) -> None:
        for context in self.contexts.values():
            if context.ring is ring:
                self._waiting.leave(context)

    # Decisions of the firmware.

    def _settle(self) -> None:
        """Fill the engines that are free, and ask those to yield that must."""
        if self.frozen:
            return
        while self._fill():
            pass
        for seat in self.seats.values():
            must_yield = self._must_yield(seat)
            if must_yield and not seat.asked:
                seat.ask(self.now_ns)
            elif seat.asked and not must_yield:
                seat.withdraw()

    def _fill(self) -> bool:
        """Give a free engine to who waits for it; False when there is none."""
        for seat in self.seats.values():
            if seat.context is None and not seat.failed:
                context = self._waiting.first(seat.name)
                if context is not None:
                    self._waiting.leave(context)
                    seat.enter(context, self.now_ns)
                    self._start_batch(seat)
                    return True
        return False

    def _start_batch(self, seat: Seat) -> None:
        assert seat.context is not None
        emission = seat.context.ring[0]
        seat.start_ns = self.now_ns
        emission.started = True
        if emission in self.faulting:
            self.faulting.discard(emission)
            self._reset(seat, CatError(seat.context.id))

    def _must_yield(self, seat: Seat) -> bool:
        context = seat.context
        if context is None:
            return False
        if not context.enabled:
            return True
        first = self._waiting.first(seat.name)
        if first is None or first.policies.priority > context.policies.priority:
            return False
        return first.policies.priority < context.policies.priority or seat.quantum_over(self.now_ns)

    def _equal_waits(self, seat: Seat) -> bool:
        first = self._waiting.first(seat.name)
        return (
            first is not None and seat.context is not None and first.policies.priority == seat.context.policies.priority
        )

    def _remove(self, context: Context) -> None:
        self._waiting.leave(context)
        seat = self._seat_of(context)
        if seat is not None:
            self._stop(seat)
            seat.leave()

    def _seat_of(self, context: Context) -> Seat | None:
        return next((seat for seat in self.seats.values() if seat.context is context), None)

    def executing(self, emission: Emission) -> Seat | None:
        """Return the engine that executes a batch, or None."""
        return next(
            (
                seat
                for seat in self.seats.values()
                if seat.context is not None and seat.context.ring and seat.context.ring[0] is emission
            ),
            None,
        )
