"""An interrupt handler that read the registers of a device without power.

The product has no power management; the model is a handler and a suspend.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug
from fencepost.zoo.cell import Cell

__all__ = ["BUG"]


class Device:
    """A device that can be powered off. `_handling` is held while the handler runs."""

    def __init__(self) -> None:
        self._handling = current().lock()
        self._irq_enabled = Cell("irq enabled", value=True)
        self._powered = Cell("power", value=True)

    def handle_irq(self) -> None:
        """Handle an interrupt."""
        with self._handling:
            if self._irq_enabled.load():
                assert self._powered.load(), "a register is read, and the device has no power"

    def suspend(self) -> None:
        """Power it off."""
        self._irq_enabled.store(value=False)
        self.synchronize_irq()
        self._powered.store(value=False)

    def synchronize_irq(self) -> None:
        """Wait until a handler that runs has ended."""
        with self._handling:
            """The next one will find interrupts off."""


class DeviceAsItWas(Device):
    """Thinks of handlers that begin, not of those that run."""

    def synchronize_irq(self) -> None:
        """Wait for nobody."""


def model(device: Device, runtime: Runtime) -> None:
    """Suspend a device while an interrupt comes."""
    runtime.spawn(device.handle_irq, "irq")
    runtime.spawn(device.suspend, "power management")


BUG = Bug(
    name="irq-after-power-off",
    title=None,
    fix="2d7f05cddf4c (PowerVR), date and title not known",
    symptom="an external abort: the kernel dies",
    interleaving="the handler finds that interrupts are on; the suspend turns them off, and then the power; the handler"
    " reads a register",
    repair="wait for a running handler before the power goes",
    broken=lambda runtime: model(DeviceAsItWas(), runtime),
    fixed=lambda runtime: model(Device(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
