from __future__ import annotations

import errno

import pytest

from fencepost.actors import Runtime
from fencepost.sync import Gate
from fencepost.zoo.kernel_array import KernelArray
from fencepost.zoo.kernel_fence import KernelFence


@pytest.fixture
def members() -> list[KernelFence]:
    return [KernelFence("a"), KernelFence("b")]


def test_a_query_finds_it_signalled_when_all_members_have(members: list[KernelFence]) -> None:
    array = KernelArray(members)
    members[0].signal()
    assert not array.is_signaled()
    members[1].signal()
    assert array.is_signaled()
    assert array.error.load() == 0


def test_one_member_is_enough_for_any(members: list[KernelFence]) -> None:
    array = KernelArray(members, signal_on_any=True)
    assert not array.is_signaled()
    members[1].signal()
    assert array.is_signaled()


def test_it_is_complete_when_it_is_enabled_too_late(members: list[KernelFence]) -> None:
    for member in members:
        member.signal()
    array = KernelArray(members)
    assert not array.add_callback(lambda: None)
    assert array.flag.load()
    assert array.error.load() == 0


def test_who_waits_is_called_when_the_last_member_signals() -> None:
    with Runtime(world="virtual"):
        members = [KernelFence("a"), KernelFence("b")]
        array = KernelArray(members)
        done = Gate()
        assert array.add_callback(done.open)
        members[1].signal()
        members[0].signal()
        done.wait()


def test_an_error_that_is_known_is_kept(members: list[KernelFence]) -> None:
    array = KernelArray(members)
    array.error.store(-errno.EIO)
    array.complete()
    assert array.error.load() == -errno.EIO
