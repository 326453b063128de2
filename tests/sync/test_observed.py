from __future__ import annotations

from fencepost.checks.observers import observed_world
from fencepost.sync import Task
from fencepost.sync.observed import ObservedWaiter


def test_a_sleeper_that_is_woken_knows_who_woke_it() -> None:
    """What the waker has done must be known before the sleeper can go on."""
    world, _ = observed_world()
    known: list[int] = []

    class Inner:
        """A sleep that looks, when it is ended, at what the sleeper would find."""

        def wait(self, deadline_ns: int | None, on: object) -> bool:
            raise NotImplementedError

        def wake(self) -> None:
            known.append(len(waiter._stamps))  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001

    world.enter()
    try:
        waiter = ObservedWaiter(world, Inner())
        waiter.wake()
    finally:
        assert world.close() == []
    assert known == [1]


def test_a_service_that_nobody_hears_of_leaves_the_list_under_its_lock() -> None:
    """By stress this shows only where threads run at the same time."""
    world, _ = observed_world()
    lock, held = world._adoption, list[bool]()  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001

    class Noting(list[Task]):
        """Keeps whether the lock was held when something was taken from it."""

        def remove(self, task: Task, /) -> None:
            held.append(lock.locked())
            super().remove(task)

    world.tasks = Noting()
    world.enter()
    try:
        assert world.spawn_unseen(lambda: None, name="watch").join(10)
    finally:
        assert world.close() == []
    assert held == [True]
