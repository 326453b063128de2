from __future__ import annotations

import errno
from dataclasses import replace

import pytest

from fencepost.hw.mapping import Arguments
from tests.fences.refusal import refused


@pytest.mark.parametrize(
    ("devices", "n_success", "number", "said"),
    [
        ((), 0, errno.EINVAL, "a list of 0 devices"),
        (tuple(range(9)), 0, errno.EINVAL, "a list of 9 devices"),
        ((0, 1, 0), 0, errno.EINVAL, "device 0 twice"),
        ((0, 8), 0, errno.ENODEV, "device 8"),
        ((0, -1), 0, errno.ENODEV, "device -1"),
        ((0, 1), 3, errno.EINVAL, "n_success of 3 for 2"),
        ((0, 1), -1, errno.EINVAL, "n_success of -1"),
    ],
)
def test_bad_ones_are_refused(devices: tuple[int, ...], n_success: int, number: int, said: str) -> None:
    with refused(number, said):
        Arguments(1, devices, n_success).check(range(8))


@pytest.mark.parametrize(("devices", "n_success"), [((0,), 0), ((0,), 1), ((7, 3, 0), 3), (tuple(range(8)), 8)])
def test_good_ones_are_not(devices: tuple[int, ...], n_success: int) -> None:
    Arguments(1, devices, n_success).check(range(8))


def test_what_the_kernel_says_is_copied_back() -> None:
    arguments = Arguments(1, (0, 1), status=(None, None))
    inside = replace(arguments, n_success=2, fence=5)
    inside.tell(1)
    inside.tell(0, OSError(errno.EIO, "lost"))
    assert arguments.status[1] is None
    arguments.copy_back(inside)
    assert (arguments.n_success, arguments.fence, arguments.status) == (2, 5, (-errno.EIO, 0))
    with refused(errno.EIO, "device 0 of 2"):
        arguments.check_status()


def test_what_cannot_be_written_stays_as_it_is() -> None:
    arguments = Arguments(1, (0, 1), writable=False)
    with refused(errno.EFAULT, "read-only"):
        arguments.copy_back(replace(arguments, n_success=2))
    assert arguments.n_success == 0
