from __future__ import annotations

import errno
from collections.abc import Callable, Mapping

import pytest

from fencepost.errors import BadInput
from fencepost.policies.resources import GRABS, Atomic, Drop, Entry, Fifo, Grab, Hold, Pool, Step, new_grab


class Jobs:
    """Jobs by name, and one grab for them all."""

    def __init__(self, grab: Grab[str]) -> None:
        self.grab = grab

    def ask(self, who: str, needs: Mapping[Pool, int]) -> Step:
        """Take steps until it has all, or is short."""
        step = Step.TOOK
        while step is Step.TOOK:
            step = self.step(who, needs)
        return step

    def step(self, who: str, needs: Mapping[Pool, int]) -> Step:
        return self.grab.step(self.grab.want(who, needs))

    def told(self) -> list[str]:
        told, self.grab.told = self.grab.told, []
        return told

    def held(self, pool: Pool) -> dict[str, int]:
        return self.grab.held(pool)


def each_grab() -> list[Callable[[], Grab[str]]]:
    return list(GRABS.values())


@pytest.mark.parametrize("name", GRABS)
def test_who_has_all_keeps_it_however_often_it_asks(name: str) -> None:
    pool, jobs = Pool("ids", 4), Jobs(new_grab(name))
    assert jobs.ask("a", {pool: 3}) is Step.COMPLETE
    assert jobs.ask("a", {pool: 3}) is Step.COMPLETE
    assert (pool.free, jobs.held(pool)) == (1, {"a": 3})
    assert jobs.grab.account().starts == 1


@pytest.mark.parametrize("name", GRABS)
def test_who_waits_is_told_when_there_is_enough(name: str) -> None:
    pool, jobs = Pool("ids", 4), Jobs(new_grab(name))
    jobs.ask("a", {pool: 3})
    assert jobs.ask("b", {pool: 3}) is Step.SHORT
    assert jobs.ask("b", {pool: 3}) is Step.SHORT
    assert jobs.told() == []
    assert jobs.grab.release("a")
    assert jobs.told() == ["b"]
    assert jobs.ask("b", {pool: 3}) is Step.COMPLETE
    assert jobs.held(pool) == {"b": 3}


@pytest.mark.parametrize("name", GRABS)
def test_who_has_nothing_can_be_released(name: str) -> None:
    pool, jobs = Pool("ids", 1), Jobs(new_grab(name))
    assert not jobs.grab.release("a")
    jobs.ask("a", {pool: 1})
    jobs.ask("b", {pool: 1})
    assert jobs.grab.release("b")
    assert not jobs.grab.release("b")
    assert jobs.grab.release("a")
    assert (jobs.told(), pool.free, jobs.grab.account().entries) == ([], 1, ())


@pytest.mark.parametrize("name", GRABS)
@pytest.mark.parametrize("count", [-1, 0, 5])
def test_what_could_never_be_had_is_refused_and_nothing_is_changed(name: str, count: int) -> None:
    pool, other, jobs = Pool("ids", 4), Pool("slots", 1), Jobs(new_grab(name))
    with pytest.raises(OSError, match=rf"a needs {count} ids, expected 1 to 4") as refusal:
        jobs.ask("a", {other: 1, pool: count})
    assert refusal.value.errno == errno.EINVAL
    assert (other.free, pool.free, jobs.grab.account().entries) == (1, 4, ())


def test_who_changes_its_mind_is_refused() -> None:
    pool, jobs = Pool("ids", 4), Jobs(Fifo())
    jobs.ask("a", {pool: 2})
    with pytest.raises(OSError, match="a wants 1 ids, and 2 ids already") as refusal:
        jobs.ask("a", {pool: 1})
    assert refusal.value.errno == errno.EINVAL
    assert jobs.held(pool) == {"a": 2}


@pytest.mark.parametrize("name", GRABS)
def test_who_needs_nothing_has_it(name: str) -> None:
    jobs = Jobs(new_grab(name))
    assert jobs.ask("a", {}) is Step.COMPLETE
    assert jobs.grab.release("a")


def test_an_unknown_grab_is_refused() -> None:
    with pytest.raises(BadInput, match="resources: found 'greedy', expected one of hold, drop, atomic, fifo"):
        new_grab("greedy", where="resources")


# What each of them is known for.


def test_two_that_hold_two_of_four_and_want_three_both_wait() -> None:
    pool, jobs = Pool("ids", 4), Jobs(Hold())
    assert [jobs.step(who, {pool: 3}) for who in ("J1", "J2", "J1", "J2")] == [Step.TOOK] * 4
    assert [jobs.step(who, {pool: 3}) for who in ("J1", "J2")] == [Step.SHORT] * 2
    assert jobs.held(pool) == {"J1": 2, "J2": 2}
    assert pool.free == 0


def test_two_that_take_and_drop_go_round_in_four_steps() -> None:
    pool, jobs = Pool("ids", 2), Jobs(Drop())
    needs = {pool: 2}
    for who in ("J1", "J2"):
        jobs.step(who, needs)
    for turn in range(1, 11):
        for who, held in (("J1", {"J2": 1}), ("J2", {"J1": 1})):
            assert jobs.step(who, needs) is Step.SHORT
            assert jobs.held(pool) == held
            assert jobs.told() == [who]
            assert jobs.step(who, needs) is Step.TOOK
            assert jobs.held(pool) == {"J1": 1, "J2": 1}
        account = jobs.grab.account()
        assert (account.retreats, account.starts) == (2 * turn, 0)


def test_with_a_third_each_drop_wakes_the_next_in_a_ring() -> None:
    pool, jobs = Pool("ids", 2), Jobs(Drop())
    needs = {pool: 2}
    jobs.step("J1", needs)
    jobs.step("J2", needs)
    assert jobs.step("J3", needs) is Step.SHORT
    woken: list[str] = []
    for who in ("J1", "J2", "J3") * 5:
        assert jobs.step(who, needs) is Step.SHORT
        (next_one,) = jobs.told()
        woken.append(next_one)
        assert jobs.step(next_one, needs) is Step.TOOK
    assert woken == ["J3", "J1", "J2"] * 5
    assert jobs.grab.account().starts == 0


def test_who_drops_beside_one_that_runs_waits_for_it() -> None:
    pool, jobs = Pool("ids", 4), Jobs(Drop())
    jobs.ask("runs", {pool: 3})
    assert jobs.ask("drops", {pool: 3}) is Step.SHORT
    assert (jobs.told(), pool.free) == ([], 1)
    jobs.grab.release("runs")
    assert jobs.told() == ["drops"]
    assert jobs.ask("drops", {pool: 3}) is Step.COMPLETE


def test_who_drops_what_nobody_that_runs_has_says_so() -> None:
    pool, other, jobs = Pool("ids", 2), Pool("slots", 1), Jobs(Drop())
    jobs.ask("runs", {other: 1})
    jobs.step("J1", {pool: 2})
    jobs.step("J2", {pool: 2})
    assert jobs.step("J1", {pool: 2}) is Step.SHORT
    assert jobs.told() == ["J1"]


def test_all_at_once_lets_whoever_comes_have_it() -> None:
    pool, jobs = Pool("ids", 3), Jobs(Atomic())
    jobs.ask("small", {pool: 1})
    assert jobs.ask("large", {pool: 3}) is Step.SHORT
    assert jobs.ask("another", {pool: 1}) is Step.COMPLETE
    assert jobs.held(pool) == {"small": 1, "another": 1}
    jobs.grab.release("small")
    assert jobs.told() == ["large"]
    assert jobs.ask("large", {pool: 3}) is Step.SHORT


def test_in_a_line_nobody_overtakes() -> None:
    pool, jobs = Pool("ids", 3), Jobs(Fifo())
    jobs.ask("small", {pool: 1})
    assert jobs.ask("large", {pool: 3}) is Step.SHORT
    assert jobs.ask("another", {pool: 1}) is Step.SHORT
    assert pool.free == 2
    jobs.grab.release("small")
    assert jobs.told() == ["large"]
    assert jobs.held(pool) == {"large": 3}, "it has it when it is told"
    jobs.grab.release("large")
    assert jobs.told() == ["another"]


def test_who_gives_up_its_place_lets_those_behind_it_go_on() -> None:
    pool, jobs = Pool("ids", 3), Jobs(Fifo())
    jobs.ask("small", {pool: 1})
    jobs.ask("large", {pool: 3})
    for who in ("b", "c", "d"):
        assert jobs.ask(who, {pool: 1}) is Step.SHORT
    jobs.grab.release("large")
    assert jobs.told() == ["b", "c"]
    assert jobs.held(pool) == {"small": 1, "b": 1, "c": 1}


def test_who_was_handed_something_and_does_not_come_gives_it_to_the_next() -> None:
    for grab in each_grab():
        pool, jobs = Pool("ids", 1), Jobs(grab())
        for who in ("a", "b", "c"):
            jobs.ask(who, {pool: 1})
        jobs.grab.release("a")
        assert jobs.told()[0] == "b"
        jobs.grab.release("b")
        assert "c" in jobs.told() or jobs.ask("c", {pool: 1}) is Step.COMPLETE
        assert jobs.ask("c", {pool: 1}) is Step.COMPLETE


def test_one_that_waits_for_one_pool_holds_up_nobody_at_another() -> None:
    render, compute, jobs = Pool("render ids", 1), Pool("compute ids", 1), Jobs(Fifo())
    jobs.ask("a", {render: 1})
    assert jobs.ask("b", {render: 1}) is Step.SHORT
    assert jobs.ask("c", {compute: 1}) is Step.COMPLETE


def test_of_two_pools_all_is_taken_at_once() -> None:
    render, compute, jobs = Pool("render ids", 1), Pool("compute ids", 1), Jobs(Fifo())
    jobs.ask("a", {render: 1})
    assert jobs.ask("b", {compute: 1, render: 1}) is Step.SHORT
    assert compute.free == 1
    assert jobs.ask("c", {compute: 1}) is Step.SHORT, "it came later, and wants what the other waits for"
    jobs.grab.release("a")
    assert jobs.told() == ["b"]
    jobs.grab.release("b")
    assert jobs.told() == ["c"]


def test_a_place_in_one_line_opens_one_in_another() -> None:
    render, compute, jobs = Pool("render ids", 1), Pool("compute ids", 2), Jobs(Fifo())
    jobs.ask("a", {render: 1})
    jobs.ask("both", {render: 1, compute: 1})
    assert jobs.ask("behind", {compute: 1}) is Step.SHORT
    jobs.grab.release("a")
    assert jobs.told() == ["both", "behind"]


def test_two_pools_in_opposite_order_are_a_trap_for_who_takes_one_at_a_time() -> None:
    for name, ends in (("hold", [Step.SHORT] * 2), ("fifo", [Step.COMPLETE, Step.SHORT])):
        first, second, jobs = Pool("A", 1), Pool("B", 1), Jobs(new_grab(name))
        needs: dict[str, dict[Pool, int]] = {"J1": {first: 1, second: 1}, "J2": {second: 1, first: 1}}
        for who, wants in needs.items():
            jobs.step(who, wants)
        assert [jobs.step(who, wants) for who, wants in needs.items()] == ends
    # In one order it is none.
    first, second, jobs = Pool("A", 1), Pool("B", 1), Jobs(Hold())
    for who in ("J1", "J2"):
        jobs.step(who, {first: 1, second: 1})
    assert jobs.step("J1", {first: 1, second: 1}) is Step.COMPLETE


def test_the_owner_is_given_its_ids_again() -> None:
    pool, grab = Pool("ids", 4), Fifo[str]()
    grab.step(first := grab.want("job 1", {pool: 2}, "queue"))
    held = dict(first.held)
    grab.release("job 1")
    grab.step(second := grab.want("job 2", {pool: 2}, "queue"))
    assert second.held == held


def test_an_account_says_who_has_what() -> None:
    pool, jobs = Pool("ids", 4), Jobs(Hold())
    jobs.ask("a", {pool: 3})
    jobs.ask("b", {pool: 3})
    a, b = jobs.grab.account().entries
    assert a == Entry("a", {pool: 3}, {pool: 3}, waits=False)
    assert b == Entry("b", {pool: 3}, {pool: 1}, waits=True)
    assert (a.complete, a.missing, b.complete, b.missing) == (True, {}, False, {pool: 2})
    assert jobs.grab.account().free == {pool: 0}
