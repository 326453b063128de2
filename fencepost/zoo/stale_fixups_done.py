"""A firmware that took the end of one migration's fixups for that of the next one's.

The product does not migrate; the model is a device that is moved, and the driver that mends its addresses afterwards.
"""

from __future__ import annotations

from typing import Final

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.sync import current
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]

MIGRATIONS: Final = 2


class Device:
    """A virtual device, which stands still after a migration until its addresses are mended.

    `_lock` protects its fields.
    """

    def __init__(self) -> None:
        self.moved = current().mailbox("migrations")
        self._lock = current().lock()
        self._migrations = 0
        self._mended_for = 0

    def migrate(self) -> None:
        """Move it, and let the driver know."""
        with self._lock:
            self._migrations += 1
        self.moved.put("migrated")

    def fix_up(self) -> None:
        """Mend the addresses, then say so. The driver, once for each migration."""
        with self._lock:
            marker = self._mended_for = self._migrations
        self.fixups_done(marker)

    def fixups_done(self, marker: int) -> None:
        """Run again, unless it was moved once more. The firmware."""
        with self._lock:
            if self.is_due(marker):
                assert self._mended_for == self._migrations, "it runs with the addresses of the place before"

    def is_due(self, marker: int) -> bool:
        """Say whether it waits for the fixups of that migration."""
        return marker == self._migrations


class DeviceAsItWas(Device):
    """Has no markers."""

    def is_due(self, marker: int) -> bool:
        del marker
        return True


def model(device: Device, runtime: Runtime) -> None:
    """Migrate a device, and again."""

    def move() -> None:
        for _ in range(MIGRATIONS):
            device.migrate()

    def recover() -> None:
        for _ in range(MIGRATIONS):
            device.moved.get()
            device.fix_up()

    runtime.spawn(move, "hypervisor")
    runtime.spawn(recover, "driver")


BUG = Bug(
    name="stale-fixups-done",
    title=None,
    fix="9ec3c8ee16a0 (xe, a merge), date and title not known",
    symptom="a migrated device runs with addresses of where it was before",
    interleaving="the driver mends the addresses after a migration; the device is moved again; the driver says that"
    " it is done, and the firmware takes that for the end of the second migration's fixups",
    repair="give each migration a marker, and ignore the end of another's fixups",
    broken=lambda runtime: model(DeviceAsItWas(), runtime),
    fixed=lambda runtime: model(Device(), runtime),
    finds=frozenset({Kind.ASSERTION}),
)
