"""A runtime: one world, one way of dispatch, and all actors started in it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar

import pykka
import structlog

from fencepost.actors.actor import Actor, Farewell
from fencepost.actors.backend import Backend
from fencepost.actors.cgroups.controllers import check_controller, run_queue_under
from fencepost.actors.cgroups.hierarchy import Cgroups
from fencepost.actors.dispatch import DISPATCHES, Dispatch, new_dispatch
from fencepost.actors.entity import Entity
from fencepost.actors.messages import Abandon
from fencepost.actors.recovery import Device, PartOfDevice
from fencepost.actors.reset_domain import ResetDomain
from fencepost.actors.scheduler import Scheduler, check_limits
from fencepost.actors.statistics import Leftovers, RuntimeStatistics
from fencepost.errors import ActorFailed, BadInput, WrongState, WrongWorld
from fencepost.events.ring import new_ring
from fencepost.policies import Policy, Priority
from fencepost.sync import Task, World, current, deadline_ns
from fencepost.sync import world as new_world

__all__ = ["Runtime"]

A = TypeVar("A", bound=Actor)

WORLDS: Final = ("native", "virtual")
ABANDON_AFTER_S: Final = 1.0
"""How long leaving waits, in the world's time, for what killed jobs depend on."""

STOP_LIMIT_S: Final = 5.0
"""How long leaving waits, in the world's time, for actors to handle what came before their stop."""


class Runtime:
    """Starts actors and clients, and ends them all when it is left.

        with Runtime(world="virtual") as rt:
            scheduler = rt.scheduler(backend, name="rcs0")
            job = scheduler.entity().submit(duration_us=1000)
            job.finished.wait()

    Life cycle: *new* -> *entered* (by `with`, once) -> *left*. Leaving waits for the clients, kills the entities,
    finishes the schedulers, stops the actors and joins all threads; when the body raised, the clients are waited for
    last, since only the end of what they wait for may let them go. Every fence of an armed job has signalled then. An
    exception of an actor or a client is raised by leaving, as ActorFailed. What would not end is in `leftovers`, and
    logged.

    Client context. Any number of runtimes may exist in one process; they share nothing but the numbers of fence
    contexts.

    Args:
        world: native (threads, wall-clock time), virtual (greenlets, virtual time), or a world made elsewhere.
        dispatch: thread (a task for each actor) or workqueue (a few workers for all).
        workers: of the workqueue dispatch. More than one helps only where Python threads run at the same time.
        events: True keeps the last 65 536, None all, False none; a number keeps that many.
        controller: how control groups divide GPU time, a key of `CONTROLLERS`.
        log_leftovers: whether leaving logs what was left behind.

    Attributes:
        world: where its tasks run.
        events: what happened, or None when events are off.
        leftovers: what had not ended by itself; known when it was left.
        scheduler_class, entity_class, domain_class: what `scheduler`, `entity` and `reset_domain` make. Replace them by
            subclasses to try one step done otherwise.
    """

    def __init__(
        self,
        world: Literal["native", "virtual"] | World = "native",
        dispatch: Literal["thread", "workqueue"] = "thread",
        *,
        workers: int = 1,
        events: bool | int | None = True,
        controller: str = "none",
        log_leftovers: bool = True,
    ) -> None:
        if not isinstance(world, World) and world not in WORLDS:
            raise BadInput("world", repr(world), f"one of {', '.join(WORLDS)}")
        if dispatch not in DISPATCHES:
            raise BadInput("dispatch", repr(dispatch), f"one of {', '.join(DISPATCHES)}")
        if workers < 1:
            raise BadInput("workers", str(workers), "at least 1")
        check_controller(controller)
        self.world = world if isinstance(world, World) else new_world(world)
        self.events = new_ring(events)
        self.controller = controller
        self.leftovers = Leftovers()
        self._log_leftovers = log_leftovers
        self.scheduler_class = Scheduler
        self.entity_class = Entity
        self.domain_class = ResetDomain
        self.dispatch: Dispatch
        self._dispatch_name = dispatch
        self._workers = workers
        self._actors: dict[Actor, None] = {}
        self._entities: dict[Entity, None] = {}
        self._domains: dict[Device, ResetDomain] = {}
        self._cgroups: Cgroups | None = None
        self._schedulers: list[Scheduler] = []
        self._clients: list[Task] = []
        self._armed_by_the_gone = 0
        self._entities_made = 0
        # Protects the five collections, the two counts, `_cgroups` and `_leaving` against clients that make things at
        # the same time; a leaf.
        self._lock = self.world.lock()
        self._entered = self._leaving = False

    # Making things.

    def scheduler(
        self,
        backend: Backend,
        name: str | None = None,
        *,
        policy: str | Policy = "fair",
        credit_limit: int = 1,
        timeout_s: float | None = None,
        domain: ResetDomain | None = None,
        hang_limit: int = 0,
    ) -> Scheduler:
        """Make a scheduler for one hardware queue.

        Args:
            backend: the hardware queue.
            name: None gives it a number.
            policy: who runs next: rr, fifo, fair; single, for one entity alone; or a policy of your own, made for it.
            credit_limit: how many credits may be on the hardware at a time.
            timeout_s: how long a job may be the oldest on the hardware before it is taken for hung; None is for ever.
            domain: who recovers it. None takes that of its device, if the backend is part of one; else one of its own
                if it has a time-out.
            hang_limit: how many hangs of a job are forgiven, if it may run again.

        Raises:
            BadInput: for an unknown policy, a credit limit below 1, a negative hang limit, a time-out that is negative,
                not a number or above a day.
            OSError: ENODEV when the device of the domain is gone.
            TypeError: the backend has no `timedout_job`, and is to have a time-out or a domain.
            WrongState: outside of the `with` block.
            WrongWorld: by a task of another world.
        """
        self._check_inside()
        check_limits(credit_limit, hang_limit, timeout_s)
        run_queue = run_queue_under(self.controller, policy)
        if name is None:
            name = f"sched{len(self._schedulers)}"
        if (timeout_s is not None or domain is not None) and not hasattr(backend, "timedout_job"):
            raise TypeError(f"{backend!r} of {name} has no timedout_job: it cannot have a time-out")
        if domain is None:
            domain = self._domain_for(backend, name, timeout_s)
        if domain is not None and domain.gone:
            raise OSError(errno.ENODEV, f"{domain.name} is gone: nothing can be submitted to it")
        scheduler = self.scheduler_class(
            self,
            backend,
            name,
            run_queue,
            credit_limit=credit_limit,
            timeout_s=timeout_s,
            domain=domain,
            hang_limit=hang_limit,
        )
        self._start(scheduler.actor, scheduler)
        if domain is not None:
            domain.join(scheduler)
        return scheduler

    def reset_domain(self, name: str = "device") -> ResetDomain:
        """Make a reset domain, for schedulers that are recovered together. Raises as `start`."""
        self._check_inside()
        domain = self.domain_class(self, name)
        self._start(domain.actor)
        return domain

    def _domain_for(self, backend: Backend, name: str, timeout_s: float | None) -> ResetDomain | None:
        if isinstance(backend, PartOfDevice):
            return self._domain_of(backend.recovered_with)
        return None if timeout_s is None else self.reset_domain(f"{name} recovery")

    def _domain_of(self, device: Device) -> ResetDomain:
        with self._lock:
            domain = self._domains.get(device)
        if domain is None:
            # Not under the lock, which making one takes. Of two that are made at the same time one is never used.
            made = self.reset_domain(device.name)
            with self._lock:
                domain = self._domains.setdefault(device, made)
        return domain

    @property
    def cgroups(self) -> Cgroups:
        """Its control groups, made when somebody asks for them. Client context; raises as `start`."""
        if self._cgroups is None:
            # As with a domain: of two that are made at the same time one is never used.
            made = Cgroups(self)
            with self._lock:
                self._cgroups = self._cgroups or made
        return self._cgroups

    def entity(
        self,
        schedulers: Sequence[Scheduler],
        name: str | None = None,
        *,
        priority: Priority = Priority.NORMAL,
        client: str = "",
        vm: str | None = None,
    ) -> Entity:
        """Make an entity whose jobs go to one of several schedulers, whichever has the least to do when it is idle.

        Args:
            schedulers: in order of preference, at least one.
            name: None makes one from the first scheduler's name and a number.
            priority: how important its jobs are.
            client: whom it works for, in events and statistics.
            vm: the name of its address space, which it shares with others that name it. None is the client's, or one of
                its own if it has none.

        Raises:
            ValueError: for no schedulers.
            WrongState: outside of the `with` block.
            WrongWorld: by a task of another world.
        """
        self._check_inside()
        if not schedulers:
            raise ValueError("an entity without schedulers, expected at least one")
        with self._lock:
            self._entities_made += 1
            number = self._entities_made
        entity = self.entity_class(self, schedulers, name or f"{schedulers[0].name}.e{number}", priority, client, vm=vm)
        self._start(entity.actor, entity)
        return entity

    def start(self, actor_class: Callable[..., A], *args: Any, name: str, **kwargs: Any) -> A:  # noqa: ANN401
        """Make an actor of your own and start it: `actor_class(dispatch, name, *args, **kwargs)`."""
        self._check_inside()
        actor = actor_class(self.dispatch, name, *args, **kwargs)
        self._start(actor)
        return actor

    def spawn(self, function: Callable[[], object], name: str | None = None) -> Task:
        """Start a client: `function` runs in a task of its own. The task can be joined, and holds the result."""
        self._check_inside()
        task = self.world.spawn(function, name=name or f"client{len(self._clients)}")
        with self._lock:
            self._clients.append(task)
        return task

    def forget(self, entity: Entity) -> bool:
        """Stop the actor of an entity that has come to its end; False when that was done before. By the entity."""
        with self._lock:
            if self._entities.pop(entity, entity) is entity:
                return False
            self._armed_by_the_gone += entity.armed
        self._stop([entity.actor])
        return True

    # Looking.

    @property
    def schedulers(self) -> tuple[Scheduler, ...]:
        """The schedulers that were made in it, in order. Any context."""
        return tuple(self._schedulers)

    def statistics(self) -> RuntimeStatistics:
        """Count what happened so far. Any context."""
        with self._lock:
            armed = self._armed_by_the_gone + sum(entity.armed for entity in self._entities)
        actors = [scheduler.actor for scheduler in self._schedulers]
        completed = sum(actor.completed for actor in actors)
        errored = sum(actor.errored for actor in actors)
        cancelled = sum(actor.cancelled for actor in actors) + sum(each.lost_jobs for each in self._schedulers)
        return RuntimeStatistics(
            jobs_submitted=armed,
            jobs_completed=completed,
            jobs_errored=errored,
            jobs_cancelled=cancelled,
            fences_armed=2 * armed,
            fences_signaled=2 * (completed + errored + cancelled) + sum(actor.running for actor in actors),
            tasks_started=self.world.tasks_started,
            tasks_left=len(self.leftovers.tasks),
        )

    # Entering and leaving.

    def __enter__(self) -> Self:
        if self._entered:
            raise WrongState("a runtime can be entered once")
        self._entered = True
        self.world.enter()
        self.dispatch = new_dispatch(self._dispatch_name, self.world, self._workers)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        try:
            if exc is None:
                self._join_clients()
        finally:
            self._tear_down()
        if exc is None and self.world.failures:
            first = self.world.failures[0]
            raise ActorFailed(f"{len(self.world.failures)} failed, the first with {first!r}") from first

    def _join_clients(self) -> None:
        # By index: a client may spawn another while it is waited for.
        index = 0
        while index < len(self._clients):
            self._clients[index].join()
            index += 1

    def _tear_down(self) -> None:
        self.world.settle()
        with self._lock:
            self._leaving = True
        unpushed = abandoned = 0
        try:
            unpushed, abandoned = self._end_jobs()
        finally:
            try:
                self._stop(list(self._actors))
            finally:
                self.dispatch.stop()
                left = self.world.close()
        self.leftovers = Leftovers(tuple(task.name for task in left), unpushed, abandoned)
        if self.leftovers and self._log_leftovers:
            structlog.get_logger("fencepost").warning("left behind", leftovers=self.leftovers)

    def _end_jobs(self) -> tuple[int, int]:
        """Bring every armed job to its end; return how many were never pushed, and how many waited in vain."""
        entities = list(self._entities)
        for entity in entities:
            entity.kill()
        unpushed = sum(entity.end_unpushed() for entity in entities)
        for scheduler in self._schedulers:
            self._finish(scheduler)
        when_ns = deadline_ns(ABANDON_AFTER_S)
        late = [entity for entity in entities if not entity.ended_by(when_ns)]
        abandoned = sum(self._abandon(entity) for entity in late)
        return unpushed, abandoned

    def _finish(self, scheduler: Scheduler) -> None:
        try:
            scheduler.fini(ABANDON_AFTER_S)
        except Exception as error:  # noqa: BLE001 - of the backend; the others must be finished all the same
            self.world.failures.append(error)

    def _abandon(self, entity: Entity) -> int:
        try:
            return int(entity.actor.actor_ref.ask(Abandon(), block=True))
        except pykka.ActorDeadError:
            return 0

    def _start(self, actor: Actor, user: Scheduler | Entity | None = None) -> None:
        with self._lock:
            # In one step with the entry: what is not entered before leaving begins is not ended by it.
            if self._leaving:
                raise WrongState(f"{actor.name} comes too late: the runtime is being left")
            self._actors[actor] = None
            if isinstance(user, Scheduler):
                self._schedulers.append(user)
            elif user is not None:
                self._entities[user] = None
        actor.start_loop()

    def _stop(self, actors: Sequence[Actor]) -> None:
        """Stop actors, entities before the schedulers they use, and wait until each has handled what came before.

        Who does not within STOP_LIMIT_S is left to the world's closing, which reports it.
        """
        when_ns = self.world.now_ns() + round(STOP_LIMIT_S * 1e9)
        if actors:
            farewell = Farewell(len(actors))
            for actor in reversed(actors):
                actor.end(farewell)
            farewell.wait_until(when_ns)
        with self._lock:
            for actor in actors:
                self._actors.pop(actor, None)

    def _check_inside(self) -> None:
        if not self._entered:
            raise WrongState("the runtime was not entered: use it in a with block")
        if self._leaving:
            raise WrongState("the runtime was left: nothing can be made in it any more")
        here = current()
        if here is not self.world and not here.name == self.world.name == "native":
            raise WrongWorld(f"a runtime of a {self.world.name} world is used in another world, a {here.name} one")
