"""The block of arguments of a call, in the memory of its client."""

from __future__ import annotations

import errno
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

__all__ = ["MAX_GPUS", "Arguments"]

MAX_GPUS: Final = 8


@dataclass(slots=True)
class Arguments:
    """What a call is asked, and what it tells. A design makes use of some of it.

    The kernel works on a copy, and copies it back at the end, also when the call failed. So a call that is made again
    after a signal begins with what the one before it said.

    Attributes:
        handle: of the buffer.
        devices: numbers of GPUs.
        n_success: of so many, from the first, the call has started the mapping. Has to be 0 at first.
        status: of each device, 0 when it is usable, the negative errno it failed with, or None while it is not known.
        fence: handle of a fence; 0 is none.
        timeout_s: how long a wait for a fence lasts; None is for ever.
        writable: whether the kernel can copy it back.
    """

    handle: int
    devices: tuple[int, ...]
    n_success: int = 0
    status: tuple[int | None, ...] = ()
    fence: int = 0
    timeout_s: float | None = None
    writable: bool = True

    def check(self, known: Collection[int]) -> None:
        """Raise OSError EINVAL for no devices, more than 8, one that is named twice, or an n_success beyond them.

        Also for a status of some devices and not of others; ENODEV for a device that is not among those `known`.
        """
        count = len(self.devices)
        if not 1 <= count <= MAX_GPUS:
            raise OSError(errno.EINVAL, f"a list of {count} devices, expected 1 to {MAX_GPUS}")
        if not 0 <= self.n_success <= count:
            raise OSError(errno.EINVAL, f"an n_success of {self.n_success} for {count} devices, expected 0 to {count}")
        if self.status and len(self.status) != count:
            raise OSError(errno.EINVAL, f"a status list of {len(self.status)} for {count} devices")
        for place, device in enumerate(self.devices):
            if device not in known:
                raise OSError(errno.ENODEV, f"device {device}, expected one of {', '.join(map(str, known))}")
            if device in self.devices[:place]:
                raise OSError(errno.EINVAL, f"device {device} twice in one list, expected each once")

    def tell(self, place: int, error: OSError | None = None) -> None:
        """Note how it went on the device at this place of the list."""
        status = 0 if error is None else -(error.errno or 0)
        self.status = (*self.status[:place], status, *self.status[place + 1 :])

    def check_status(self) -> None:
        """Raise OSError for the first device that failed."""
        for device, status in zip(self.devices, self.status, strict=True):
            if status:
                raise OSError(-status, f"device {device} of {len(self.devices)} failed")

    def copy_back(self, inside: Arguments) -> None:
        """Take over what the kernel says. Raises OSError EFAULT, with nothing changed, when it cannot be written."""
        if not self.writable:
            raise OSError(errno.EFAULT, "the arguments cannot be written back: their memory is read-only")
        self.n_success, self.status, self.fence = inside.n_success, inside.status, inside.fence
