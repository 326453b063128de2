"""What an exploration finds, how it tells it, and that it can be had again."""

from __future__ import annotations

import gc
import random
import re
import warnings
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from fencepost.actors import Actor, Runtime
from fencepost.checks import Kind, Report, explore
from fencepost.checks.search import DfsStrategy
from fencepost.errors import BadInput, NotDeterministic, WrongState
from fencepost.fences import Fence
from fencepost.hw import MockBackend
from fencepost.sync import Gate, World, current
from fencepost.sync.tracking import tracked
from tests.checks.planted import PLANTED


def stands_still(_runtime: Runtime) -> None:
    Gate("what never comes").wait()


def asserts(_runtime: Runtime) -> None:
    with current().lock():
        pass
    assert 1 + 1 == 3


@tracked("_count")
class Meter:
    """Cannot say how it stands while somebody changes it."""

    def __init__(self) -> None:
        self._lock = current().lock()
        self._count = 0

    def step(self) -> None:
        with self._lock:
            self._count += 1

    def peek(self) -> int:
        return self._count

    def __repr__(self) -> str:
        with self._lock:
            return f"<Meter at {self._count}>"


def reads_a_meter_without_its_lock(runtime: Runtime) -> None:
    meter = Meter()
    runtime.spawn(meter.step, "stepper")
    meter.peek()


def raises_in_a_client(runtime: Runtime) -> None:
    def fail() -> None:
        raise KeyError("nothing here")

    runtime.spawn(fail, "client")
    Gate("what the client would open").wait()


def goes_round_in_circles(_runtime: Runtime) -> None:
    fence = Fence()
    while not fence.signaled:
        pass


def fails_in_its_clean_up(_runtime: Runtime) -> None:
    lock = current().lock()
    try:
        while True:
            with lock:
                pass
    finally:
        raise RuntimeError("what was cut off had not come so far")


def fails_in_the_clean_up_of_a_client(runtime: Runtime) -> None:
    runtime.spawn(lambda: fails_in_its_clean_up(runtime)).join()


def goes_round_in_a_client(runtime: Runtime) -> None:
    runtime.spawn(lambda: goes_round_in_circles(runtime), "client").join()


def asks_the_dead(runtime: Runtime) -> None:
    actor = runtime.start(Actor, name="A")
    actor.actor_ref.stop()
    actor.actor_ref.tell("hello")


def forgets_to_push(runtime: Runtime) -> None:
    job = runtime.scheduler(MockBackend()).entity().job(duration_us=1)
    job.arm()


def leaves_a_task(runtime: Runtime) -> None:
    runtime.world.spawn(Gate("what never comes").wait, name="sleeper")


@pytest.mark.parametrize(
    ("model", "kind", "message"),
    [
        (stands_still, Kind.DEADLOCK, r"main waits for <what never comes, shut>"),
        (asserts, Kind.ASSERTION, r"assert .* \(test_explore.py:\d+ in asserts\)"),
        (raises_in_a_client, Kind.EXCEPTION, r"KeyError: 'nothing here' \(test_explore.py:\d+ in fail\)"),
        (goes_round_in_circles, Kind.ENDLESS, "500 steps and no end"),
        (goes_round_in_a_client, Kind.ENDLESS, "500 steps and no end"),
        (fails_in_its_clean_up, Kind.ENDLESS, "500 steps and no end"),
        (fails_in_the_clean_up_of_a_client, Kind.ENDLESS, "500 steps and no end"),
        (asks_the_dead, Kind.USE_AFTER_END, r"ActorDeadError: .* called from test_explore.py:\d+"),
        (forgets_to_push, Kind.UNSIGNALED, "1 armed jobs were never pushed"),
        (leaves_a_task, Kind.LEAK, "still alive at the end: sleeper"),
    ],
)
def test_each_kind_of_find_is_told_apart(model: Callable[[Runtime], None], kind: Kind, message: str) -> None:
    report = explore(model, step_limit=500)
    assert report.kind == kind
    assert re.search(message, report.message), report.message
    assert explore(model, replay=report.replay_token, step_limit=500).message == report.message


def test_a_report_tells_who_waits_for_whom_and_how_that_came() -> None:
    said = str(explore(PLANTED["lock order"].broken))
    assert re.search(r"A waits for <lock main.\d+ \(model\), held by B>", said)
    assert re.search(r"B waits for <lock main.\d+ \(model\), held by A>", said)
    assert re.search(r"A +gets Go from mail of A", said)
    assert re.search(r"-> [AB] ", said)
    assert re.search(r"replay: never\.\d+-\d+", said)
    assert "0x" not in said


def test_a_report_names_answers_by_who_owes_them() -> None:
    report = explore(PLANTED["ask cycle"].broken)
    assert "A waits for <the answer of B to Question, shut>" in report.message
    assert "B waits for <the answer of A to Question, shut>" in report.message


def test_what_is_shown_takes_as_few_interruptions_as_it_can() -> None:
    for name in ("lost update", "check then act", "missed wake-up", "lock order"):
        outcome = explore(PLANTED[name].broken, seed=2).outcome
        assert outcome is not None
        assert outcome.preemptions == 1, name


def test_a_trace_has_a_track_for_each_task(tmp_path: Path) -> None:
    path = tmp_path / "schedule.pftrace"
    report = explore(PLANTED["lost update"].broken)
    report.write_trace(path)
    content = path.read_bytes()
    assert all(word in content for word in (b"main", b"mail of A", b"takes lock", b"assertion: "))
    with pytest.raises(BadInput, match="pftrace"):
        report.write_trace(tmp_path / "schedule.txt")
    with pytest.raises(WrongState, match="no failing schedule"):
        Report(3).write_trace(path)


def test_the_same_seed_finds_the_same() -> None:
    one, other = (explore(PLANTED["lost update"].broken, seed=9) for _ in range(2))
    assert str(one) == str(other)


def test_a_model_that_does_as_it_likes_is_refused() -> None:
    def model(_runtime: Runtime) -> None:
        for _ in range(random.randrange(10_000)):
            current().lock().acquire()

    with pytest.raises(NotDeterministic, match=r"steps.*, then, with the same choices.*look for chance"):
        explore(model)


def test_a_model_that_keeps_something_between_runs_is_refused() -> None:
    runs: list[int] = []

    def model(_runtime: Runtime) -> None:
        runs.append(1)
        lock, mailbox = current().lock(), current().mailbox()
        if len(runs) % 2:
            lock.acquire()
        else:
            mailbox.put(1)

    with pytest.raises(NotDeterministic, match=r"step 0 was `acquire` of thing .* by main, .*`put` of thing"):
        explore(model)


def test_a_token_of_another_model_is_refused() -> None:
    with pytest.raises(NotDeterministic, match="1 choices of the replay token could not be made"):
        explore(asserts, replay="never.7-1")


def test_a_fence_that_is_only_read_is_a_step_of_its_own() -> None:
    """The look and the use of what was seen can be told apart only when something may come between them."""

    def model(runtime: Runtime) -> None:
        fence = Fence()
        client = runtime.spawn(fence.signal, "client")
        first, second = fence.signaled, fence.signaled
        client.join()
        seen.add((first, second))

    seen: set[tuple[bool, bool]] = set()
    assert explore(model, strategy="dfs").complete
    assert seen == {(False, False), (False, True), (True, True)}


def test_fields_are_as_before_when_it_is_over() -> None:
    before = Fence.__dict__["_state"], Gate.__dict__["_open"]
    explore(stands_still)
    assert (Fence.__dict__["_state"], Gate.__dict__["_open"]) == before


def test_a_complete_search_says_what_it_tried() -> None:
    def model(runtime: Runtime) -> None:
        mailbox = current().mailbox()
        runtime.spawn(lambda: mailbox.put(1), "client")
        mailbox.put(2)

    report = explore(model, strategy=DfsStrategy(0))
    assert (report.complete, report.scope) == (True, "all with at most 0 preemptions")
    report = explore(model, strategy=DfsStrategy(20))
    assert (report.complete, report.scope) == (True, "all there are")
    assert str(report) == f"nothing found in {report.schedules} schedules, all there are"
    assert not explore(model, strategy="dfs", schedules=1).complete


def test_dfs_finds_what_takes_one_interruption() -> None:
    for name, bug in PLANTED.items():
        if name != "watchdog":
            report = explore(bug.broken, strategy="dfs1", timers=bug.timers)
            assert report.kind == bug.kind, name


def test_pending_fences_of_a_failed_run_disturb_nobody() -> None:
    def model(_runtime: Runtime) -> None:
        fence = Fence()
        fence.add_callback(lambda _fence: None)
        keep: list[object] = [fence]
        keep.append(keep)
        fence.wait()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert explore(model).kind == Kind.DEADLOCK


def test_deadlines_come_early_where_they_may() -> None:
    def model(runtime: Runtime) -> None:
        gate = Gate()
        runtime.spawn(gate.open, "opener")
        assert gate.wait(0.001)

    assert not explore(model, timers="never").found
    assert not explore(model, timers="slack999").found
    assert explore(model, timers="slack1000").kind == Kind.ASSERTION
    report = explore(model, timers="free")
    assert report.kind == Kind.ASSERTION
    assert re.fullmatch(r"free(\.\d+-\d+)*\.\d+-c(\.\d+-\d+)*", report.replay_token)
    assert explore(model, replay=report.replay_token).found


def test_jobs_of_a_scheduler_can_be_explored() -> None:
    def model(runtime: Runtime) -> None:
        job = runtime.scheduler(MockBackend()).entity().submit(duration_us=10)
        assert job.finished.wait(1)

    assert not explore(model, schedules=50).found


class Shop:
    """Has no lock and declares nothing."""

    def __init__(self) -> None:
        self.tickets = 1


def sells_without_looking_again(runtime: Runtime) -> None:
    shop = Shop()

    def buy() -> None:
        if shop.tickets:
            shop.tickets -= 1

    for buyer in [runtime.spawn(buy) for _ in range(2)]:
        buyer.join()
    assert shop.tickets >= 0


def test_fields_can_be_made_steps_for_one_exploration() -> None:
    assert not explore(sells_without_looking_again, schedules=100).found
    report = explore(sells_without_looking_again, schedules=100, fields={Shop: "tickets"})
    assert report.kind == Kind.ASSERTION
    again = explore(sells_without_looking_again, replay=report.replay_token, fields={Shop: "tickets"})
    assert again.replay_token == report.replay_token
    assert not explore(sells_without_looking_again, schedules=100).found


def test_a_field_that_a_class_has_not_is_refused() -> None:
    with pytest.raises(BadInput, match=r"fields of Gate: found '_opened', expected a field that the class itself has"):
        explore(stands_still, fields={Gate: "_open _opened"})


def test_an_interruption_is_not_lost_in_a_callback_of_the_collector() -> None:
    heard: list[str] = []

    def callback(phase: str, _info: dict[str, int]) -> None:
        heard.append(phase)

    gc.callbacks.append(callback)
    try:
        explore(lambda _runtime: None, schedules=200)
        assert callback in gc.callbacks
    finally:
        gc.callbacks.remove(callback)
    assert heard == []


def test_naming_a_thing_takes_none_of_its_locks() -> None:
    report = explore(reads_a_meter_without_its_lock, observe=True)
    assert report.kind is Kind.RACE
    assert "changes Meter._count" in str(report)


def test_what_was_explored_is_not_kept() -> None:
    class Ticket:
        def __init__(self) -> None:
            self.owner = ""

    worlds: list[weakref.ref[World]] = []

    def model(_runtime: Runtime) -> None:
        worlds.append(weakref.ref(current()))
        Ticket().owner = "me"

    explore(model, schedules=3, fields={Ticket: "owner"})
    gc.collect()
    assert [world() for world in worlds] == [None] * 4
