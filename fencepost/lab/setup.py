"""What is to be run: everything that a scenario file and the command line can say, checked and complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fencepost.hw import DEFAULT_ENGINES
from fencepost.lab.cgroups import CgroupSetup, ChangeSetup, DriverName, driver_for
from fencepost.lab.faults import FaultSetup
from fencepost.lab.wsim import Workload
from fencepost.policies import Priority

__all__ = ["ClientSetup", "Setup"]


@dataclass(frozen=True, slots=True)
class ClientSetup:
    """One client: a workload that one task goes through again and again.

    Attributes:
        name: unique in its setup.
        workload: its steps.
        priority: of its contexts, where the workload itself does not set one.
        repeats: how many times it goes through; None goes on until the time is up or the foreground clients are done.
        background: it ends when all clients that are not in the background have ended.
        start_s: when it begins, after the start of the run.
        cgroup: the path of its control group; None is the root.
    """

    name: str
    workload: Workload
    priority: Priority = Priority.NORMAL
    repeats: int | None = 1
    background: bool = False
    start_s: float = 0.0
    cgroup: str | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """One run.

    Attributes:
        title: what tables and plots call it.
        clients: at least one. Clones of one workload share its shared working sets.
        engines: engine class -> number of instances.
        world, dispatch, workers: see `Runtime`.
        policy: who runs next: rr, fifo or fair.
        submission: how jobs get to the hardware.
        credit_limit: jobs on one engine's ring at a time.
        seed: of everything that is drawn at random.
        duration_s: when clients begin no further cycle; None leaves that to `repeats`.
        timeout_s: how long a job may be the oldest on the hardware before it is taken for hung; None is for ever.
        recovery: what the driver does then; None is its usual way.
        faults: what goes wrong on purpose.
        controller: who divides GPU time among control groups.
        chosen_driver: what the GPU's driver does for a controller; None is what that was made for.
        cgroups: the control groups, parents before their children.
        changes: what is changed about them during the run.
        observe: have all observers watch a native run, for races, lock order and stalls.
        keep_events: keep all events of the run, for traces and plots.
    """

    title: str
    clients: tuple[ClientSetup, ...]
    engines: Mapping[str, int] = field(default_factory=lambda: DEFAULT_ENGINES)
    world: Literal["native", "virtual"] = "native"
    dispatch: Literal["thread", "workqueue"] = "thread"
    workers: int = 1
    policy: str = "fair"
    submission: Literal["ring", "guc", "doorbell"] = "ring"
    credit_limit: int = 2
    seed: int = 1
    duration_s: float | None = None
    timeout_s: float | None = None
    recovery: str | None = None
    faults: tuple[FaultSetup, ...] = ()
    controller: str = "none"
    chosen_driver: DriverName | None = None
    cgroups: tuple[CgroupSetup, ...] = ()
    changes: tuple[ChangeSetup, ...] = ()
    observe: bool = False
    keep_events: bool = False

    @property
    def grouped(self) -> bool:
        """Whether it has control groups: else nothing is made for them."""
        return self.controller != "none" or bool(self.cgroups or self.changes)

    @property
    def driver(self) -> DriverName:
        """What the GPU's driver is like, for a controller."""
        return self.chosen_driver or driver_for(self.controller, self.submission)
