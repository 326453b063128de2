"""A queue of the driver: the jobs of one scheduler, as one context of the firmware."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from fencepost.actors import Entity, Job, Recovery, Scheduler, StaticMessage, Status, Steps, Until
from fencepost.actors.backend import engine_class_of
from fencepost.actors.job import HardwareFence
from fencepost.events import EventRing
from fencepost.fences import Fence
from fencepost.hw.batch import granularity_ns
from fencepost.hw.guc.driver_context import DriverContext
from fencepost.hw.guc.emission import Emission
from fencepost.hw.guc.fence_irq import FenceIrq
from fencepost.hw.guc.messages import Policies
from fencepost.hw.guc.queue_state import DEAD, PENDING, Bit, QueueState
from fencepost.hw.guc.suspension import Suspension
from fencepost.hw.guc.tdr import Tdr
from fencepost.policies import Health, Priority
from fencepost.sync import Gate, World
from fencepost.sync.tracking import tracked

if TYPE_CHECKING:
    from fencepost.hw.guc.guc import Guc

__all__ = ["Entry", "GucQueue", "SetSchedProps"]


@dataclass(frozen=True, slots=True)
class SetSchedProps:
    """Owner -> queue: be scheduled like this from now on."""

    policies: Policies


@dataclass(slots=True, eq=False)
class Entry:
    """A job that was given to the queue and is not freed.

    Attributes:
        emitted: it stands in the ring, or has ended there.
        holds: it holds a reference to the queue.
        resets: how many resets of the device it has been through.
        timeouts: how often its time was up and it was let go on.
    """

    job: Job
    fence: HardwareFence
    emitted: bool = False
    holds: bool = False
    resets: int = 0
    timeouts: int = 0


@tracked("_closed", "_references")
class GucQueue:
    """The backend of a scheduler that serves one entity, over the firmware. Made by `Guc.queue`.

    The firmware chooses among queues; the scheduler only waits for dependencies and knows what is in flight, and
    everything that changes the state of the context happens in its actor, or in a recovery that has it stopped.

    Life cycle: *made* -> *registered* (by its first job) -> *closed* (`close`: the firmware is told to forget it, when
    the last job was freed) -> *gone*. Or *banned*, by a recovery; *killed*, by its owner; *wedged*, with the device:
    nothing more runs then, and its jobs end with errors.

    `_lock` protects the references; a leaf.

    Attributes:
        guc: its device.
        name: the scheduler's, too.
        scheduler, entity: which are there for it alone.
        timeout_s: how long a job may execute; None is for ever.
        state: what is known of its context.
        health: what its owner will be told when it is banned. Written in recoveries.
        gone: opens when nothing in the firmware names it any more.
    """

    context_class: ClassVar[type[DriverContext]] = DriverContext
    suspension_class: ClassVar[type[Suspension]] = Suspension
    tdr_class: ClassVar[type[Tdr]] = Tdr

    scheduler: Scheduler
    entity: Entity

    def __init__(
        self,
        guc: Guc,
        world: World,
        name: str,
        *,
        number: int,
        engines: tuple[str, ...],
        policies: Policies,
        preempt_us: int,
        timeout_s: float | None,
        minimum_run_s: float,
    ) -> None:
        self.guc = guc
        self.name = name
        self.timeout_s = timeout_s
        self.minimum_run_s = minimum_run_s
        self.state = QueueState(world, name)
        self.irq = FenceIrq(world, name)
        self.context = self.context_class(self, number, engines, policies)
        self.suspension = self.suspension_class(self)
        self.health = Health.INNOCENT
        self.gone = Gate(f"the end of {name}")
        self.entries: dict[Job, Entry] = {}
        self._tdr = self.tdr_class(self)
        self._cleanup_message = StaticMessage("CLEANUP")
        self._disable_message = StaticMessage("DISABLE")
        self._replay_message = StaticMessage("REPLAY")
        self._preempt_us = preempt_us
        self._lock = world.lock()
        self._references = 1
        self._closed = False

    @property
    def engine_class(self) -> str:
        """What kind of engine executes its jobs."""
        return engine_class_of(self.context.engines[0])

    # The owner. Any context; nothing blocks.

    def suspend(self) -> Fence:
        """Hold it off the hardware. See `Suspension.suspend`."""
        return self.suspension.suspend()

    def resume(self) -> None:
        """Hold it off no more. See `Suspension.resume`."""
        self.suspension.resume()

    def set_policies(
        self,
        *,
        priority: Priority | None = None,
        quantum_us: float | None = None,
        preempt_timeout_us: float | None = None,
    ) -> None:
        """Have the firmware schedule it differently; None leaves that as it is.

        What two callers say at once may get lost: the last whole set of policies holds.
        """
        old = self.context.policies
        policies = Policies(
            old.priority if priority is None else int(priority),
            old.quantum_us if quantum_us is None else quantum_us,
            old.preempt_timeout_us if preempt_timeout_us is None else preempt_timeout_us,
        )
        self.scheduler.send(SetSchedProps(policies))

    def kill(self) -> None:
        """Run nothing more; what is on the hardware is taken off, and all jobs end with -ECANCELED."""
        self.state.change(set_=Bit.KILLED)
        self.state.changed.wake_all()
        self.suspension.finish()
        # At once, and not when the recovery comes to it: of many that are killed together the last would run for long.
        self.scheduler.send(self._disable_message)
        self.trigger_cleanup()

    def close(self) -> None:
        """Kill it, and have the firmware forget it. Idempotent."""
        self.kill()
        with self._lock:
            closed, self._closed = self._closed, True
        if not closed:
            self.put()

    @property
    def banned(self) -> bool:
        """True once it is of no more use: a job that is submitted is refused, or ends with an error."""
        return self.state.reset_status

    # References: of the owner, of each job in the ring, of a recovery.

    def try_get(self) -> bool:
        """Take a reference; False when there is none left: then it is about to be forgotten."""
        with self._lock:
            self._references += bool(self._references)
            return bool(self._references)

    def put(self) -> None:
        """Drop a reference; the last one has the firmware told."""
        with self._lock:
            self._references -= 1
            last = not self._references
        if last:
            self.scheduler.send(self._cleanup_message)

    def let_go(self) -> None:
        """Drop what kept it for the firmware, which names it no more: after a deregistration, or by a reset."""
        if self.state.change(clear=Bit.EXTRA_REF) & Bit.EXTRA_REF:
            self.put()
        else:
            self.destroy()

    def destroy(self) -> None:
        """Give its number back: whatever the firmware says of it from now on is about nobody. Idempotent."""
        self.state.change(set_=Bit.DESTROYED)
        self.guc.forget(self)
        self.gone.open()

    # Waiting for the firmware.

    def until(self, condition: Callable[[], bool]) -> Until:
        """Wait until a condition over the state holds, or nothing will be answered any more; for so long at most."""
        guc = self.guc
        return Until(lambda: condition() or guc.stopped or not guc.running, self.state.changed, guc.ack_timeout_s)

    def until_settled(self) -> Until:
        """Wait until the firmware has answered all requests to enable or disable."""
        return self.until(lambda: not self.state.has(PENDING))

    def trigger_cleanup(self) -> None:
        """Have a recovery look at it now, and at each job that still comes. Any context."""
        self.scheduler.set_timeout(0)

    def fail(self, why: str) -> None:
        """Give up on a queue that the firmware does not answer for. Any context."""
        if not self.state.change(set_=Bit.BANNED) & DEAD:
            self.health = Health.UNKNOWN
        self.guc.reset(why)
        self.trigger_cleanup()

    # The backend of its scheduler.

    def attach(self, world: World, ring: str, events: EventRing | None) -> None:
        """Nothing is left to do: the device is attached to its runtime before it makes a queue."""

    def run_job(self, job: Job) -> Fence:
        """Give a job to the firmware. One that cannot run stays pending: the recovery ends it."""
        entry = self.entries[job] = Entry(job, self.irq.fence())
        if not self.state.dead and not self._must_wait(entry):
            self._submit(entry)
        return entry.fence

    def _must_wait(self, entry: Entry) -> bool:
        """Say whether the replay after a reset will emit a job: in their order, so behind those that wait for it."""
        return self.guc.stopped or any(not other.emitted for other in self.entries.values() if other is not entry)

    def _submit(self, entry: Entry) -> None:
        if not self.state.has(Bit.REGISTERED):
            self.context.register()
        self._emit(entry)
        bits = self.state.bits
        if bits & Bit.SUSPENDED:
            return
        if bits & Bit.ENABLED:
            self.context.kick()
        else:
            self.context.enable()

    def _emit(self, entry: Entry) -> None:
        job = entry.job
        entry.emitted = True
        entry.holds = entry.holds or self.try_get()
        emission = Emission(
            client=job.entity.client,
            finished=job.finished,
            irq=self.irq,
            seqno=entry.fence.seqno,
            left_ns=None if job.duration_us is None else round(job.duration_us * 1000),
            granularity_ns=granularity_ns(job.work, self._preempt_us),
            fence=entry.fence,
        )
        self.guc.hardware.emit(job, emission, self.context.ring)

    def cancel_job(self, job: Job) -> None:
        """Take a job out of the ring, off the engine if it is there; no other job of the queue will come behind it."""
        self.guc.hardware.drop(job, self.context.ring)
        self.irq.end(self.entries[job].fence, -errno.ECANCELED)

    def free_job(self, job: Job) -> None:
        entry = self.entries.pop(job, None)
        self.guc.hardware.forget(job)
        if entry is not None and entry.holds:
            self.put()

    def timedout_job(self, job: Job, recovery: Recovery) -> Steps[Status]:
        return self._tdr.steps(job, recovery)

    # Messages, in band.

    def process_message(self, message: object) -> Steps[None] | None:
        if message is self.suspension.suspend_message:
            return self.suspension.suspend_steps()
        if message is self.suspension.resume_message:
            return self.suspension.resume_steps()
        if message is self._disable_message:
            return self._disable()
        if message is self._cleanup_message:
            return self._cleanup()
        if message is self._replay_message:
            self._replay()
        elif isinstance(message, SetSchedProps):
            self._set_props(message)
        else:
            raise TypeError(f"{self!r} was sent {message!r}, which is no message of it")
        return None

    def _disable(self) -> Steps[None]:
        """Take a killed queue off its engine."""
        if not (yield self.until_settled()):
            self.guc.reset(f"{self.name}: no answer before it could be killed")
        elif self.state.has(Bit.ENABLED) and self.guc.running and not self.guc.stopped:
            self.context.disable(at_once=True)

    def _cleanup(self) -> Steps[None]:
        """Have the firmware forget it; nobody refers to it any more."""
        if not self.state.has(Bit.REGISTERED) or not self.guc.running:
            self.destroy()
            return
        if self.state.has(Bit.DESTROYED):
            # A recovery has had it forgotten: the answer to that will destroy it.
            return
        if (yield self.until_settled()):
            self.context.disable_and_deregister()
        else:
            # The reset does the rest.
            self.state.change(set_=Bit.DESTROYED)
            self.guc.reset(f"{self.name}: no answer before it could be forgotten")

    def _set_props(self, message: SetSchedProps) -> None:
        self.context.policies = message.policies
        if self.state.may_change_scheduling:
            self.context.send_policies()

    # A reset of the device. By its recovery, which has the scheduler stopped.

    def replay(self) -> None:
        """Have all jobs emitted again that are not complete, before anything else."""
        self.scheduler.send(self._replay_message, first=True)

    def _replay(self) -> None:
        """Emit what is not in the ring, from the first job on that is not complete."""
        if self.state.dead or self.guc.stopped:
            return
        for entry in self.incomplete():
            if not entry.emitted:
                self._submit(entry)

    def incomplete(self) -> list[Entry]:
        """Return what the hardware has not completed, oldest first."""
        return [entry for entry in self.entries.values() if not self.irq.complete(entry.fence)]

    def __repr__(self) -> str:
        return f"<GucQueue {self.name}, context {self.context.number}, {self.state!r}>"
