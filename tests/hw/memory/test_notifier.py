from __future__ import annotations

import errno
from functools import partial

import pytest

from fencepost import Runtime
from fencepost.hw.memory import PAGE_BYTES, Notifier, ProcessMemory


def test_who_uses_a_range_is_told_that_it_goes(rt: Runtime) -> None:  # noqa: ARG001 - in a world
    process, told = ProcessMemory("process"), list[str]()
    for index, name in enumerate(("first", "second", "third")):
        Notifier(process, index * PAGE_BYTES, PAGE_BYTES, partial(told.append, name))
    process.unmap(PAGE_BYTES, 2 * PAGE_BYTES)
    assert told == ["second", "third"]
    process.unmap(0, PAGE_BYTES)
    assert told == ["second", "third", "first"]


def test_it_is_told_under_the_mmap_lock_of_the_writer(rt: Runtime) -> None:  # noqa: ARG001 - in a world
    process = ProcessMemory()
    Notifier(process, 0, PAGE_BYTES, process.mmap_lock.check_held)
    process.unmap(0, PAGE_BYTES)
    assert process.mmap_lock.holders == ()


def test_who_looked_before_a_change_does_not_act_on_it(rt: Runtime) -> None:  # noqa: ARG001 - in a world
    process, done = ProcessMemory(), list[str]()
    notifier = Notifier(process, 0, PAGE_BYTES, lambda: None)
    seen = notifier.sequence
    assert notifier.unless_changed(seen, lambda: done.append("in time"))
    process.unmap(0, PAGE_BYTES)
    assert not notifier.unless_changed(seen, lambda: done.append("too late"))
    assert done == ["in time"]


def test_who_closed_it_is_not_told(rt: Runtime) -> None:  # noqa: ARG001 - in a world
    process, told = ProcessMemory(), list[str]()
    notifier = Notifier(process, 0, PAGE_BYTES, lambda: told.append("told"))
    notifier.close()
    notifier.close()
    process.unmap(0, PAGE_BYTES)
    assert told == []


def test_a_range_is_of_whole_pages(rt: Runtime) -> None:  # noqa: ARG001 - in a world
    process, told = ProcessMemory("process"), list[str]()
    Notifier(process, 0, PAGE_BYTES, lambda: told.append("told"))
    with pytest.raises(OSError, match="memory of process at 0x0 of 100 bytes") as refused:
        process.unmap(0, 100)
    assert (refused.value.errno, told) == (errno.EINVAL, [])
