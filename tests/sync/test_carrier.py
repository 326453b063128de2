"""Carriers: greenlets that are used again, and take nothing along."""

from __future__ import annotations

import contextvars
import weakref
from collections.abc import Generator
from functools import partial

import pytest
from greenlet import getcurrent, greenlet

from fencepost.sync.carrier import Carriers, keeping_carriers
from fencepost.sync.virtual import VirtualTask, VirtualWorld
from fencepost.sync.world import ambient

NAME: contextvars.ContextVar[str] = contextvars.ContextVar("NAME", default="nobody's")


@pytest.fixture
def carriers() -> Generator[Carriers, None, None]:
    made = Carriers()
    yield made
    made.close()


def run(carriers: Carriers, seen: list[greenlet]) -> greenlet:
    main = getcurrent()

    def errand() -> greenlet:
        seen.append(getcurrent())
        return main

    carrier = carriers.take(errand, getcurrent())
    carrier.switch()
    return carrier


def test_who_has_done_its_errand_is_taken_again(carriers: Carriers) -> None:
    seen: list[greenlet] = []
    first = run(carriers, seen)
    assert run(carriers, seen) is first
    assert seen == [first, first]


def test_two_errands_at_a_time_are_of_two_carriers(carriers: Carriers) -> None:
    main = getcurrent()
    one, other = carriers.take(lambda: main, main), carriers.take(lambda: main, main)
    assert one is not other


def test_each_errand_has_context_variables_of_its_own(carriers: Carriers) -> None:
    main = getcurrent()
    seen: list[str] = []

    def errand() -> greenlet:
        seen.append(NAME.get())
        NAME.set("the last one's")
        return main

    for _ in range(2):
        carriers.take(errand, getcurrent()).switch()
    assert (seen, NAME.get()) == (["nobody's"] * 2, "nobody's")


def test_an_idle_carrier_keeps_nothing_of_its_errand(carriers: Carriers) -> None:
    class Thing:
        pass

    main, thing = getcurrent(), Thing()

    def keeps(_thing: Thing) -> greenlet:
        return main

    gone = weakref.ref(thing)
    carriers.take(partial(keeps, thing), main).switch()
    del thing
    assert gone() is None


def test_an_errand_that_names_nobody_ends_its_carrier(carriers: Carriers) -> None:
    carrier = carriers.take(lambda: None, getcurrent())
    carrier.switch()
    assert carrier.dead


def test_what_an_errand_raises_is_raised_at_home_and_others_can_be_taken(carriers: Carriers) -> None:
    def errand() -> greenlet:
        raise ValueError("told")

    for _ in range(2):
        with pytest.raises(ValueError, match="told"):
            carriers.take(errand, getcurrent()).switch()
    seen: list[greenlet] = []
    run(carriers, seen)
    assert len(seen) == 1


def test_worlds_entered_one_after_the_other_share_what_is_kept() -> None:
    def greenlets_of_a_world() -> set[int]:
        world = VirtualWorld()
        world.enter()
        tasks = [world.spawn(lambda: None, name=f"t{number}") for number in range(3)]
        used = {id(task.greenlet) for task in tasks if isinstance(task, VirtualTask)}
        for task in tasks:
            task.join()
        world.close()
        return used

    with keeping_carriers():
        kept = ambient.carriers
        assert greenlets_of_a_world() == greenlets_of_a_world()
        assert ambient.carriers is kept
    assert ambient.carriers is None


def test_a_world_inside_of_another_has_carriers_of_its_own() -> None:
    with keeping_carriers():
        kept = ambient.carriers
        outer, inner = VirtualWorld(), VirtualWorld()
        outer.enter()
        inner.enter()
        done: list[str] = []
        inner.spawn(lambda: done.append("inner"), name="inner").join()
        inner.close()
        outer.spawn(lambda: done.append("outer"), name="outer").join()
        outer.close()
        assert done == ["inner", "outer"]
        assert ambient.carriers is kept


def test_a_task_that_is_unwound_does_not_spoil_what_is_kept() -> None:
    with keeping_carriers():
        for _ in range(2):
            world = VirtualWorld()
            world.enter()
            world.spawn(world.mailbox().get, name="waits for ever")
            world.spawn(lambda: None, name="ends")
            assert [task.name for task in world.close()] == ["waits for ever"]
