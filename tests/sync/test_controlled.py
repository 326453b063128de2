"""The controlled world: what is a step, and who may come in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter

import pytest

from fencepost import sync
from fencepost.errors import Deadlock, StepLimit
from fencepost.fences import Fence
from fencepost.sync.controlled import ControlledWorld, Step
from fencepost.sync.watched import Fields, watching

FIELDS: Fields = {(Fence, "_state"): attrgetter("_lock"), (sync.Gate, "_open"): attrgetter("_lock")}


class Script:
    """Chooses as it was told, then the obvious."""

    def __init__(self, *script: int) -> None:
        self.script = list(script)
        self.steps: Sequence[Step] = ()

    def begin(self, steps: Sequence[Step]) -> None:
        self.steps = steps

    def choose(self, candidates: Sequence[int], running: int | None) -> int:
        if self.script:
            return self.script.pop(0)
        return candidates[0] if running is None else running


def run_in(world: ControlledWorld, function: Callable[[], object]) -> list[tuple[int, str]]:
    """Run a function as the main task and return who did what."""
    world.enter()
    try:
        with watching(FIELDS):
            function()
    finally:
        world.close()
    return [(who, action) for who, action, _ in world.steps]


def test_each_use_of_a_thing_is_a_step() -> None:
    world = ControlledWorld(Script())
    waiter, mailbox, lock, flag = world.waiter(), world.mailbox(), world.lock(), world.flag()

    def use() -> None:
        with lock:
            assert lock.locked()
        mailbox.put(1)
        assert not mailbox.empty()
        assert mailbox.get() == 1
        flag.set()
        assert flag.is_set()
        waiter.wake()
        task = world.spawn(lambda: None, name="child")
        assert task.join()
        assert task.done

    assert [action for _, action in run_in(world, use)] == [
        *("acquire", "look", "release", "put", "look", "get", "set", "look", "wake"),
        *("spawn", "join", "sleep", "start", "end", "wake", "go on", "look"),
    ]


def test_others_come_in_where_the_search_says() -> None:
    def use(world: ControlledWorld) -> list[str]:
        happened: list[str] = []
        lock = world.lock()

        def child() -> None:
            with lock:
                happened.append("child")

        task = world.spawn(child, name="child")
        with lock:
            happened.append("main")
        task.join()
        return happened

    orders: list[list[str]] = []
    for script in ((0,), (1, 1, 1)):
        world = ControlledWorld(Script(*script))
        run_in(world, lambda world=world: orders.append(use(world)))  # type: ignore[misc]
    assert orders == [["main", "child"], ["child", "main"]]


def test_a_fence_is_read_in_a_step_of_its_own_unless_under_its_lock() -> None:
    world = ControlledWorld(Script())

    def use() -> None:
        fence = Fence()
        assert not fence.signaled
        fence.signal()
        assert fence.signaled

    assert [action for _, action in run_in(world, use)] == ["read", "acquire", "write", "release", "read"]


def test_nothing_is_watched_outside() -> None:
    plain = Fence.__dict__["_state"]
    world = ControlledWorld(Script())
    world.enter()
    fence = Fence()
    assert not fence.signaled
    world.close()
    assert world.steps == []
    with watching(FIELDS), watching(FIELDS):
        fence = Fence()
        assert not fence.signaled
        assert fence.signal()
    assert Fence.__dict__["_state"] is plain


def test_numbers_of_things_do_not_depend_on_what_others_make() -> None:
    numbers: list[set[tuple[int, str, int]]] = []
    for script in ((0, 0, 0, 0), (1, 1, 1, 1)):
        world = ControlledWorld(Script(*script))

        def make(world: ControlledWorld = world) -> None:
            task = world.spawn(lambda: world.lock().acquire(), name="child")
            world.lock().acquire()
            task.join()

        run_in(world, make)
        numbers.append({step for step in world.steps if step[1] == "acquire"})
    assert numbers[0] == numbers[1]


def test_a_deadlock_tells_of_services_that_wait_for_somebody_only() -> None:
    world = ControlledWorld(Script())

    def use() -> None:
        world.spawn(world.mailbox("mail").get, name="idle", service=True)
        world.spawn(sync.Gate("an answer").wait, name="asks", service=True)
        sync.Gate("the end").wait()

    with pytest.raises(Deadlock) as caught:
        run_in(world, use)
    assert str(caught.value).splitlines() == [
        "nothing can run any more at 0.000000 s; 1 services are idle",
        "  main waits for <the end, shut>",
        "  asks waits for <an answer, shut>",
    ]


def test_a_task_without_an_end_is_unwound() -> None:
    world = ControlledWorld(Script(), step_limit=100)
    ended: list[str] = []

    def spin() -> None:
        lock = world.lock()
        try:
            while True:
                with lock:
                    pass
        finally:
            ended.append("spinner")

    def use() -> None:
        world.spawn(spin, name="spinner").join()

    with pytest.raises(StepLimit, match="100 steps and no end"):
        run_in(world, use)
    assert ended == ["spinner"]


def test_a_task_that_only_sleeps_has_no_end_either() -> None:
    world = ControlledWorld(Script(), step_limit=100)

    def nap() -> None:
        while True:
            world.sleep(1)

    with pytest.raises(StepLimit, match="100 steps and no end"):
        run_in(world, lambda: world.spawn(nap, name="napper").join())


def test_what_a_search_raises_at_the_end_of_a_task_is_raised_by_the_main_task() -> None:
    class Broken(Script):
        def choose(self, candidates: Sequence[int], running: int | None) -> int:
            if running is None:
                raise ValueError("no idea")
            return super().choose(candidates, running)

    world = ControlledWorld(Broken(0, 1, 1))

    def use() -> None:
        world.spawn(lambda: None, name="ends")
        world.spawn(lambda: None, name="other")
        world.point("look", 1)

    with pytest.raises(ValueError, match="no idea"):
        run_in(world, use)
    assert world.tasks == []


def test_who_spins_while_all_is_tidied_up_is_unwound_too() -> None:
    world = ControlledWorld(Script(), step_limit=100)
    flag = world.flag()

    def spin() -> None:
        while not flag.is_set():
            pass

    def use() -> None:
        world.spawn(spin, name="spinner")

    run_in(world, use)
    assert world.tasks == []


def test_what_is_in_a_slot_a_dictionary_or_the_class_is_watched_alike() -> None:
    class Slotted:
        __slots__ = ("lock", "value")

        def __init__(self) -> None:
            self.lock = sync.current().lock()
            self.value = 0

    class Plain:
        def __init__(self) -> None:
            self.lock = sync.current().lock()
            self.value = 0

    class Defaulted:
        value = 0

        def __init__(self) -> None:
            self.lock = sync.current().lock()

    def use(kind: type[Slotted | Plain | Defaulted]) -> list[str]:
        def body() -> None:
            thing = kind()
            thing.value += 1
            with thing.lock:
                thing.value += 1
            assert thing.value == 2

        world = ControlledWorld(Script())
        with watching({(kind, "value"): attrgetter("lock")}):
            return [action for _, action in run_in(world, body)]

    for kind in (Slotted, Plain, Defaulted):
        assert use(kind) == ["read", "write", "acquire", "write", "release", "read"], kind
    assert (Defaulted.value, "value" in Plain.__dict__) == (0, False)
    with watching({(Plain, "value"): attrgetter("lock")}):
        thing = Plain()
        del thing.value
        assert not hasattr(thing, "value")
