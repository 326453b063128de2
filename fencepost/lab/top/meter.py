"""From one reading to the next: how busy everybody kept the engines in between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from fencepost.lab.top.fdinfo_text import EngineCounter, Fdinfo
from fencepost.lab.top.reading import ClientReading, GroupReading, Reading
from fencepost.sync import NS_PER_S

__all__ = ["ClientSample", "DeviceSample", "GroupSample", "Meter", "Sample"]

US_PER_S: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ClientSample:
    """A client.

    Attributes:
        engines: name of a class of engines -> how much of it, in percent. More than 100 where a job has ended that
            began before.
    """

    pid: int
    name: str
    engines: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class DeviceSample:
    """A device, its classes of engines by name, and its clients, the busiest first."""

    minor: int
    driver: str
    pdev: str
    engines: tuple[str, ...]
    clients: tuple[ClientSample, ...]


@dataclass(frozen=True, slots=True)
class GroupSample:
    """A control group with all below it.

    Attributes:
        usage_pct: how much it used, of the time of one engine; None where that is not told.
        share_pct: how much it used of what all used; None where nobody used anything.
    """

    path: str
    weight: int | None
    usage_pct: float | None
    share_pct: float | None


@dataclass(frozen=True, slots=True)
class Sample:
    """What happened between two readings.

    Attributes:
        time_s: of the second one, since the first of all.
        interval_s: between them.
        groups: each after its parent, the root first.
    """

    time_s: float
    interval_s: float
    devices: tuple[DeviceSample, ...]
    groups: tuple[GroupSample, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the facts for a line of JSON."""
        return asdict(self)


class Meter:
    """Compares each reading with the one before. Counters that step back stay where they were."""

    def __init__(self, reading: Reading) -> None:
        self._began_ns = reading.time_ns
        self._then = reading

    def sample(self, reading: Reading) -> Sample:
        """Say what has happened since the reading before."""
        then, now = self._then, _not_less(reading, self._then)
        self._then = now
        interval_s = (now.time_ns - then.time_ns) / NS_PER_S
        return Sample(
            time_s=(now.time_ns - self._began_ns) / NS_PER_S,
            interval_s=interval_s,
            devices=tuple(_devices(then, now, interval_s)),
            groups=tuple(_groups(then.groups, now.groups, interval_s)),
        )


def _not_less(now: Reading, then: Reading) -> Reading:
    clients = {
        key: replace(client, fdinfo=_fdinfo_not_less(client.fdinfo, then.clients[key].fdinfo))
        if key in then.clients
        else client
        for key, client in now.clients.items()
    }
    groups = {path: _group_not_less(group, then.groups.get(path, group)) for path, group in now.groups.items()}
    return replace(now, clients=clients, groups=groups)


def _fdinfo_not_less(now: Fdinfo, then: Fdinfo) -> Fdinfo:
    engines = {
        name: replace(counter, used=max(counter.used, then.engines.get(name, counter).used))
        for name, counter in now.engines.items()
    }
    return replace(now, engines=engines)


def _group_not_less(now: GroupReading, then: GroupReading) -> GroupReading:
    if now.usage_us is None or then.usage_us is None:
        return now
    return replace(now, usage_us=max(now.usage_us, then.usage_us))


def _devices(then: Reading, now: Reading, interval_s: float) -> Iterable[DeviceSample]:
    by_minor: defaultdict[int, list[tuple[ClientReading, ClientReading | None]]] = defaultdict(list)
    for key, client in now.clients.items():
        by_minor[client.minor].append((client, then.clients.get(key)))
    for minor, clients in sorted(by_minor.items()):
        first = clients[0][0].fdinfo
        samples = [_client(client, before, interval_s) for client, before in clients]
        samples.sort(key=lambda sample: (-sum(sample.engines.values()), sample.pid))
        engines = dict.fromkeys(name for client, _ in clients for name in client.fdinfo.engines)
        yield DeviceSample(minor, first.driver, first.pdev, tuple(engines), tuple(samples))


def _client(now: ClientReading, then: ClientReading | None, interval_s: float) -> ClientSample:
    # Who was not there before is met now, and is told of from the next time on.
    before = (then or now).fdinfo.engines
    engines = {
        name: _utilisation(counter, before.get(name, counter), interval_s)
        for name, counter in now.fdinfo.engines.items()
    }
    return ClientSample(now.pid, now.fdinfo.name, engines)


def _utilisation(now: EngineCounter, then: EngineCounter, interval_s: float) -> float:
    """Return how much of a class of engines was used, in percent."""
    used = now.used - then.used
    available = interval_s * NS_PER_S if now.total is None or then.total is None else now.total - then.total
    return 100 * used / (available * now.capacity) if available > 0 else 0.0


def _groups(
    then: Mapping[str, GroupReading], now: Mapping[str, GroupReading], interval_s: float
) -> Iterable[GroupSample]:
    used_us = {path: _used_us(group, then.get(path)) for path, group in now.items()}
    all_us = used_us.get("/") or 0
    for path, group in now.items():
        of_group = used_us[path]
        yield GroupSample(
            path,
            group.weight,
            None if of_group is None or not interval_s else 100 * of_group / (interval_s * US_PER_S),
            None if of_group is None or not all_us else 100 * of_group / all_us,
        )


def _used_us(now: GroupReading, then: GroupReading | None) -> int | None:
    if now.usage_us is None:
        return None
    return now.usage_us - ((then.usage_us if then else None) or 0)
