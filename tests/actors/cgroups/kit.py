"""What the tests of control groups share: a runtime with a device, and jobs for it."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass

from fencepost.actors import Entity, Runtime, Scheduler
from fencepost.actors.cgroups.card import Card
from fencepost.actors.cgroups.cgroup import Cgroup
from fencepost.actors.cgroups.client import Client
from fencepost.hw import MockBackend
from tests.actors.kit import ask_name

__all__ = ["Machine", "machine", "shares", "stat"]


@dataclass(frozen=True, slots=True)
class Machine:
    """A runtime with a device of one engine."""

    rt: Runtime
    scheduler: Scheduler
    card: Card

    def group(self, path: str, **files: str) -> Cgroup:
        """Make a group, and the ones above that are not there, which enable the controller; write some `drm.` files."""
        group = self.rt.cgroups.root
        for name in path.split("/"):
            if group.parent is not None and not group.enabled:
                group.write("cgroup.subtree_control", "+drm")
            group = group.children.get(name) or group.mkdir(name)
        for name, text in files.items():
            group.write(f"drm.{name}", text)
        return group

    def client(self, group: Cgroup, name: str = "client") -> Client:
        """Open the device by a process in a group."""
        client = self.card.open(name)
        group.attach(client)
        return client

    def busy(self, client: Client, duration_us: float = 1000, jobs: int = 1200) -> Entity:
        """Make an entity that has more to do than there is time for."""
        entity = client.entity([self.scheduler])
        for _ in range(jobs):
            entity.submit(duration_us)
        return entity

    def settle(self) -> None:
        """Wait until the controller has told all that it knows, and the scheduler has heard it."""
        ask_name(self.rt.cgroups.actor)
        ask_name(self.scheduler.actor)


@contextmanager
def machine(controller: str = "none", driver: str = "generic", *, policy: str = "fair") -> Generator[Machine]:
    """Give a machine in the virtual world."""
    with Runtime("virtual", controller=controller) as rt:
        scheduler = rt.scheduler(MockBackend(), name="rcs0", policy=policy)
        yield Machine(rt, scheduler, rt.cgroups.card("card0", [scheduler], driver=driver))


def stat(group: Cgroup, key: str = "usage_usec") -> int:
    """Return a number from the flat lines of `drm.stat`."""
    flat = (line.split() for line in group.read("drm.stat").splitlines() if "=" not in line)
    return {name: int(value) for name, value in flat}[key]


def shares(groups: Iterable[Cgroup], before: Iterable[int] = ()) -> list[float]:
    """Return what part of their sum each group has used, since before."""
    used = [stat(group) for group in groups]
    used = [now - then for now, then in zip(used, before or [0] * len(used), strict=True)]
    return [each / sum(used) for each in used]
