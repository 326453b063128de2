"""From what the clients and the hardware have counted to the facts of a result."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from fencepost.actors import RecoveryRecord
from fencepost.events import FIELDS, Event, EventRing
from fencepost.hw import GpuStatistics
from fencepost.lab.result import EngineResult, RecoveryResult, TimeSpread, WorkloadResult
from fencepost.lab.runner.client import Client
from fencepost.lab.runner.no_effect import no_effect
from fencepost.sync import NS_PER_S

__all__ = ["engine_results", "recovery_results", "renumbered", "spread", "workload_result"]


def workload_result(
    client: Client, gpu: GpuStatistics, now_ns: int, submission: str, cgroup: str | None = None
) -> WorkloadResult:
    """Return what is known about a client; one that has not ended is taken to end now."""
    setup, cycles, losses = client.setup, client.cycles, client.losses
    times_us = tuple(time_ns / 1000 for time_ns in list(cycles.times_ns))
    start_ns = now_ns if client.start_ns is None else client.start_ns
    lasted_ns = (now_ns if client.end_ns is None else client.end_ns) - start_ns
    return WorkloadResult(
        name=setup.workload.name,
        client=setup.name,
        cycles=len(times_us),
        cycles_per_s=len(times_us) * NS_PER_S / lasted_ns if times_us and lasted_ns else 0.0,
        missed_periods=cycles.missed,
        time_us=spread(times_us) if times_us else None,
        gpu_time_us={engine: ns / 1000 for (name, engine), ns in gpu.clients.items() if name == setup.name},
        jobs_lost=losses.jobs,
        contexts_lost=losses.contexts,
        guilty=losses.guilty,
        device_lost=losses.device,
        outages_us=tuple(losses.outages_us),
        no_effect=no_effect(setup.workload, submission),
        cycle_times_us=times_us,
        cgroup=cgroup,
    )


def engine_results(gpu: GpuStatistics, elapsed_ns: int) -> tuple[EngineResult, ...]:
    """Return what the engines did in that time."""
    return tuple(
        EngineResult(
            name=name,
            busy_us=engine.busy_ns / 1000,
            busy_pct=100 * engine.busy_ns / elapsed_ns if elapsed_ns else 0.0,
            jobs=engine.jobs,
        )
        for name, engine in gpu.engines.items()
    )


def recovery_results(
    records: Iterable[RecoveryRecord], owners: Mapping[int, str], began_ns: int
) -> tuple[RecoveryResult, ...]:
    """Return what the driver did.

    Args:
        owners: fence context -> name of the client.
        began_ns: when the run started.
    """
    return tuple(
        RecoveryResult(
            at_s=(record.begin_ns - began_ns) / NS_PER_S,
            took_us=(record.end_ns - record.begin_ns) / 1000,
            scheduler=record.scheduler,
            client=None if record.job is None else owners.get(record.job[0]),
            status=record.status.value,
        )
        for record in records
    )


def spread(times_us: Sequence[float]) -> TimeSpread:
    """Return how times spread; a percentile is the smallest time that so many of them do not exceed."""
    ordered = sorted(times_us)

    def percentile(percent: int) -> float:
        return ordered[math.ceil(len(ordered) * percent / 100) - 1]

    return TimeSpread(
        avg=math.fsum(ordered) / len(ordered),
        min=ordered[0],
        max=ordered[-1],
        p50=percentile(50),
        p99=percentile(99),
    )


def renumbered(events: EventRing | None, contexts: Sequence[int]) -> tuple[Event, ...]:
    """Return all events, with fence contexts that count from 1.

    The numbers that the fences bear depend on what else the process has done; those in a result must not.

    Args:
        events: where they are; None for none.
        contexts: those that are to come first, in this order.
    """
    if events is None:
        return ()
    numbers = {context: number for number, context in enumerate(contexts, start=1)}
    places = {kind: _context_places(fields) for kind, fields in FIELDS.items()}
    return tuple(_renumber(event, places, numbers) for event in events)


def _context_places(fields: Sequence[str]) -> tuple[int, ...]:
    return tuple(place for place, name in enumerate(fields, start=2) if name in {"context", "on_context"})


def _renumber(event: Event, places: Mapping[str, Sequence[int]], numbers: dict[int, int]) -> Event:
    fields = list(event)
    for place in places[event[1]]:
        fields[place] = numbers.setdefault(fields[place], len(numbers) + 1)
    return tuple(fields)
