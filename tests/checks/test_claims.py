"""Deadlocks over things that are held and waited for: found at once in a native world that is watched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fencepost.actors import Runtime
from fencepost.checks import Kind, explore
from fencepost.checks.claims import stuck
from fencepost.errors import Deadlock
from fencepost.sync import Gate, Resource, Task, Waiter, current
from tests.checks.watching import Watched, secret_mail, watched_world

PATIENCE_S = 10.0


class Pool:
    """Hands out whatever is free, one at a time."""

    def __init__(self, name: str, total: int) -> None:
        self.resource = Resource(name, total)
        self._lock = current().lock()
        self._waiters: list[Waiter] = []

    def take(self, timeout_s: float | None = None) -> bool:
        """Block until there is one; False when the time is up."""
        world = current()
        when_ns = None if timeout_s is None else world.now_ns() + round(timeout_s * 1e9)
        while True:
            waiter = world.waiter()
            with self._lock:
                if self.resource.free:
                    self.resource.take(1)
                    return True
                claim = self.resource.want(1)
                self._waiters.append(waiter)
            try:
                if not waiter.wait(when_ns, claim):
                    return False
            finally:
                self.resource.withdraw()

    def give_back(self, who: object = None, count: int = 1) -> None:
        with self._lock:
            self.resource.give_back(count, who)
            waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.wake()


def said_of(task: Task) -> str:
    assert task.join(PATIENCE_S)
    return str(task.result)


def until_deadlock(does: Callable[[], object]) -> Callable[[], str]:
    def body() -> str:
        try:
            does()
        except Deadlock as deadlock:
            return str(deadlock)
        return ""

    return body


def test_two_that_each_hold_what_the_other_wants_are_told_so() -> None:
    with watched_world() as watched:
        render, compute = Pool("render ids", 1), Pool("compute ids", 1)
        met = secret_mail(), secret_mail()

        def run(first: Pool, second: Pool, mine: int) -> None:
            first.take()
            met[1 - mine].put("I have mine")
            met[mine].get()
            try:
                second.take()
                second.give_back()
            finally:
                first.give_back()

        tasks = [
            watched.world.spawn(until_deadlock(lambda: run(render, compute, 0)), name="he"),
            watched.world.spawn(until_deadlock(lambda: run(compute, render, 1)), name="she"),
        ]
        said = {said_of(task) for task in tasks} - {""}
    assert {str(stall) for stall in watched.observers.stalls} == said
    (deadlock,) = said
    assert deadlock.startswith("none of these can go on\n")
    assert "he waits for 1 compute ids, 0 of 1 free, held by she (1)" in deadlock
    assert "she waits for 1 render ids, 0 of 1 free, held by he (1)" in deadlock


def test_a_circle_may_go_through_a_lock() -> None:
    with watched_world() as watched:
        ids, lock, has = Pool("ids", 1), current().lock(), Gate("she has the id")

        def she() -> None:
            ids.take()
            has.open()
            with lock:
                ids.give_back()

        with lock:
            task = watched.world.spawn(until_deadlock(she), name="she")
            has.wait()
            said = until_deadlock(ids.take)()
        said += said_of(task)
        if not ids.resource.free:
            ids.resource.give_back(1, task)
    assert "MainThread waits for 1 ids, 0 of 1 free, held by she (1)" in said
    assert len(watched.observers.stalls) == 1


def wants(world: Watched, task: str, does: Callable[[], object]) -> Task:
    """Spawn a task, and return when it waits."""
    spawned = world.world.spawn(does, name=task)
    while spawned.waiting_on is None:
        world.world.plain_waiter().wait(world.world.now_ns() + 100_000, "a moment")
    return spawned


def test_one_whose_wait_somebody_can_end_is_not_stuck() -> None:
    with watched_world() as watched:
        ids, hold = Pool("ids", 2), Gate("hold")

        def hold_one() -> None:
            ids.take()
            hold.wait()
            ids.give_back()

        holder = wants(watched, "holder", hold_one)
        ids.take()
        waiter = wants(watched, "waiter", ids.take)
        assert stuck(watched.observers.watches()) == set()
        hold.open()
        assert holder.join(PATIENCE_S)
        assert waiter.join(PATIENCE_S)
    assert watched.observers.findings == ()


def test_a_wait_with_a_time_out_is_no_deadlock() -> None:
    with watched_world() as watched:
        ids = Pool("ids", 1)
        ids.take()
        assert not ids.take(0.001)
    assert watched.observers.findings == ()


def test_who_waits_for_itself_is_told_so() -> None:
    with watched_world() as watched:
        ids = Pool("ids", 1)
        ids.take()
        with pytest.raises(Deadlock, match=r"MainThread waits for 1 ids, 0 of 1 free, held by MainThread \(1\)"):
            ids.take()
    assert len(watched.observers.stalls) == 1


def test_a_job_that_wants_more_on_its_own_behalf_counts() -> None:
    with watched_world() as watched:
        ids = Pool("ids", 2)
        ids.resource.take(2, "job 1")
        # It has all it wants, and will give them back.
        task = wants(watched, "client", until_deadlock(ids.take))
        assert stuck(watched.observers.watches()) == set()
        ids.resource.want(1, "job 1")
        assert stuck(watched.observers.watches()) == {task, "job 1"}
        assert "job 1 waits for 1 ids, 0 of 2 free, held by job 1 (2)" in map(str, watched.observers.waits())
        ids.resource.withdraw("job 1")
        ids.give_back("job 1", 2)
        assert task.join(PATIENCE_S)


def test_a_job_needs_all_that_it_wants() -> None:
    """What it wants last is free; what it wanted before is held by one who waits for it."""
    with watched_world() as watched:
        ids, slots = Pool("ids", 1), Pool("slots", 1)
        ids.resource.take(1, "job 1")
        task = wants(watched, "client", until_deadlock(ids.take))
        ids.resource.want(1, "job 2")
        slots.resource.want(1, "job 2")
        assert stuck(watched.observers.watches()) == set()
        ids.resource.want(1, "job 1")
        assert stuck(watched.observers.watches()) == {task, "job 1", "job 2"}
        for pool, job in ((ids, "job 1"), (ids, "job 2"), (slots, "job 2")):
            pool.resource.withdraw(job)
        ids.give_back("job 1")
        assert task.join(PATIENCE_S)


@pytest.mark.parametrize("observe", [False, True])
def test_a_search_says_who_holds_what(observe: bool) -> None:  # noqa: FBT001 - a parameter
    def model(runtime: Runtime) -> None:
        ids = Pool("event ids", 2)

        def run() -> None:
            for _ in range(2):
                ids.take()
            ids.give_back(count=2)

        for number in range(2):
            runtime.spawn(run, f"job {number}")

    report = explore(model, observe=observe)
    assert report.kind is Kind.DEADLOCK
    for number in range(2):
        assert f"job {number} waits for 1 event ids, 0 of 2 free, held by job" in report.message
