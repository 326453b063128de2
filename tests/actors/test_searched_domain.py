"""What a reset domain keeps for several callers at once, under search: each access to a field of it is a step."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from functools import partial
from typing import Final

from fencepost.actors import Runtime, Status
from fencepost.actors.actor import Farewell
from fencepost.actors.entity_queue import EntityQueue
from fencepost.actors.fault_log import CAPACITY, FaultLog, FaultRecord
from fencepost.actors.recovery import RecoveryRecord
from fencepost.actors.reset_domain import ResetDomain
from fencepost.policies import Health, Priority
from fencepost.policies.recovery import Action, Fate, Verdict
from tests import searching

FIELDS: Final[Mapping[type, str]] = {
    ResetDomain: "_counts _recovery_ns _longest_ns _faults _vms _wedged",
    FaultLog: "_records dropped",
    EntityQueue: "ban_error health",
    Farewell: "_left",
}
assert_clean = partial(searching.assert_clean, fields=FIELDS)
FAULT: Final = FaultRecord(0, "ring", "entity", "client", "vm", (1, 1), 0, Health.GUILTY)


def queue(name: str) -> EntityQueue:
    return EntityQueue(name, Priority.NORMAL, 1, "vm")


def test_the_last_of_several_actors_that_end_at_once_says_so() -> None:
    def model(rt: Runtime) -> None:
        farewell = Farewell(2)
        for _ in range(2):
            rt.spawn(farewell.set)
        farewell.wait_until(None)

    assert_clean(model)


def test_a_recovery_is_in_all_the_statistics_or_in_none() -> None:
    def model(rt: Runtime) -> None:
        domain = rt.reset_domain()
        rt.spawn(partial(domain.note, RecoveryRecord("ring", (1, 1), Status.RESET, begin_ns=3, end_ns=8)))
        told = domain.statistics()
        assert (told.resets, told.recovery_ns, told.longest_ns) in ((0, 0, 0), (1, 5, 5))

    assert_clean(model)


def test_a_verdict_is_in_all_the_statistics_or_in_none() -> None:
    def model(rt: Runtime) -> None:
        domain = rt.reset_domain()
        rt.spawn(partial(domain.note_verdict, Verdict((), {1: Health.GUILTY}, {"vm": Health.INNOCENT})))
        told = domain.statistics()
        assert (told.guilty_queues, told.innocent_queues) in ((0, 0), (1, 1))

    assert_clean(model)


def test_a_fault_is_read_once_or_counted_as_dropped() -> None:
    def model(rt: Runtime) -> None:
        domain = rt.reset_domain()
        note = partial(domain.note_fate, FAULT, Fate(Action.KILL), idempotent=False)
        for _ in range(CAPACITY):
            note()
        late = rt.spawn(note)
        read = len(domain.read_faults())
        late.join()
        read += len(domain.read_faults())
        assert read + domain.statistics().dropped_faults == CAPACITY + 1

    assert_clean(model, schedules=60)


def test_a_queue_that_comes_while_the_last_one_goes_is_in_its_address_space() -> None:
    def model(rt: Runtime) -> None:
        domain = rt.reset_domain()
        going, coming = queue("going"), queue("coming")
        domain.admit(going)
        end = rt.spawn(partial(domain.dismiss, going))
        domain.admit(coming)
        end.join()
        domain.ban_vm("vm", Health.GUILTY)
        assert coming.ban_error

    assert_clean(model)


def test_a_queue_that_goes_when_its_address_space_is_banned_takes_no_later_one_along() -> None:
    def model(rt: Runtime) -> None:
        domain = rt.reset_domain()
        going, coming = queue("going"), queue("coming")
        domain.admit(going)
        end = rt.spawn(partial(domain.dismiss, going))
        domain.ban_vm("vm", Health.GUILTY)
        domain.admit(coming)
        end.join()
        domain.wedge()
        assert coming.ban_error

    assert_clean(model)


def test_queues_come_and_go_while_all_are_banned() -> None:
    def model(rt: Runtime) -> None:
        domain = rt.reset_domain()
        first, staying, coming = queue("first"), queue("staying"), queue("coming")
        domain.admit(first)
        domain.admit(staying)
        tasks = [rt.spawn(partial(domain.dismiss, first)), rt.spawn(partial(domain.admit, coming))]
        domain.wedge()
        for task in tasks:
            task.join()
        assert staying.ban_error
        assert coming.ban_error

    assert_clean(model)


def test_a_queue_goes_while_its_address_space_is_banned() -> None:
    def model(rt: Runtime) -> None:
        domain = rt.reset_domain()
        first, staying = queue("first"), queue("staying")
        domain.admit(first)
        domain.admit(staying)
        rt.spawn(partial(domain.dismiss, first))
        domain.ban_vm("vm", Health.GUILTY)
        assert staying.ban_error

    assert_clean(model)


def test_a_queue_that_comes_to_a_wedged_device_ends_with_its_error_whoever_else_bans_it() -> None:
    def model(rt: Runtime) -> None:
        domain = rt.reset_domain()
        domain.wedge()
        coming = queue("coming")
        task = rt.spawn(partial(domain.admit, coming))
        domain.ban_vm("vm", Health.GUILTY)
        task.join()
        assert coming.ban_error == -errno.EIO

    assert_clean(model)
