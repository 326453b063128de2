"""What docstrings say that a lock protects, nobody touches without."""

from __future__ import annotations

from fencepost.sync import WaitQueue, World
from tests.guarding import guarded


def test_of_a_wait_queue(any_world: World) -> None:  # noqa: ARG001 - it is entered
    queue = guarded(WaitQueue, "_wakes")
    calls: list[None] = []

    def wake() -> None:
        calls.append(None)

    queue.add(wake)
    queue.wake_all()
    queue.remove(wake)
    queue.wake_all()
    assert len(calls) == 1
