from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fencepost.actors import Runtime
from fencepost.checks import Kind, explore
from fencepost.checks.observers import Observers
from fencepost.fences import Fence
from fencepost.sync import Gate, NativeWorld, current
from fencepost.sync.observed import ObservedWorld
from fencepost.sync.tracking import published, tracked
from tests.checks.watching import Account, Watched, in_turn, one_after_the_other, secret_mail, watched_world

Order = Callable[[Watched], tuple[Callable[[], object], Callable[[], object]]]
"""Gives what the first task does after its access, and what the second one does before its own."""


def by_lock(_watched: Watched) -> tuple[Callable[[], object], Callable[[], object]]:
    lock = current().lock()

    def step() -> None:
        with lock:
            pass

    return step, step


def by_mail(_watched: Watched) -> tuple[Callable[[], object], Callable[[], object]]:
    mail = current().mailbox()
    return lambda: mail.put("done"), mail.get


def by_mail_that_is_looked_for(_watched: Watched) -> tuple[Callable[[], object], Callable[[], object]]:
    mail = current().mailbox()
    return lambda: mail.put("done"), mail.get_nowait


def by_gate_that_is_waited_for(_watched: Watched) -> tuple[Callable[[], object], Callable[[], object]]:
    gate = Gate()
    return gate.open, gate.wait


def by_gate_that_is_looked_at(_watched: Watched) -> tuple[Callable[[], object], Callable[[], object]]:
    gate = Gate()
    return gate.open, lambda: gate.is_open


def by_fence_that_is_waited_for(_watched: Watched) -> tuple[Callable[[], object], Callable[[], object]]:
    fence = Fence()
    return fence.signal, fence.wait


def by_fence_that_is_looked_at(_watched: Watched) -> tuple[Callable[[], object], Callable[[], object]]:
    fence = Fence()
    return fence.signal, lambda: fence.signaled


def by_callback(_watched: Watched) -> tuple[Callable[[], object], Callable[[], object]]:
    fence, mail = Fence(), current().mailbox()
    fence.add_callback(mail.put)
    return fence.signal, mail.get


def by_timer(watched: Watched) -> tuple[Callable[[], object], Callable[[], object]]:
    fired = current().mailbox()
    world = watched.world
    return lambda: world.timers.call_at(0, lambda: fired.put("now")), fired.get


def by_the_end_of_a_task(watched: Watched) -> tuple[Callable[[], object], Callable[[], object]]:
    child = secret_mail()
    return lambda: child.put(watched.world.spawn(lambda: None, name="child")), lambda: child.get().join()


ORDERS: dict[str, Order] = {
    "a lock": by_lock,
    "mail": by_mail,
    "mail that is looked for": by_mail_that_is_looked_for,
    "a gate that is waited for": by_gate_that_is_waited_for,
    "a gate that is looked at": by_gate_that_is_looked_at,
    "a fence that is waited for": by_fence_that_is_waited_for,
    "a fence that is looked at": by_fence_that_is_looked_at,
    "a callback that posts": by_callback,
    "a timer": by_timer,
    "spawn and join": by_the_end_of_a_task,
}


def nothing(_watched: Watched) -> tuple[Callable[[], object], Callable[[], object]]:
    return lambda: None, lambda: None


def races_between(order: Order, first: Callable[[Account], object], second: Callable[[Account], object]) -> list[str]:
    """Let one task do `first` and another `second`, in that order, which only `order` ensures."""
    with watched_world() as watched:
        account = Account()
        release, acquire = order(watched)
        one_after_the_other(
            watched, in_turn(lambda: first(account), release), in_turn(acquire, lambda: second(account))
        )
    return [str(race) for race in watched.observers.races.found]


def write(account: Account) -> None:
    account.balance = 1


def read(account: Account) -> int:
    return account.balance


ACCESSES = [(write, read), (read, write), (write, write)]


@pytest.mark.parametrize(("first", "second"), ACCESSES)
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_two_accesses_in_an_order_that_something_ensures_are_no_race(
    order: Order, first: Callable[[Account], object], second: Callable[[Account], object]
) -> None:
    assert races_between(order, first, second) == []


@pytest.mark.parametrize(("first", "second"), ACCESSES)
def test_two_accesses_that_nothing_orders_are_a_race(
    first: Callable[[Account], object], second: Callable[[Account], object]
) -> None:
    assert len(races_between(nothing, first, second)) == 1


def test_two_reads_are_no_race() -> None:
    assert races_between(nothing, read, read) == []


def test_different_fields_are_no_race() -> None:
    def rename(account: Account) -> None:
        account.owner = "she"

    assert races_between(nothing, write, rename) == []


@pytest.mark.parametrize("order", [by_lock, by_gate_that_is_looked_at, by_fence_that_is_looked_at])
def test_what_orders_in_one_direction_only_does_not_order_in_the_other(order: Order) -> None:
    """The second task looks before the first has said anything."""

    def backwards(watched: Watched) -> tuple[Callable[[], object], Callable[[], object]]:
        release, acquire = order(watched)
        return acquire, release

    assert (len(races_between(backwards, write, read)) == 1) == (order is not by_lock)


def test_a_write_after_reads_of_several_tasks_races_with_each() -> None:
    with watched_world() as watched:
        account = Account()
        one_after_the_other(
            watched, lambda: read(account), lambda: [account.balance], lambda: setattr(account, "balance", 1)
        )
    assert {race.first.name for race in watched.observers.races.found} == {"task0", "task1"}


def test_a_race_is_reported_once_however_often_it_happens() -> None:
    with watched_world() as watched:
        account = Account()
        one_after_the_other(watched, *[lambda: write(account)] * 5)
    assert len(watched.observers.races.found) == 1


def test_a_report_names_field_tasks_places_and_locks() -> None:
    with watched_world() as watched:
        account, lock = Account(), current().lock()

        def careful() -> None:
            with lock:
                write(account)

        one_after_the_other(watched, careful, lambda: read(account))
    (race,) = watched.observers.races.found
    assert race.field == "Account.balance"
    assert (race.first.name, race.second.name) == ("task0", "task1")
    assert (race.first.writes, race.second.writes) == (True, False)
    assert (race.first.site.function, race.second.site.function) == ("write", "read")
    assert Path(race.first.site.file) == Path(__file__)
    assert race.first.site.line == write.__code__.co_firstlineno + 1
    assert [held.split(" (")[0] for held in race.first.held] == [
        "lock of test_a_report_names_field_tasks_places_and_locks"
    ]
    assert race.second.held == ()
    assert "no lock in common" in str(race)
    assert "written by task0" in str(race)
    assert "read by task1" in str(race)


def test_locks_of_one_kind_do_not_protect_when_they_are_two() -> None:
    with watched_world() as watched:
        account = Account()
        locks = [current().lock() for _ in range(2)]

        def deposit(number: int) -> None:
            with locks[number]:
                account.balance += 1

        one_after_the_other(watched, lambda: deposit(0), lambda: deposit(1))
    assert "not the same one" in str(watched.observers.races.found[0])


def test_a_thread_that_is_not_ours_is_met_when_it_first_takes_a_step_and_orders_like_the_others() -> None:
    with watched_world() as watched:
        account, lock, fence = Account(), current().lock(), Fence()

        def stranger() -> list[str]:
            with lock:
                pass
            fence.wait()
            return [watch.task.name for watch in watched.observers.watches() if watch.is_over is not None]

        task = NativeWorld().spawn(stranger, name="stranger")
        one_after_the_other(watched, in_turn(lambda: write(account), lock.acquire, lock.release), fence.signal)
        assert task.join()
    assert "stranger" in task.result
    assert "stranger" not in [watch.task.name for watch in watched.observers.watches()]
    assert watched.observers.findings == ()


def test_objects_may_go_from_one_watched_world_to_the_next() -> None:
    account = Account()
    for _ in range(2):
        with watched_world() as watched:
            one_after_the_other(watched, lambda: write(account))
        assert watched.observers.races.found == []


def test_an_unwatched_world_hears_nothing_and_fields_work() -> None:
    with watched_world():
        pass
    account = Account()
    write(account)
    assert read(account) == 1
    del account.balance
    with pytest.raises(AttributeError, match="balance"):
        read(account)


def test_slots_and_defaults_can_be_tracked() -> None:
    @tracked("slot")
    class Slotted:
        __slots__ = ("observed_", "slot")
        slot: int

    @tracked("default")
    class WithDefault:
        default = 3

    with watched_world() as watched:
        slotted, default = Slotted(), WithDefault()
        one_after_the_other(watched, lambda: setattr(slotted, "slot", 1), lambda: slotted.slot)
        assert default.default == 3
        default.default = 4
        assert default.default == 4
    assert len(watched.observers.races.found) == 1


def test_an_instance_without_a_place_for_notes_cannot_be_tracked() -> None:
    class Bare:
        __slots__ = ("field",)

    with pytest.raises(TypeError, match="observed_"):
        tracked("field")(Bare)
    with pytest.raises(ValueError, match="no fields"):
        tracked()(Bare)


def test_a_published_field_orders_by_itself_once_it_is_true() -> None:
    @published("ready")
    class Box:
        def __init__(self) -> None:
            self.ready = False

    with watched_world() as watched:
        box, account = Box(), Account()
        one_after_the_other(
            watched,
            in_turn(lambda: write(account), lambda: setattr(box, "ready", True)),
            lambda: box.ready and read(account),
        )
    assert watched.observers.races.found == []


# In the controlled world.


def lost_update(runtime: Runtime) -> None:
    account = Account()

    def deposit() -> None:
        account.balance += 1

    for task in [runtime.spawn(deposit) for _ in range(2)]:
        task.join()


def update(runtime: Runtime) -> None:
    account, lock = Account(), current().lock()

    def deposit() -> None:
        with lock:
            account.balance += 1

    for task in [runtime.spawn(deposit) for _ in range(2)]:
        task.join()
    assert account.balance == 2


def lost_update_that_is_noticed(runtime: Runtime) -> None:
    account = Account()

    def deposit() -> None:
        account.balance += 1

    for task in [runtime.spawn(deposit) for _ in range(2)]:
        task.join()
    assert account.balance == 2


def check_then_act(runtime: Runtime) -> None:
    """Who finds the fence pending takes the money, and so does the one who signals."""
    account, fence = Account(), Fence()

    def take() -> None:
        if not fence.signaled:
            account.balance -= 1

    def settle() -> None:
        account.balance -= 1
        fence.signal()

    for task in [runtime.spawn(take), runtime.spawn(settle)]:
        task.join()


def check_then_wait(runtime: Runtime) -> None:
    account, fence = Account(), Fence()

    def take() -> None:
        fence.wait()
        account.balance -= 1

    def settle() -> None:
        account.balance -= 1
        fence.signal()

    for task in [runtime.spawn(take), runtime.spawn(settle)]:
        task.join()


@pytest.mark.parametrize("broken", [lost_update, check_then_act])
def test_an_exploration_finds_a_race_and_replays_it(broken: Callable[[Runtime], None]) -> None:
    report = explore(broken, schedules=50, observe=True)
    assert report.kind is Kind.RACE
    assert "Account.balance" in report.message
    assert explore(broken, replay=report.replay_token, observe=True).kind is Kind.RACE


@pytest.mark.parametrize("fixed", [update, check_then_wait])
def test_an_exploration_of_a_correct_twin_finds_nothing(fixed: Callable[[Runtime], None]) -> None:
    assert not explore(fixed, schedules=200, observe=True).found


def test_accesses_to_tracked_fields_are_steps_when_observed() -> None:
    """A search can come between the read and the write of a `+=`, which is one step otherwise."""
    report = explore(lost_update_that_is_noticed, schedules=50, observe=True)
    assert report.found
    assert not explore(lost_update_that_is_noticed, schedules=50).found


def test_nothing_is_observed_when_nobody_asks() -> None:
    assert not explore(lost_update, schedules=50).found


def test_the_hooks_do_not_stand_in_the_way_of_a_runtime() -> None:
    observers = Observers()
    with Runtime(world=ObservedWorld(observers)) as runtime:
        assert runtime.spawn(lambda: 3) is not None
    assert observers.findings == ()
