"""A GPU whose firmware schedules, as a person makes it."""

from __future__ import annotations

import errno
import heapq
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from fencepost.actors import Job, ResetDomain, Runtime
from fencepost.actors.hang_timer import check_timeout
from fencepost.actors.job import JobState
from fencepost.errors import BadInput, WrongState
from fencepost.events.kinds import FIRMWARE_MESSAGE
from fencepost.hw.engine_classes import DEFAULT_ENGINES, check_engines
from fencepost.hw.guc.channel import Channel
from fencepost.hw.guc.faults import Faults
from fencepost.hw.guc.firmware import Firmware
from fencepost.hw.guc.gt_reset import GtReset
from fencepost.hw.guc.hardware import Hardware
from fencepost.hw.guc.messages import ContextId, Policies, TlbInvalidate, ToFirmware, guc_id_of
from fencepost.hw.guc.queue import GucQueue
from fencepost.hw.guc.replies import Replies
from fencepost.hw.guc.requests import Requests
from fencepost.hw.statistics import EngineStatistics, GpuStatistics
from fencepost.policies import Priority
from fencepost.sync import Gate
from fencepost.sync.native import process_lock
from fencepost.sync.tracking import published, tracked

__all__ = ["Guc"]

MAX_CONTEXTS: Final = 65_535
REQUEST_TIMEOUT_S: Final = 1.0


@published("running")
@tracked("_generation", "_made", "_stopped")
class Guc:
    """Engines, and a firmware that shares them out among contexts. Each queue of the driver is one context.

        guc = Guc({"rcs": 1, "vcs": 2})
        queue = guc.queue(rt, "vcs", priority=Priority.HIGH, timeout_s=5)
        job = queue.entity.submit(duration_us=500)

    The most important context runs; equals take turns of a quantum. Jobs of one queue complete in order, those of two
    in any. A context may run on any of the engines that it was made for, on one at a time. A job without a duration
    runs until it is terminated.

    Life cycle: *made* -> *in a runtime* (with its first queue) <-> *stopped* (a reset is under way); *wedged*, when a
    reset has failed; *unloaded* (`unload`).

    Any context, where nothing else is said. `_lock` protects the queues, their numbers and whether it is stopped; a
    leaf.

    Args:
        engines: how many there are of each class: rcs, bcs, vcs, vecs, ccs; 1 to 64 each.
        preempt_us: where batches can be preempted that do not say it themselves. See `Batch`.
        quantum_us: how long a context may keep an engine that an equal waits for; 0 for as long as it likes.
        preempt_timeout_us: how long a context may take to yield before its engine is reset; 0 for ever.
        ack_timeout_s: how long the driver waits for an answer of the firmware, before it resets the device.
        minimum_run_s: how long a queue runs at least between a resume and the next suspension.
        max_contexts: how many queues there can be at a time.
        room: for how many messages to the firmware.
        reply_room: for how many replies of it.
        generations: whether replies tell which registration of a number they mean.

    Attributes:
        engines: by class, the names of its engines: `{"vcs": ("vcs0", "vcs1")}`.
        faults: what can go wrong with it, on purpose.
        wedged: whether it is beyond recovery.
        running: whether the driver has a firmware to talk to.
        hardware, channel, requests, firmware, replies, domain: what it is made of, there with the first queue.

    Raises:
        BadInput: for an unknown class, a count outside of 1 to 64, no engines, a negative number.
    """

    queue_class: ClassVar[type[GucQueue]] = GucQueue
    reset_class: ClassVar[type[GtReset]] = GtReset

    hardware: Hardware
    channel: Channel
    requests: Requests
    firmware: Firmware
    replies: Replies
    domain: ResetDomain

    def __init__(
        self,
        engines: Mapping[str, int] = DEFAULT_ENGINES,
        *,
        preempt_us: int = 100,
        quantum_us: float = 1_000,
        preempt_timeout_us: float = 640_000,
        ack_timeout_s: float = 5.0,
        minimum_run_s: float = 0.0,
        max_contexts: int = MAX_CONTEXTS,
        room: int = 1_024,
        reply_room: int = 1_024,
        generations: bool = True,
    ) -> None:
        check_engines(engines, "engines")
        _check_numbers(preempt_us=preempt_us, quantum_us=quantum_us, preempt_timeout_us=preempt_timeout_us)
        _check_numbers(ack_timeout_s=ack_timeout_s, minimum_run_s=minimum_run_s)
        if not 1 <= max_contexts <= MAX_CONTEXTS:
            raise BadInput("max_contexts", str(max_contexts), f"1 to {MAX_CONTEXTS}")
        self.engines: Mapping[str, tuple[str, ...]] = {
            engine_class: tuple(f"{engine_class}{instance}" for instance in range(count))
            for engine_class, count in engines.items()
        }
        self.faults = Faults()
        self.ack_timeout_s = ack_timeout_s
        self.wedged = False
        self.running = True
        self._preempt_us = preempt_us
        self._quantum_us = quantum_us
        self._preempt_timeout_us = preempt_timeout_us
        self._minimum_run_s = minimum_run_s
        self._max_contexts = max_contexts
        self._room = (room, reply_room)
        self._generations = generations
        self._names = tuple(name for names in self.engines.values() for name in names)
        # Protects the runtime and what opens when it is there until there is one; a leaf.
        self._attaching = process_lock()
        self._runtime: Runtime | None = None
        self._queues: dict[int, GucQueue] = {}
        self._free_numbers: list[int] = []
        self._generation = self._made = 0
        self._stopped = False

    # Queues.

    def queue(
        self,
        runtime: Runtime,
        engines: str | Sequence[str],
        name: str | None = None,
        *,
        priority: Priority = Priority.NORMAL,
        client: str = "",
        vm: str | None = None,
        credit_limit: int = 64,
        timeout_s: float | None = None,
    ) -> GucQueue:
        """Make a queue, with a scheduler and an entity of its own. Client context.

        Args:
            runtime: where its actors run; the same for all queues.
            engines: where it may run: a class, an engine, or several engines.
            name: None makes one from the engines and a number.
            priority: how important it is to the firmware.
            client: whom its time is charged to.
            vm: its address space. See `Runtime.entity`.
            credit_limit: how many credits may be in its ring at a time.
            timeout_s: how long a job may execute before it is taken for hung; None is for ever.

        Raises:
            BadInput: for an engine that it has not, and as `Runtime.scheduler`.
            OSError: ENOMEM when there are too many queues, ENODEV when it is wedged or unloaded.
            WrongState: in another runtime than the queues before it, and as `Runtime.scheduler`.
        """
        names = self._named(engines)
        check_timeout(timeout_s)
        self._attach(runtime)
        queue = self._new_queue(runtime, names, name, priority, timeout_s)
        try:
            queue.scheduler = runtime.scheduler(
                queue, queue.name, policy="single", credit_limit=credit_limit, timeout_s=timeout_s, domain=self.domain
            )
        except BaseException:
            with self._lock:
                heapq.heappush(self._free_numbers, queue.context.number)
            raise
        queue.entity = queue.scheduler.entity(queue.name, priority=priority, client=client, vm=vm)
        with self._lock:
            self._queues[queue.context.number] = queue
        return queue

    def _named(self, engines: str | Sequence[str]) -> tuple[str, ...]:
        names = self.engines.get(engines, (engines,)) if isinstance(engines, str) else tuple(engines)
        for name in names or ("",):
            if name not in self._names:
                raise BadInput("engine", repr(name), f"one of {', '.join((*self.engines, *self._names))}")
        return names

    def _attach(self, runtime: Runtime) -> None:
        """Come into a runtime, with the first queue; others that are made at the same time wait for that."""
        with self._attaching:
            first = self._runtime is None
            if first:
                self._runtime = runtime
                self._attached = Gate(f"the start of {self!r}")
            attached = self._attached
        if runtime is not self._runtime:
            raise WrongState(f"{self!r} is in another runtime already: make one for each")
        if first:
            self._start(runtime)
            attached.open()
        attached.wait()

    def _start(self, runtime: Runtime) -> None:
        room, reply_room = self._room
        self._lock = runtime.world.lock()
        self.replies = runtime.start(Replies, self, runtime.events, name="guc replies")
        self.firmware = firmware = runtime.start(Firmware, self.faults, self.replies, name="guc firmware")
        self.hardware = Hardware(runtime.world, runtime.events, self._names, firmware.say)
        self.channel = Channel(
            runtime.world, firmware.post, lambda: self.reset("the channel is broken"), room=room, reply_room=reply_room
        )
        self.requests = Requests(runtime.world)
        self.faults.attach(self.hardware)
        firmware.attach(self.hardware, self.channel)
        self.domain = runtime.reset_domain("guc")
        self._record = None if runtime.events is None else runtime.events.record
        self._now_ns = runtime.world.now_ns

    def _new_queue(
        self, runtime: Runtime, engines: tuple[str, ...], name: str | None, priority: Priority, timeout_s: float | None
    ) -> GucQueue:
        with self._lock:
            if self.wedged or not self.running:
                raise OSError(errno.ENODEV, f"{self!r} takes no queues any more")
            if self._free_numbers:
                number = heapq.heappop(self._free_numbers)
            elif self._made < self._max_contexts:
                self._made += 1
                number = self._made
            else:
                raise OSError(errno.ENOMEM, f"{self!r} has {self._made} queues, and there can be no more")
        return self.queue_class(
            self,
            runtime.world,
            name or f"{'|'.join(engines)}.{number}",
            number=number,
            engines=engines,
            policies=Policies(int(priority), self._quantum_us, self._preempt_timeout_us),
            preempt_us=self._preempt_us,
            timeout_s=timeout_s,
            minimum_run_s=self._minimum_run_s,
        )

    @property
    def queues(self) -> tuple[GucQueue, ...]:
        """The queues that are not gone."""
        with self._lock:
            return tuple(self._queues.values())

    def queue_of(self, context: ContextId) -> GucQueue | None:
        """Return the queue that has the number now which the firmware means, or None."""
        with self._lock:
            return self._queues.get(context.number)

    def generation_of(self, context: ContextId) -> int | None:
        """Return the registration that the firmware means, if it tells."""
        return context.generation if self._generations else None

    def forget(self, queue: GucQueue) -> None:
        """Give the number of a queue back. By the queue; idempotent."""
        number = queue.context.number
        with self._lock:
            if self._queues.get(number) is queue:
                del self._queues[number]
                heapq.heappush(self._free_numbers, number)

    # Jobs.

    def terminate(self, job: Job) -> None:
        """End a job, as if its batch had been told to stop. See `Gpu.terminate`, also for what it raises."""
        if job.state is JobState.NEW:
            raise WrongState(f"{job!r} is not armed: nobody knows yet where it will run")
        queue = job.scheduler.backend
        if not isinstance(queue, GucQueue) or queue.guc is not self:
            raise ValueError(f"{job!r} goes to {queue!r}, expected a queue of {self!r}")
        self.hardware.terminate(job)

    def engines_of(self, job: Job) -> tuple[str, ...]:
        """Name the engine that executes a job of one of its queues, or those that may."""
        queue = job.scheduler.backend
        assert isinstance(queue, GucQueue)
        engine = self.hardware.engine_of(job)
        return queue.context.engines if engine is None else (engine,)

    def statistics(self) -> GpuStatistics:
        """Count what the engines did, up to now: also for batches that still run."""
        if self._runtime is None:
            return GpuStatistics({name: EngineStatistics() for name in self._names}, {})
        return self.hardware.statistics()

    # The driver and the firmware.

    def send(self, message: ToFirmware, epoch: int | None = None) -> None:
        """Send the firmware a message; it is lost while the device is stopped. By its queues. See `Channel.send`."""
        if self._record is not None:
            self._record((self._now_ns(), FIRMWARE_MESSAGE, "h2g", type(message).__name__, guc_id_of(message)))
        self.channel.send(message, epoch)

    def new_generation(self) -> int:
        """Return a number that no registration has had. By its queues."""
        with self._lock:
            self._generation += 1
            return self._generation

    def invalidate_tlb(self, timeout_s: float = REQUEST_TIMEOUT_S) -> bool:
        """Have address translations forgotten; False when the firmware did not say so in time.

        Client context; blocks.
        """
        return self.requests.ask(lambda seqno: self.send(TlbInvalidate(seqno)), timeout_s)

    @property
    def stopped(self) -> bool:
        """True while a reset is under way, and for good when it has failed."""
        with self._lock:
            return self._stopped

    def reset(self, reason: str, *, blame: bool = True) -> None:
        """Have the device reset; nothing more if that is under way. Never blocks.

        Whoever waits for the firmware goes on at once: the handler that is to carry out the reset may be among them.

        Args:
            reason: for the log.
            blame: whether those are guilty whose job has started.
        """
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
        self.firmware.log.warning("device reset", reason=reason)
        self._wake_all()
        self.domain.recover(self.reset_class(self, blame=blame).steps)

    def go_on(self) -> None:
        """Talk to the firmware again. By a reset."""
        self.channel.start()
        with self._lock:
            self._stopped = False

    def unload(self) -> None:
        """Stop the firmware and kill all queues, as a driver does at its end. Idempotent."""
        self.running = False
        if self._runtime is None:
            return
        self.channel.stop()
        with self.hardware as contexts:
            contexts.clear()
        self._wake_all()
        for queue in self.queues:
            queue.close()

    def _wake_all(self) -> None:
        for queue in self.queues:
            queue.state.changed.wake_all()

    def __repr__(self) -> str:
        return f"<Guc {', '.join(f'{name}={len(names)}' for name, names in self.engines.items())}>"


def _check_numbers(**numbers: float) -> None:
    for name, number in numbers.items():
        if not 0 <= number < float("inf"):
            raise BadInput(name, str(number), "0 or more")
