"""Run a setup and say what came out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from fencepost.actors import Runtime
from fencepost.actors.cgroups import Cgroups
from fencepost.checks.invariants import check_events
from fencepost.checks.observers import Finding, Observers
from fencepost.errors import BadInput, Deadlock
from fencepost.hw import GpuStatistics
from fencepost.lab.result import CgroupResult, RunResult
from fencepost.lab.runner.crew import Crew
from fencepost.lab.runner.facts import engine_results, recovery_results, renumbered, workload_result
from fencepost.lab.runner.plan import Plan, make_plan
from fencepost.lab.runner.progress import Progress, progress_of
from fencepost.lab.runner.watch import StopFlag, Watch
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.lab.wsim import Batch, Delay, Period, Workload
from fencepost.sync import NS_PER_S, Gate, NativeWorld
from fencepost.sync.observed import ObservedWorld

__all__ = ["run"]

STALL_LIMIT_S: Final = 20.0
"""For how long nothing may move in a run that is observed, before that is a finding."""


def run(
    setup: Setup,
    *,
    progress: Callable[[Progress], object] | None = None,
    stop: StopFlag | None = None,
    beside: Callable[[Cgroups, Gate], object] | None = None,
) -> RunResult:
    """Run a setup: blocks until its clients have ended.

    In a virtual world the same setup gives an equal result each time, but for `wall_s`. A deadlock there ends the run
    and is told in the result; in the native world nobody sees it, and only `stop` ends such a run.

    Args:
        setup: what to run.
        progress: called by the calling thread, at most about ten times a second, and at an end that was not early.
        stop: ends the run early when it is set: each client stops before its next step, what it waits for is cancelled,
            and the result tells what was done by then.
        beside: the function of one more task, which looks at the control groups; made for it where the setup has none.
            It is to end when the gate opens: no client in the foreground is left.

    Raises:
        BadInput: for a workload that does not fit the GPU, a client that could never end, an unknown policy or engine
            class, a bad number. Nothing has run then.
        ValueError: for two clients of one name, or none in the foreground.
        OSError: for a client whose group is not there, or has groups in it. A `Scenario` refuses that with its line.
        ActorFailed: when an actor or a client died of a mistake in the program.
    """
    wall_ns = NativeWorld().now_ns
    wall_began_ns = wall_ns()
    plans = _plans(setup, endless=stop is not None)
    observers = Observers(stall_limit_s=STALL_LIMIT_S) if setup.observe and setup.world == "native" else None
    runtime = Runtime(
        setup.world if observers is None else ObservedWorld(observers),
        setup.dispatch,
        workers=setup.workers,
        events=None if setup.keep_events else False,
        controller=setup.controller,
    )
    with runtime:
        watch = _watch(setup.clients, stop)
        crew = Crew(setup, plans, runtime, watch, grouped=setup.grouped or beside is not None)
        if beside is not None:
            runtime.spawn(partial(beside, runtime.cgroups, watch.alone), "beside")
        outcome = _attend(crew, watch, runtime, setup, progress)
    return _result(setup, crew, outcome, runtime, observers, wall_s=(wall_ns() - wall_began_ns) / NS_PER_S)


def _result(
    setup: Setup, crew: Crew, outcome: _Outcome, runtime: Runtime, observers: Observers | None, *, wall_s: float
) -> RunResult:
    """Put together what is told of a run that has ended."""
    elapsed_ns = outcome.end_ns - outcome.began_ns
    events = renumbered(runtime.events, crew.contexts)
    groups = crew.groups
    return RunResult(
        title=setup.title,
        world=setup.world,
        dispatch=setup.dispatch,
        policy=setup.policy,
        submission=setup.submission,
        credit_limit=setup.credit_limit,
        seed=setup.seed,
        elapsed_s=elapsed_ns / NS_PER_S,
        wall_s=wall_s,
        interrupted=outcome.interrupted,
        deadlock=outcome.deadlock,
        violations=tuple(check_events(events)) if setup.keep_events else None,
        races=None if observers is None else _in_words(observers.races.found),
        lock_order=None if observers is None else _in_words(observers.lock_order.found),
        stalls=None if observers is None else _in_words(observers.stalls),
        faults=tuple(crew.faults.results),
        recoveries=recovery_results(crew.machine.recoveries(), crew.owners, outcome.began_ns),
        workloads=tuple(
            workload_result(
                client,
                outcome.gpu,
                outcome.end_ns,
                setup.submission,
                None if groups is None else groups.path(client.setup),
            )
            for client in crew.clients
        ),
        engines=engine_results(outcome.gpu, elapsed_ns),
        statistics=runtime.statistics(),
        events=events,
        controller=setup.controller,
        driver=setup.driver if groups is not None else None,
        cgroups=outcome.cgroups,
        changes=() if groups is None else groups.changes(),
    )


def _in_words(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(map(str, findings))


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How the clients ended."""

    began_ns: int
    end_ns: int
    interrupted: bool
    deadlock: str | None
    gpu: GpuStatistics
    cgroups: tuple[CgroupResult, ...]


def _attend(
    crew: Crew, watch: Watch, runtime: Runtime, setup: Setup, progress: Callable[[Progress], object] | None
) -> _Outcome:
    """Let the clients run to their end, or end them."""
    now_ns = runtime.world.now_ns
    began_ns = crew.start()

    def report(end_ns: int | None = None) -> None:
        elapsed_ns = (now_ns() if end_ns is None else end_ns) - began_ns
        if progress is not None:
            progress(progress_of(crew.clients, elapsed_ns / NS_PER_S, setup.duration_s))

    ended, deadlock = False, None
    try:
        ended = watch.attend(report)
    except Deadlock as found:
        deadlock = str(found)
    finally:
        interrupted = watch.over.is_open
        end_ns = max(client.end_ns or 0 for client in crew.clients) if ended else now_ns()
        if not ended:
            crew.disband()
    if ended and not interrupted:
        report(end_ns)
    gpu = crew.machine.statistics()
    # Here, since they are gone when the runtime is left.
    cgroups = () if crew.groups is None else crew.groups.results(gpu, end_ns - began_ns)
    return _Outcome(began_ns, end_ns, interrupted, deadlock, gpu, cgroups)


def _watch(clients: Sequence[ClientSetup], stop: StopFlag | None) -> Watch:
    background = sum(client.background for client in clients)
    return Watch(len(clients) - background, background, stop)


def _plans(setup: Setup, *, endless: bool) -> dict[Workload, Plan]:
    """Check the clients and place their batches."""
    names = [client.name for client in setup.clients]
    if len(set(names)) < len(names):
        raise ValueError(f"clients called {', '.join(names)}, expected each to have a name of its own")
    if all(client.background for client in setup.clients):
        raise ValueError("no client in the foreground, expected at least one")
    for client in setup.clients:
        _check_end(client, endless=endless or client.background or setup.duration_s is not None)
    return {client.workload: make_plan(client.workload, setup.engines) for client in setup.clients}


def _check_end(client: ClientSetup, *, endless: bool) -> None:
    """Refuse a client that would go round for ever, or without time passing."""
    if client.repeats is not None:
        return
    where = f"client {client.name}"
    if not endless:
        raise BadInput(where, "no number of repeats and no duration of the run", "one of them, or nothing would end it")
    if not any(isinstance(step, Batch | Delay | Period) for step in client.workload.steps):
        raise BadInput(where, "a workload that takes no time", "a batch, a delay or a period, or a number of repeats")
