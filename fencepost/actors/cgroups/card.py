"""A device as those see it who open it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from fencepost.actors.cgroups.group_scheduler import GroupSchedulerActor
from fencepost.errors import BadInput

if TYPE_CHECKING:
    from fencepost.actors.cgroups.client import Client
    from fencepost.actors.cgroups.drivers import Driver
    from fencepost.actors.cgroups.hierarchy import Cgroups
    from fencepost.actors.cgroups.process import Process
    from fencepost.actors.scheduler import Scheduler

__all__ = ["Card"]

MAX_CAPACITY: Final = 64


class Card:
    """A device that clients open. Made by `Cgroups.card`.

    (kernel: struct drm_device)

    Attributes:
        name: as in per-device lines of control files, such as `card0`.
        number: which of the cards of its runtime it is, from 0.
        pdev: its address on the bus.
        driver: what its driver does for a controller.
        schedulers: those of its engines.
        engines: by class, how many engines there are.
    """

    def __init__(
        self,
        cgroups: Cgroups,
        name: str,
        number: int,
        *,
        driver: type[Driver],
        schedulers: Sequence[Scheduler],
        engines: Mapping[str, int] | None,
    ) -> None:
        self.name = name
        self.number = number
        self.driver = driver
        self.schedulers = tuple(schedulers)
        self.engines = Counter(each.engine_class for each in schedulers) if engines is None else dict(engines)
        for engine_class, count in self.engines.items():
            if not 1 <= count <= MAX_CAPACITY:
                raise BadInput(f"engines of {name}", f"{engine_class}={count}", f"1 to {MAX_CAPACITY} engines")
        self.pdev = f"0000:{number + 1:02x}:00.0"
        self._cgroups = cgroups

    def open(self, name: str, process: Process | None = None) -> Client:
        """Open the device. Client context.

        Args:
            name: what reports and `drm-client-name` call the client.
            process: who opens it. None makes a process of that name for it, which exits when the client is closed.

        Raises:
            BadInput: for a name that is more than one line, or does not print.
            OSError: ESRCH when the process has exited.
        """
        if not name.isprintable():
            raise BadInput("name of a client", repr(name), "what can be printed, in one line")
        return self._cgroups.open(self, name, process)

    @property
    def group_actors(self) -> Iterator[GroupSchedulerActor]:
        """The actors of its schedulers that know groups. Any context."""
        return (each.actor for each in self.schedulers if isinstance(each.actor, GroupSchedulerActor))

    def used_ns(self) -> dict[str, int]:
        """Return the GPU time of the jobs of all clients that are complete, by engine class. Any context."""
        return self._cgroups.used_ns_on(self.name)

    def __repr__(self) -> str:
        return f"<Card {self.name}>"
