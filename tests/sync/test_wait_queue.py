"""Wait queues: whoever registered is called at each wake-up, until it is removed."""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.sync import Gate, WaitQueue, World
from fencepost.zoo.cell import Cell
from tests.searching import assert_clean


def test_all_who_wait_are_called_at_each_wake_up(any_world: World) -> None:  # noqa: ARG001 - it is entered
    calls: list[str] = []
    queue = WaitQueue("acknowledgements")
    queue.wake_all()
    wakes = [lambda name=name: calls.append(name) for name in "ab"]
    for wake in wakes:
        queue.add(wake)
    queue.wake_all()
    queue.wake_all()
    assert calls == ["a", "b", "a", "b"]
    assert "acknowledgements" in repr(queue)


def test_who_is_removed_is_called_no_more(any_world: World) -> None:  # noqa: ARG001 - it is entered
    calls: list[str] = []
    queue = WaitQueue()

    def first() -> None:
        calls.append("first")
        queue.remove(first)

    queue.add(first)
    queue.add(lambda: calls.append("second"))
    queue.remove(lambda: None)
    queue.wake_all()
    queue.wake_all()
    assert calls == ["first", "second", "second"]


def test_no_wake_up_is_lost_between_the_look_and_the_sleep() -> None:
    """Who waits registers first and looks then; who changes the state changes it first and wakes then."""

    def model(rt: Runtime) -> None:
        queue, done = WaitQueue(), Cell("done", value=False)

        def change() -> None:
            done.store(value=True)
            queue.wake_all()

        def wait() -> None:
            woken = Gate()
            queue.add(woken.open)
            if not done.load():
                woken.wait()
            queue.remove(woken.open)

        tasks = [rt.spawn(change), rt.spawn(wait), rt.spawn(wait)]
        for task in tasks:
            task.join()

    assert_clean(model)
