"""An AGX-like GPU: firmware that runs work queues, and halts everything when something goes wrong."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

from fencepost.actors import ResetDomain, Runtime, Scheduler
from fencepost.actors.hang_timer import check_timeout
from fencepost.errors import BadInput, WrongState
from fencepost.hw.agx.command import Kind
from fencepost.hw.agx.driver import Driver
from fencepost.hw.agx.event_handler import EventHandler
from fencepost.hw.agx.firmware import Firmware
from fencepost.hw.agx.halt_cycle import HALT_LIMIT, PATIENCE_S, HaltCycle
from fencepost.hw.agx.messages import Inject
from fencepost.hw.agx.misfortune import Misfortune
from fencepost.hw.agx.pipe import Pipe
from fencepost.hw.agx.reaper import Reaper
from fencepost.hw.agx.user_queue import UserQueue
from fencepost.hw.agx.work_queue import MAX_IN_FLIGHT, RING_SIZE, WorkQueue
from fencepost.hw.statistics import GpuStatistics
from fencepost.policies import Policy, Priority
from fencepost.policies.recovery import RecoveryPolicy, new_recovery
from fencepost.sync import NS_PER_S
from fencepost.sync.native import process_lock

__all__ = ["EVENT_SLOTS", "Agx"]

EVENT_SLOTS: Final = 128

KINDS: Final[Mapping[str, tuple[Kind, ...]]] = MappingProxyType(
    {"compute": (Kind.COMPUTE,), "render": (Kind.VERTEX, Kind.FRAGMENT), "all": tuple(Kind)}
)
"""What a user queue can take."""


class Agx:
    """A GPU with three engines, whose firmware knows queues and not jobs.

        agx = Agx()
        scheduler = agx.scheduler(rt, "compute", timeout_s=0.5)
        job = scheduler.entity(client="game").submit(duration_us=500)

    A job without a duration hangs. Whatever hangs or faults stops the world: the firmware halts all engines, the
    driver decides who is killed and who runs again, and the firmware goes on. Its schedulers are one reset domain.

    Life cycle: *made* -> *attached* (to the runtime of its first scheduler) -> *crashed*, or never.

    Args:
        name: what events and reports call it.
        timeout_s: how long the firmware lets a command execute; None is for ever. Schedulers may have one too.
        recovery: who is killed and who runs again: kill_vm, engine_reset, full_reset, or a policy of your own.
        event_slots: how many work queues can be active at once.
        ring_size: how many entries a work queue has, one of which stays empty.
        max_in_flight: how many commands of one work queue the firmware can tell apart; one less fits.
        patience_s: how long the driver waits for the firmware before it gives the device up.
        halt_limit: how many halts one recovery may take.

    Raises:
        BadInput: for a number that makes no sense.
    """

    firmware_class: ClassVar[type[Firmware]] = Firmware
    driver_class: ClassVar[type[Driver]] = Driver
    halt_cycle_class: ClassVar[type[HaltCycle]] = HaltCycle
    """What it is made of; a subclass may differ in one step."""

    def __init__(
        self,
        name: str = "agx",
        *,
        timeout_s: float | None = None,
        recovery: str | RecoveryPolicy = "kill_vm",
        event_slots: int = EVENT_SLOTS,
        ring_size: int = RING_SIZE,
        max_in_flight: int = MAX_IN_FLIGHT,
        patience_s: float = PATIENCE_S,
        halt_limit: int = HALT_LIMIT,
    ) -> None:
        check_timeout(timeout_s)
        check_timeout(patience_s, "patience_s")
        for where, number, least in (
            ("event_slots", event_slots, 1),
            ("ring_size", ring_size, 3),
            ("max_in_flight", max_in_flight, 2),
            ("halt_limit", halt_limit, 1),
        ):
            if number < least:
                raise BadInput(where, str(number), f"{least} or more")
        self.name = name
        self._timeout_ns = None if timeout_s is None else round(timeout_s * NS_PER_S)
        self._policy = new_recovery(recovery)
        self._event_slots = event_slots
        self._ring_size = ring_size
        self._max_in_flight = max_in_flight
        self._patience_s = patience_s
        self._halt_limit = halt_limit
        # Protects the runtime and what is made in it until there is one; before the locks of the runtime.
        self._attaching = process_lock()
        self._runtime: Runtime | None = None

    def scheduler(
        self,
        runtime: Runtime,
        kinds: str = "compute",
        name: str | None = None,
        *,
        priority: int = Priority.NORMAL,
        policy: str | Policy = "fair",
        credit_limit: int | None = None,
        timeout_s: float | None = None,
        hang_limit: int = 0,
    ) -> Scheduler:
        """Make a user queue, and a scheduler for it. Client context.

        Args:
            runtime: where it runs; one for all schedulers of a GPU.
            kinds: compute, render (vertex and fragment), or all.
            name: None gives it a number.
            priority: of its commands, against those of other user queues; the lower number is the more important one.
            policy: who of its entities runs next.
            credit_limit: how many credits may be on the hardware at a time; None is what fits into a work queue.
            timeout_s: how long a job may be the oldest and be executed; None is for ever.
            hang_limit: how many hangs of a job are forgiven, if it may run again.

        Raises:
            BadInput: for other kinds; and as `Runtime.scheduler`.
            WrongState: the GPU is in another runtime; and as `Runtime.scheduler`.
        """
        if kinds not in KINDS:
            raise BadInput("kinds", repr(kinds), f"one of {', '.join(KINDS)}")
        self._attach(runtime)
        queues = {kind: self._work_queue(kind, priority) for kind in KINDS[kinds]}
        return runtime.scheduler(
            UserQueue(self.driver, self.halt_cycle, queues),
            name,
            policy=policy,
            credit_limit=min(self._max_in_flight, self._ring_size - 1) - 1 if credit_limit is None else credit_limit,
            timeout_s=timeout_s,
            domain=self.domain,
            hang_limit=hang_limit,
        )

    def inject(self, misfortune: Misfortune) -> None:
        """Have something go wrong. Never blocks; any context, once it has a scheduler."""
        self._firmware.post(Inject(misfortune))

    @property
    def crashed(self) -> bool:
        """Whether it was given up: it takes no jobs any more. Any context, once it has a scheduler."""
        return self.driver.crashed

    def statistics(self) -> GpuStatistics:
        """Count what the engines did, up to now: also for commands that still run. Any context."""
        if self._runtime is None:
            return GpuStatistics({}, {})
        return GpuStatistics(*self._firmware.statistics())

    def _work_queue(self, kind: Kind, priority: int) -> WorkQueue:
        return WorkQueue(kind, priority, self.driver.slots, size=self._ring_size, max_in_flight=self._max_in_flight)

    def _attach(self, runtime: Runtime) -> None:
        with self._attaching:
            if self._runtime is not None and self._runtime is not runtime:
                raise WrongState(f"{self.name} is in another runtime: all its schedulers must be in one")
            if self._runtime is None:
                self._start(runtime)
                self._runtime = runtime

    def _start(self, runtime: Runtime) -> None:
        """Make what it is made of, in the world of the runtime."""
        self.domain: ResetDomain = runtime.reset_domain(f"{self.name} recovery")
        self.driver = driver = self.driver_class(self._event_slots)
        self.halt_cycle = self.halt_cycle_class(
            driver, self._policy, patience_s=self._patience_s, limit=self._halt_limit
        )
        driver.reaper = runtime.start(Reaper, name=f"{self.name} reaper")
        handler = runtime.start(EventHandler, driver, self.halt_cycle, self.domain, name=f"{self.name} events")
        pipes = {kind: Pipe(f"{self.name}.{kind.value}", self._timeout_ns) for kind in Kind}
        self._firmware = driver.firmware = runtime.start(
            self.firmware_class,
            driver.shared,
            pipes,
            host=handler.post,
            events=runtime.events,
            name=f"{self.name} firmware",
        )

    def __repr__(self) -> str:
        return f"<Agx {self.name}>"
