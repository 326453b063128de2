"""What only one may have, under search: each access to what says whose it is is a step."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Final

from fencepost.actors import Entity, Runtime, Scheduler
from fencepost.actors.static_message import StaticMessage
from fencepost.errors import WrongState
from fencepost.hw import MockBackend
from tests import searching

FIELDS: Final[Mapping[type, str]] = {Scheduler: "_owner", StaticMessage: "_queued"}
assert_clean = partial(searching.assert_clean, fields=FIELDS)


def test_of_two_entities_that_are_made_at_once_a_scheduler_for_one_takes_one() -> None:
    def model(rt: Runtime) -> None:
        scheduler = rt.scheduler(MockBackend(), policy="single")
        admitted: list[Entity] = []

        def make() -> None:
            with suppress(WrongState):
                admitted.append(scheduler.entity())

        other = rt.spawn(make)
        make()
        other.join()
        assert len(admitted) == 1

    assert_clean(model)


def test_a_message_is_claimed_once() -> None:
    def model(rt: Runtime) -> None:
        message = StaticMessage("clean up")
        claims: list[bool] = []
        other = rt.spawn(lambda: claims.append(message.try_queue()))
        claims.append(message.try_queue())
        other.join()
        assert sorted(claims) == [False, True]

    assert_clean(model)


def test_a_message_is_on_its_way_after_a_claim_or_was_before() -> None:
    def model(rt: Runtime) -> None:
        message = StaticMessage("clean up")
        message.try_queue()
        scheduler = rt.spawn(message.dequeue)
        claimed = message.try_queue()
        scheduler.join()
        assert message.queued is claimed

    assert_clean(model)
