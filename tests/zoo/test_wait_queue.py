from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import explore
from fencepost.zoo.cell import Cell
from fencepost.zoo.wait_queue import WaitQueue


def test_no_change_that_comes_before_the_wake_is_missed() -> None:
    def model(runtime: Runtime) -> None:
        changed = Cell("changed", value=False)
        queue = WaitQueue("queue")

        def change() -> None:
            changed.store(value=True)
            queue.wake_all()

        for _ in range(2):
            runtime.spawn(lambda: queue.wait(changed.load))
        runtime.spawn(change)

    assert not explore(model, schedules=300).found


def test_what_is_true_is_not_waited_for() -> None:
    WaitQueue("queue").wait(lambda: True)
