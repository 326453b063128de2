from __future__ import annotations

from fencepost.checks.observers import observed_world
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
