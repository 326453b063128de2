"""The same pipeline on what else there is.

Every job is submitted, waits for the one before it in its chain, runs, signals its fence and is freed. None of these
has credits, policies, time-outs or a record of events.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator
from typing import Any

import pykka
import simpy

__all__ = ["asyncio_tasks", "pykka_entities", "pykka_two_actors", "simple_queues", "simpy_processes"]


class Fence:
    """The cheapest thing that a thread can wait for."""

    __slots__ = ("gate", "signaled")

    def __init__(self) -> None:
        self.signaled = False
        self.gate = threading.Lock()
        self.gate.acquire()

    def signal(self) -> None:
        self.signaled = True
        self.gate.release()

    def wait(self) -> None:
        if not self.signaled:
            self.gate.acquire()


class Job:
    """A job and its place."""

    __slots__ = ("chain", "fence")

    def __init__(self, chain: int) -> None:
        self.chain = chain
        self.fence = Fence()


class Chains:
    """What a scheduler must know: which chains have a job under way, and what waits behind it."""

    def __init__(self, chains: int) -> None:
        self.busy = [False] * chains
        self.waiting: list[deque[Job]] = [deque() for _ in range(chains)]

    def submit(self, job: Job) -> Job | None:
        """Return the job if it can run."""
        if self.busy[job.chain]:
            self.waiting[job.chain].append(job)
            return None
        self.busy[job.chain] = True
        return job

    def done(self, job: Job) -> Job | None:
        """Return the next job of the chain if there is one."""
        waiting = self.waiting[job.chain]
        if waiting:
            return waiting.popleft()
        self.busy[job.chain] = False
        return None


def submit_all(chains: int, jobs: int, window: int, submit: Callable[[Job], None]) -> None:
    """Submit `jobs` to each chain in turn, with at most `window` under way."""
    under_way: deque[Fence] = deque()
    for _ in range(jobs):
        for chain in range(chains):
            job = Job(chain)
            under_way.append(job.fence)
            submit(job)
            if len(under_way) >= window:
                under_way.popleft().wait()
    for fence in under_way:
        fence.wait()


class Scheduler(pykka.ThreadingActor):
    """Stock pykka: holds the chains."""

    device: pykka.ActorRef[Device]

    def __init__(self, chains: int) -> None:
        super().__init__()
        self.chains = Chains(chains)

    def on_receive(self, message: Any) -> None:  # noqa: ANN401 - as in pykka
        what, value = message
        if what == "device":
            self.device = value
            return
        job = self.chains.submit(value) if what == "submit" else self.chains.done(value)
        if job is not None:
            self.device.tell(job)


class Device(pykka.ThreadingActor):
    """Stock pykka: runs a job, which takes no time."""

    def __init__(self, scheduler: pykka.ActorRef[Any]) -> None:
        super().__init__()
        self.scheduler = scheduler

    def on_receive(self, message: Job) -> None:
        message.fence.signal()
        self.scheduler.tell(("done", message))


class Entity(pykka.ThreadingActor):
    """Stock pykka: an actor for each chain."""

    def __init__(self, scheduler: pykka.ActorRef[Any]) -> None:
        super().__init__()
        self.scheduler = scheduler

    def on_receive(self, message: Job) -> None:
        self.scheduler.tell(("submit", message))


def pykka_two_actors(chains: int, jobs: int, window: int) -> None:
    """Scheduler and device as stock pykka actors."""
    scheduler = Scheduler.start(chains)
    device = Device.start(scheduler)
    scheduler.tell(("device", device))
    submit_all(chains, jobs, window, lambda job: scheduler.tell(("submit", job)))
    for ref in (scheduler, device):
        ref.stop()


def pykka_entities(chains: int, jobs: int, window: int) -> None:
    """The same with one stock pykka actor more for each chain."""
    scheduler = Scheduler.start(chains)
    device = Device.start(scheduler)
    scheduler.tell(("device", device))
    entities = [Entity.start(scheduler) for _ in range(chains)]
    submit_all(chains, jobs, window, lambda job: entities[job.chain].tell(job))
    for entity in entities:
        entity.stop()
    for ref in (scheduler, device):
        ref.stop()


def simple_queues(chains: int, jobs: int, window: int) -> None:
    """Scheduler and device as two threads with a SimpleQueue each."""
    to_scheduler: queue.SimpleQueue[tuple[bool, Job] | None] = queue.SimpleQueue()
    to_device: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
    state = Chains(chains)

    def schedule() -> None:
        while (message := to_scheduler.get()) is not None:
            is_new, value = message
            job = state.submit(value) if is_new else state.done(value)
            if job is not None:
                to_device.put(job)

    def execute() -> None:
        while (job := to_device.get()) is not None:
            job.fence.signal()
            to_scheduler.put((False, job))

    threads = [threading.Thread(target=schedule), threading.Thread(target=execute)]
    for thread in threads:
        thread.start()
    submit_all(chains, jobs, window, lambda job: to_scheduler.put((True, job)))
    to_scheduler.put(None)
    to_device.put(None)
    for thread in threads:
        thread.join()


async def asyncio_pipeline(chains: int, jobs: int, window: int) -> None:
    """Be the client; the scheduler and the device are tasks."""
    state = Chains(chains)
    to_scheduler: asyncio.Queue[tuple[bool, Job]] = asyncio.Queue()
    to_device: asyncio.Queue[Job] = asyncio.Queue()
    futures: dict[Job, asyncio.Future[None]] = {}

    async def schedule() -> None:
        while True:
            is_new, value = await to_scheduler.get()
            job = state.submit(value) if is_new else state.done(value)
            if job is not None:
                to_device.put_nowait(job)

    async def execute() -> None:
        while True:
            job = await to_device.get()
            futures.pop(job).set_result(None)
            to_scheduler.put_nowait((False, job))

    tasks = [asyncio.create_task(schedule()), asyncio.create_task(execute())]
    under_way: deque[asyncio.Future[None]] = deque()
    for number in range(jobs * chains):
        job = Job(number % chains)
        futures[job] = future = asyncio.get_running_loop().create_future()
        under_way.append(future)
        to_scheduler.put_nowait((True, job))
        if len(under_way) >= window:
            await under_way.popleft()
    await asyncio.gather(*under_way)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def asyncio_tasks(chains: int, jobs: int, window: int) -> None:
    """Client, scheduler and device as tasks of one event loop."""
    asyncio.run(asyncio_pipeline(chains, jobs, window))


def simpy_processes(chains: int, jobs: int, window: int) -> None:
    """Client, scheduler and device as simpy processes."""
    env = simpy.Environment()
    state = Chains(chains)
    to_scheduler, to_device = simpy.Store(env), simpy.Store(env)
    events: dict[Job, simpy.Event] = {}

    def schedule() -> Generator[simpy.Event, Any, None]:
        while True:
            is_new, value = yield to_scheduler.get()
            job = state.submit(value) if is_new else state.done(value)
            if job is not None:
                to_device.put(job)

    def execute() -> Generator[simpy.Event, Any, None]:
        while True:
            job = yield to_device.get()
            events.pop(job).succeed()
            to_scheduler.put((False, job))

    def client() -> Generator[simpy.Event, Any, None]:
        under_way: deque[simpy.Event] = deque()
        for _ in range(jobs):
            for chain in range(chains):
                job = Job(chain)
                events[job] = event = env.event()
                under_way.append(event)
                to_scheduler.put((True, job))
                if len(under_way) >= window:
                    yield under_way.popleft()
        yield env.all_of(under_way)

    env.process(schedule())
    env.process(execute())
    env.run(env.process(client()))
