"""The control groups of a run: made before the clients, changed while they run, read when they have ended."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Final

from fencepost.actors import Runtime
from fencepost.actors.backend import engine_class_of
from fencepost.actors.cgroups import Cgroup, Client
from fencepost.hw import GpuStatistics
from fencepost.lab.cgroups import CARD, ChangeSetup, make_change, make_groups
from fencepost.lab.result import CgroupResult, ChangeResult
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.sync import NS_PER_S, Gate

__all__ = ["Groups"]

SATURATED: Final = 0.95
"""Which part of the time the engines of a class are busy when they are in full use, as for i915."""


class Groups:
    """The tree of a run, the GPU as clients open it, and these clients.

    Made by the main task when the schedulers of the GPU are there. `run` is the function of the task that makes the
    changes.

    Args:
        setup: the groups and changes.
        runtime: whose control groups they are.

    Raises:
        BadInput: for what a group or a file refuses.
    """

    def __init__(self, setup: Setup, runtime: Runtime) -> None:
        self._setup = setup
        self._tree = runtime.cgroups
        engines = {name: count for name, count in setup.engines.items() if count}
        self._card = self._tree.card(CARD, runtime.schedulers, driver=setup.driver, engines=engines)
        make_groups(self._tree, setup.cgroups)
        self._clients: dict[str, Client] = {}
        self._outcomes: list[str] = []

    def open(self, setup: ClientSetup) -> Client:
        """Open the GPU for a client, in its group. Raises OSError: as `Cgroup.attach`, and for an unknown group."""
        client = self._clients[setup.name] = self._card.open(setup.name)
        if setup.cgroup is not None:
            self._tree.lookup(setup.cgroup).attach(client)
        return client

    def path(self, setup: ClientSetup) -> str:
        """Return the path of the group that a client began in."""
        return self._tree.lookup(setup.cgroup or "/").path

    def run(self, began_ns: int, over: Gate) -> None:
        """Make the changes, each at its time: blocks until all are made, or the run is over."""
        for each in self._changes():
            if over.wait_until(began_ns + round(each.at_s * NS_PER_S)):
                return
            try:
                make_change(self._tree, each.change, self._clients)
                self._outcomes.append("done")
            except OSError as error:
                self._outcomes.append(errno.errorcode[error.errno or 0])

    def changes(self) -> tuple[ChangeResult, ...]:
        """Return what became of the changes, in the order of their times."""
        outcomes = [*self._outcomes, *["not reached"] * (len(self._setup.changes) - len(self._outcomes))]
        return tuple(
            ChangeResult(each.at_s, str(each.change), outcome)
            for each, outcome in zip(self._changes(), outcomes, strict=True)
        )

    def results(self, gpu: GpuStatistics, elapsed_ns: int) -> tuple[CgroupResult, ...]:
        """Return what each group has had, the root first.

        Args:
            gpu: what the engines did.
            elapsed_ns: how long the run took.
        """
        contested = _saturated(gpu, elapsed_ns)
        root, *others = [self._result(self._tree.lookup(path)) for path in ("/", *self._paths())]
        contested_us = sum(root.engine_us[each] for each in contested)
        if not contested_us:
            return (root, *others)
        return tuple(
            replace(group, share=sum(group.engine_us[each] for each in contested) / contested_us)
            for group in (root, *others)
        )

    def _result(self, group: Cgroup) -> CgroupResult:
        lines = dict(line.split(" ", 1) for line in group.read("drm.stat").splitlines())
        engine_us = dict(field.split("_usec=") for field in lines[CARD].split())
        usage_us = int(engine_us.pop("usage"))
        return CgroupResult(
            path=group.path,
            weight=None if group.parent is None or group.drm is None else group.drm.weight_on(CARD),
            usage_us=usage_us,
            engine_us={name: int(us) for name, us in engine_us.items()},
            share=None,
            nr_throttled=int(lines.get("nr_throttled", 0)),
            throttled_us=int(lines.get("throttled_usec", 0)),
        )

    def _paths(self) -> list[str]:
        return [group.path for group in self._setup.cgroups]

    def _changes(self) -> list[ChangeSetup]:
        return sorted(self._setup.changes, key=lambda each: each.at_s)


def _saturated(gpu: GpuStatistics, elapsed_ns: int) -> list[str]:
    """Name the classes of engines that were in full use."""
    busy_ns: dict[str, list[int]] = {}
    for name, engine in gpu.engines.items():
        busy_ns.setdefault(engine_class_of(name), []).append(engine.busy_ns)
    return [name for name, each_ns in busy_ns.items() if sum(each_ns) >= SATURATED * elapsed_ns * len(each_ns)]
