"""Whatever is refused, with the errno of the kernel, the group and the file."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Final

import pytest

from fencepost.actors.cgroups.cgroup import Cgroup
from tests.actors.cgroups.kit import Machine, machine

BAD_NUMBERS: Final = ["", " ", "\n", "x", "1x", "1 000", "1_000", "1.5", "0x", "08", "--1", "+-1", "1e3", "½"]
"""What is a number in no file."""

TOO_LONG: Final = [str(2**64), "9" * 6000, "0x" + "f" * 17]
"""What has more than 64 bits."""

WRITES: Final[list[tuple[str, str, int]]] = [
    *(("drm.weight", text, errno.EINVAL) for text in BAD_NUMBERS if text != "1 000"),
    *(("drm.weight", text, errno.EINVAL) for text in ("-1", "-0", "default", "card0 x", "card0 1 2", "default 1 2")),
    *(("drm.weight", text, errno.ERANGE) for text in ("0", "10001", "default 0", "card0 10001", *TOO_LONG)),
    *(("drm.weight", text, errno.ENODEV) for text in ("1 000", "card7 100", "card7 default")),
    *(("drm.priority", text, errno.EINVAL) for text in [*BAD_NUMBERS, "-", "- 1", "-+1"]),
    *(("drm.priority", text, errno.ERANGE) for text in ("-10001", "10001", str(2**63), f"-{2**63 + 1}", *TOO_LONG)),
    *(("drm.period_us", text, errno.EINVAL) for text in [*BAD_NUMBERS, "1", "499999", "60000001", "-500000"]),
    *(("drm.period_us", text, errno.ERANGE) for text in TOO_LONG),
    *(("drm.max", text, errno.EINVAL) for text in [*BAD_NUMBERS, "0", "999", "1000 999", "1000 1000001", "max max"]),
    *(("drm.max", text, errno.EINVAL) for text in ("1 2 3", "-1", "max 0", *TOO_LONG)),
    *(("cgroup.procs", text, errno.EINVAL) for text in [*BAD_NUMBERS, "-1", str(2**31), *TOO_LONG]),
    *(("cgroup.procs", text, errno.ESRCH) for text in ("0", "77")),
    *(("cgroup.subtree_control", text, errno.EINVAL) for text in ("drm", "+", "+cpu", "-memory", "+drm cpu", "+ drm")),
    *((file, "0", errno.EINVAL) for file in ("drm.effective_priority", "drm.priority_levels", "drm.budget_supported")),
    *((file, "0", errno.EINVAL) for file in ("drm.stat", "cgroup.controllers", "cgroup.events")),
    *((file, "0", errno.ENOENT) for file in ("drm.throttled", "weight", "", "drm", "../drm.weight", "cpu.weight")),
]


@pytest.mark.parametrize(("file", "text", "number"), WRITES)
def test_a_bad_write_is_refused_and_changes_nothing(file: str, text: str, number: int) -> None:
    with machine() as there:
        group = there.group("A")
        before = everything(group)
        with pytest.raises(OSError, match=f"/A.*{file}") as refused:
            group.write(file, text)
        assert refused.value.errno == number, os.strerror(refused.value.errno or 0)
        assert "\n" not in str(refused.value)
        assert everything(group) == before


def everything(group: Cgroup) -> dict[str, str]:
    return {file: group.read(file) for file in group.files()}


def test_the_message_says_what_was_found_and_what_expected() -> None:
    with machine() as there:
        group = there.group("A/B")
        with pytest.raises(OSError, match=r"/A/B drm\.weight: found '0', expected 1 to 10000$"):
            group.write("drm.weight", "0")
        with pytest.raises(OSError, match=r"drm\.weight: found '9{40}\.\.\.', expected 1 to 10000$"):
            group.write("drm.weight", "9" * 5000)
        with pytest.raises(OSError, match=r"drm\.weight: found 'card1 5', expected one of card0$"):
            group.write("drm.weight", "card1 5")


@pytest.mark.parametrize("file", ["drm.weight", "drm.priority", "drm.max", "drm.period_us", "cgroup.events"])
def test_the_root_lacks_files(file: str) -> None:
    with machine() as there:
        root = there.rt.cgroups.root
        for call in (lambda: root.read(file), lambda: root.write(file, "1")):
            with pytest.raises(OSError, match=f"/: has no file '{file}'") as refused:
                call()
            assert refused.value.errno == errno.ENOENT


def test_where_the_parent_does_not_enable_the_controller_its_files_are_not_there() -> None:
    with machine() as there:
        below = there.group("A").mkdir("B")
        with pytest.raises(OSError, match=r"/A/B: has no file 'drm\.weight'; write \+drm to .* of /A first") as refused:
            below.write("drm.weight", "1")
        assert refused.value.errno == errno.ENOENT


def test_a_scan_is_for_children_of_the_root() -> None:
    with machine() as there:
        with pytest.raises(OSError, match="child of the root") as refused:
            there.group("A/B").write("drm.period_us", "1000000")
        assert refused.value.errno == errno.EINVAL


def make_again(there: Machine) -> None:
    there.group("A").parent.mkdir("A")  # type: ignore[union-attr] # pyright: ignore[reportOptionalMemberAccess]


def make_in(name: str) -> Callable[[Machine], object]:
    return lambda there: there.group("A").mkdir(name)


def remove_with_a_group(there: Machine) -> None:
    group = there.group("A")
    group.mkdir("B")
    group.rmdir()


def remove_with_a_process(there: Machine) -> None:
    group = there.group("A")
    there.client(group)
    group.rmdir()


def remove_the_root(there: Machine) -> None:
    there.rt.cgroups.root.rmdir()


def removed(there: Machine) -> Cgroup:
    group = there.group("A")
    group.rmdir()
    return group


def attach_the_gone(there: Machine) -> None:
    client = there.card.open("client")
    client.close()
    there.group("A").attach(client)


def write_the_gone(there: Machine) -> None:
    process = there.rt.cgroups.process("process")
    process.exit()
    there.group("A").write("cgroup.procs", str(process.pid))


def open_by_the_gone(there: Machine) -> None:
    process = there.rt.cgroups.process("process")
    process.exit()
    there.card.open("client", process)


def hand_over_to_the_gone(there: Machine) -> None:
    process = there.rt.cgroups.process("process")
    process.exit()
    there.card.open("client").hand_over(process)


def attach_beside_groups(there: Machine) -> None:
    group = there.group("A/B").parent
    assert group is not None
    group.attach(there.card.open("client"))


def write_beside_groups(there: Machine) -> None:
    group = there.group("A/B").parent
    assert group is not None
    group.write("cgroup.procs", str(there.card.open("client").process.pid))


def enable_over_a_process(there: Machine) -> None:
    group = there.group("A")
    there.client(group)
    group.write("cgroup.subtree_control", "+drm")


def enable_what_is_not_there(there: Machine) -> None:
    there.group("A").mkdir("B").write("cgroup.subtree_control", "+drm")


def disable_what_is_enabled_below(there: Machine) -> None:
    group = there.group("A/B/C").parent
    assert group is not None
    assert group.parent is not None
    group.parent.write("cgroup.subtree_control", "-drm")


CALLS: Final[list[tuple[Callable[[Machine], object], int]]] = [
    (make_again, errno.EEXIST),
    (make_in("drm.weight"), errno.EEXIST),
    (make_in("cgroup.procs"), errno.EEXIST),
    (make_in("."), errno.EEXIST),
    (make_in(".."), errno.EEXIST),
    (make_in(""), errno.ENOENT),
    (make_in("B/C"), errno.EINVAL),
    (make_in("B\nC"), errno.EINVAL),
    (make_in("ä" * 128), errno.ENAMETOOLONG),
    (remove_with_a_group, errno.EBUSY),
    (remove_with_a_process, errno.EBUSY),
    (remove_the_root, errno.EBUSY),
    (lambda there: removed(there).rmdir(), errno.ENODEV),
    (lambda there: removed(there).mkdir("B"), errno.ENODEV),
    (lambda there: removed(there).read("drm.weight"), errno.ENODEV),
    (lambda there: removed(there).write("drm.weight", "100"), errno.ENODEV),
    (lambda there: removed(there).write("cgroup.procs", "1"), errno.ENODEV),
    (lambda there: removed(there).attach(there.card.open("client")), errno.ENODEV),
    (lambda there: there.rt.cgroups.lookup("A/B"), errno.ENOENT),
    (attach_the_gone, errno.ESRCH),
    (write_the_gone, errno.ESRCH),
    (open_by_the_gone, errno.ESRCH),
    (hand_over_to_the_gone, errno.ESRCH),
    (attach_beside_groups, errno.EBUSY),
    (write_beside_groups, errno.EBUSY),
    (enable_over_a_process, errno.EBUSY),
    (enable_what_is_not_there, errno.ENOENT),
    (disable_what_is_enabled_below, errno.EBUSY),
]


@pytest.mark.parametrize(("call", "number"), CALLS)
def test_a_bad_call_is_refused(call: Callable[[Machine], object], number: int) -> None:
    with machine() as there:
        with pytest.raises(OSError, match=r"^\[Errno") as refused:
            call(there)
        assert refused.value.errno == number, refused.value


def test_a_refused_open_leaves_nothing_behind() -> None:
    with machine() as there:
        root = there.rt.cgroups.root
        before = everything(root)
        with pytest.raises(OSError, match="has exited"):
            open_by_the_gone(there)
        assert everything(root) == before
