from __future__ import annotations

from random import Random

import pytest

from fencepost.policies.cgroups.i915 import ClassUse, Throttle, request_priority

S = 1_000_000_000


@pytest.mark.parametrize(
    ("context", "group", "expected"),
    [
        (0, 0, 0),
        (0, 10_000, 1000),
        (0, -10_000, -1000),
        (0, 1, 1),
        (0, -9, 0),
        (0, -10, -1),
        (1023, 10_000, 1023),
        (-1023, -10_000, -1023),
        (-500, 5003, 1),
    ],
)
def test_a_group_adds_a_tenth_of_its_priority(context: int, group: int, expected: int) -> None:
    assert request_priority(context, group) == expected


def use(**classes: tuple[float, int, float]) -> dict[str, ClassUse]:
    """Make classes of busy seconds, engines and the client's seconds."""
    return {name: ClassUse(int(busy * S), count, int(own * S)) for name, (busy, count, own) in classes.items()}


IDLE = use(rcs=(0, 1, 0), vcs=(0, 2, 0))


def told_twice(throttle: Throttle, then: dict[str, ClassUse], now: dict[str, ClassUse]) -> int:
    assert throttle.signal_budget(2, 1, 5 * S, then) == 0
    assert throttle.throttled == set()
    return throttle.signal_budget(2, 1, 6 * S, now)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (use(rcs=(1, 1, 0.1), vcs=(2, 2, 0.1)), "rcs vcs"),
        (use(rcs=(1, 1, 0.1), vcs=(1.9, 2, 0.1)), "rcs"),
        (use(rcs=(0.9, 1, 0.9), vcs=(1, 2, 1)), ""),
        (use(rcs=(1, 1, 0), vcs=(2, 2, 0.1)), "vcs"),
    ],
)
def test_a_client_is_throttled_on_full_classes_that_it_uses(now: dict[str, ClassUse], expected: str) -> None:
    throttle = Throttle()
    assert told_twice(throttle, IDLE, now) == bool(expected)
    assert throttle.throttled == set(expected.split())


def test_who_is_within_its_budget_is_free_at_once_and_begins_anew() -> None:
    throttle = Throttle()
    assert told_twice(throttle, IDLE, use(rcs=(1, 1, 1))) == 1
    assert throttle.signal_budget(1, 1, 7 * S, use(rcs=(2, 1, 2))) == 0
    assert throttle.throttled == set()
    assert throttle.signal_budget(2, 1, 8 * S, use(rcs=(3, 1, 3))) == 0


def test_a_class_that_is_no_longer_full_is_freed() -> None:
    throttle = Throttle()
    assert told_twice(throttle, IDLE, use(rcs=(1, 1, 1))) == 1
    assert throttle.signal_budget(2, 1, 7 * S, use(rcs=(1.5, 1, 1.5))) == 0


def test_as_posted_the_second_class_looks_full_at_any_use() -> None:
    now = use(rcs=(0.1, 1, 0.1), vcs=(0.1, 2, 0.1))
    mended, posted = Throttle(), Throttle(faithful=True)
    assert (told_twice(mended, IDLE, now), told_twice(posted, IDLE, now)) == (0, 1)
    assert posted.throttled == {"vcs"}


def test_as_posted_whoever_ever_used_a_class_uses_it() -> None:
    then, now = use(rcs=(5, 1, 1)), use(rcs=(6, 1, 1))
    assert (told_twice(Throttle(), then, now), told_twice(Throttle(faithful=True), then, now)) == (0, 1)


@pytest.mark.parametrize(("proportional", "throttled"), [(False, 0), (True, 1)])
def test_the_versions_differ_at_ninety_five_percent(proportional: bool, throttled: int) -> None:  # noqa: FBT001 - of a test
    assert told_twice(Throttle(proportional=proportional), IDLE, use(rcs=(0.95, 1, 0.95))) == throttled


def test_the_first_version_lowers_requests_at_random() -> None:
    throttle, random = Throttle(), Random(1)
    assert throttle.priority("rcs", 0, 100, random) == 10
    told_twice(throttle, IDLE, use(rcs=(1, 1, 1)))
    drawn = [throttle.priority("rcs", 0, 0, random) for _ in range(2000)]
    assert -500 <= min(drawn) < -490 < -10 < max(drawn) <= 0
    assert sum(drawn) / 2000 == pytest.approx(-250, abs=15)
    assert throttle.priority("vcs", 0, 100, random) == 10


@pytest.mark.parametrize(
    ("used", "budget", "expected"),
    [(1_500, 1_000, -512), (2_000, 1_000, -1023), (9_000, 1_000, -1023), (1_001, 1_000, -1), (5, 0, -1023)],
)
def test_the_sixth_version_lowers_them_by_how_much_was_used(used: int, budget: int, expected: int) -> None:
    throttle = Throttle(proportional=True)
    for second in (1, 2):
        throttle.signal_budget(used, budget, second * S, use(rcs=(second, 1, second)))
    assert throttle.priority("rcs", 1023, 10_000, Random(1)) == expected


def test_one_who_is_over_by_next_to_nothing_keeps_the_priority_of_its_context() -> None:
    throttle = Throttle(proportional=True)
    for second in (1, 2):
        throttle.signal_budget(10_001, 10_000, second * S, use(rcs=(second, 1, second)))
    assert throttle.priority("rcs", 7, 0, Random(1)) == 7
