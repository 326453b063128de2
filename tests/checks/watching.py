"""What the tests of the observers share: a native world that is watched, and a way round the watchers."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fencepost.checks.observers import Observers
from fencepost.sync import Mailbox, NativeWorld
from fencepost.sync.observed import ObservedWorld
from fencepost.sync.tracking import tracked

__all__ = ["Account", "Watched", "in_turn", "one_after_the_other", "secret_mail", "watched_world"]


@tracked("balance", "owner")
class Account:
    """Something that two tasks use."""

    def __init__(self) -> None:
        self.balance = 0
        self.owner = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """A world and those who watch it."""

    world: ObservedWorld
    observers: Observers


@contextmanager
def watched_world(*, stall_limit_s: float | None = None) -> Generator[Watched]:
    """Enter a native world that is watched; everything started in it must have ended by the end of the body."""
    observers = Observers(stall_limit_s=stall_limit_s)
    world = ObservedWorld(observers)
    world.enter()
    try:
        yield Watched(world, observers)
    finally:
        left = world.close()
    assert left == []


def secret_mail() -> Mailbox[Any]:
    """Make a mailbox that no observer hears of: it brings about an order that nothing in the program ensures."""
    return NativeWorld().mailbox()


def one_after_the_other(watched: Watched, *functions: Callable[[], object]) -> None:
    """Run each function in a task of its own, one after the other, unknown to the watchers."""
    mail = secret_mail()

    def run(function: Callable[[], object]) -> None:
        function()
        mail.put("done")

    def later(function: Callable[[], object]) -> Callable[[], object]:
        return lambda: run(function)

    # All are spawned before the first runs, since a spawn orders.
    go = [secret_mail() for _ in functions]
    tasks = [
        watched.world.spawn(wait_then(go[index], later(function)), name=f"task{index}")
        for index, function in enumerate(functions)
    ]
    for start in go:
        start.put("go")
        mail.get()
    for task in tasks:
        task.join()


def wait_then(start: Mailbox[Any], function: Callable[[], object]) -> Callable[[], object]:
    """Return a function that waits for mail first."""

    def body() -> None:
        start.get()
        function()

    return body


def in_turn(*functions: Callable[[], object]) -> Callable[[], object]:
    """Return a function that calls all of these."""
    return lambda: [function() for function in functions]
