from __future__ import annotations

from fencepost import sync
from fencepost.fences.interrupt import Interrupt


def test_it_is_pending_until_it_is_cleared(any_world: sync.World) -> None:  # noqa: ARG001 - where it is made
    interrupt = Interrupt("ctrl-c")
    assert not interrupt.pending
    interrupt.send()
    interrupt.send()
    assert interrupt.pending
    interrupt.clear()
    assert not interrupt.pending
    assert repr(interrupt) == "<ctrl-c>"


def test_it_wakes_who_listens(any_world: sync.World) -> None:  # noqa: ARG001
    interrupt, woken = Interrupt(), list[bool]()

    def wake() -> None:
        woken.append(interrupt.pending)

    interrupt.add(wake)
    interrupt.send()
    interrupt.remove(wake)
    interrupt.send()
    assert woken == [True]
