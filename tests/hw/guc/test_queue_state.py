from __future__ import annotations

import pytest

from fencepost.hw.guc import Bit, QueueState
from fencepost.hw.guc.queue_state import SURVIVORS
from fencepost.sync import current


@pytest.fixture
def state() -> QueueState:
    return QueueState(current(), "queue")


def test_bits_are_cleared_and_set_in_one_step(state: QueueState) -> None:
    assert state.change(set_=Bit.REGISTERED | Bit.ENABLED) == Bit(0)
    assert state.change(set_=Bit.PENDING_DISABLE, clear=Bit.ENABLED) == Bit.REGISTERED | Bit.ENABLED
    assert state.bits == Bit.REGISTERED | Bit.PENDING_DISABLE


def test_a_reset_leaves_what_is_for_ever_and_what_the_owner_wants(state: QueueState) -> None:
    everything = ~Bit(0)
    state.change(set_=everything)
    assert state.keep(SURVIVORS) == everything
    assert state.bits == (Bit.SUSPENDED | Bit.PENDING_SUSPEND | Bit.DESTROYED | Bit.KILLED | Bit.BANNED | Bit.WEDGED)


@pytest.mark.parametrize("bit", list(Bit))
def test_what_makes_a_queue_of_no_use(state: QueueState, bit: Bit) -> None:
    state.change(set_=bit)
    dead = bit in Bit.KILLED | Bit.BANNED | Bit.WEDGED
    assert state.dead == dead
    assert state.reset_status == (dead or bit is Bit.RESET)
    assert state.may_change_scheduling == (bit is Bit.REGISTERED)


def test_a_dead_queue_may_not_be_scheduled(state: QueueState) -> None:
    state.change(set_=Bit.REGISTERED | Bit.BANNED)
    assert not state.may_change_scheduling
