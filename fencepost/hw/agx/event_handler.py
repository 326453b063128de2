"""Who hears what the firmware has to say."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from fencepost.actors import Actor, ResetDomain
from fencepost.actors.dispatch import Dispatch
from fencepost.hw.agx.driver import Driver
from fencepost.hw.agx.halt_cycle import HaltCycle
from fencepost.hw.agx.messages import Died, Halted, Notice

__all__ = ["EventHandler"]


class EventHandler(Actor):
    """Ends jobs as the firmware tells of them, and calls for recovery when it tells of something else."""

    signals: ClassVar = True

    def __init__(
        self, dispatch: Dispatch, name: str, driver: Driver, halt_cycle: HaltCycle, domain: ResetDomain
    ) -> None:
        super().__init__(dispatch, name)
        self._driver = driver
        self._halt_cycle = halt_cycle
        self._domain = domain

    def on_notice(self, message: Notice) -> None:
        """End the jobs that are done."""
        self._driver.reap(message.slot)

    def on_halted(self, message: Halted) -> None:
        """Have the GPU recovered."""
        self._domain.recover(partial(self._halt_cycle.recover_halt, message.halt))

    def on_died(self, _message: Died) -> None:
        """Give the device up."""
        self._driver.crash()
        self._domain.unplug()

    messages: ClassVar = {Notice: on_notice, Halted: on_halted, Died: on_died}
