"""The rule by which slots are shared out, without threads and without a clock."""

from __future__ import annotations

from fencepost import sync
from fencepost.hw.guc.messages import ContextId, Policies
from fencepost.hw.user_queue import Packet
from fencepost.hw.user_queue.doorbell import Doorbell
from fencepost.hw.user_queue.mqd import Identity, Mqd
from fencepost.hw.user_queue.protected_fences import ProtectedFences
from fencepost.hw.user_queue.ring import PacketRing
from fencepost.hw.user_queue.slots import Slots


def queue(name: str, priority: int = 2, *, busy: bool = True, quantum_us: float = 10) -> Mqd:
    mqd = Mqd(
        Identity(ContextId(1, 0), name, name, name, ("ccs0",)),
        Policies(priority, quantum_us, 0),
        PacketRing(4),
        Doorbell(lambda: None),
        ProtectedFences(sync.current(), name, lambda _fence: None),
        default_preempt_us=0,
        lost=None,
    )
    if busy:
        mqd.ring.write([Packet()])
        mqd.ring.publish()
        mqd.fetched = 1
    return mqd


def filled(slots: Slots, *queues: Mqd, now_ns: int = 0) -> None:
    for mqd in queues:
        slots.enter(mqd)
        assert slots.give(now_ns) is mqd


def test_the_most_important_gets_a_slot_and_among_equals_the_first() -> None:
    slots = Slots(2)
    low, first, second = queue("low", 3), queue("first"), queue("second")
    for mqd in (low, first, second):
        slots.enter(mqd)
    assert [slots.give(0), slots.give(0), slots.give(0)] == [first, second, None]
    assert slots.short


def test_who_waits_or_has_a_slot_does_not_wait_again() -> None:
    slots, mqd = Slots(2), queue("a")
    slots.enter(mqd)
    slots.enter(mqd)
    assert slots.give(0) is mqd
    slots.enter(mqd)
    assert slots.give(0) is None
    assert not slots.short


def test_an_idle_queue_gives_way_first_whatever_its_importance() -> None:
    slots = Slots(2)
    busy, idle = queue("busy", 3), queue("idle", 0, busy=False)
    filled(slots, busy, idle)
    slots.enter(queue("new", 3))
    assert slots.victim(0) is idle


def test_a_less_important_queue_gives_way_at_once_the_last_of_them_first() -> None:
    slots = Slots(3)
    early, late, high = queue("early", 3), queue("late", 3), queue("high", 1)
    filled(slots, early, high, now_ns=1)
    filled(slots, late, now_ns=2)
    slots.enter(queue("new", 2))
    assert slots.victim(3) is late


def test_an_equal_gives_way_after_its_quantum() -> None:
    slots, holder = Slots(1), queue("holder")
    filled(slots, holder, now_ns=5)
    slots.enter(queue("new"))
    assert slots.victim(10_004) is None
    assert slots.decision_ns() == 10_005
    assert slots.victim(10_005) is holder


def test_a_less_important_one_is_patient_and_so_are_equals_without_a_quantum() -> None:
    for holder, waiting in ((queue("a", 1), queue("b", 2)), (queue("a", quantum_us=0), queue("b", quantum_us=0))):
        slots = Slots(1)
        filled(slots, holder)
        slots.enter(waiting)
        assert slots.victim(10**9) is None
        assert slots.decision_ns() is None


def test_one_at_a_time_is_asked_to_leave() -> None:
    slots, holder = Slots(1), queue("holder", 3)
    filled(slots, holder)
    slots.enter(queue("new"))
    holder.leaving = True
    assert not slots.short
    slots.leave(holder)
    assert slots.give(0) is not None


def test_a_queue_that_becomes_more_important_waits_before_others() -> None:
    slots = Slots(1)
    first, second = queue("first"), queue("second")
    slots.enter(first)
    slots.enter(second)
    second.policies = Policies(0, 0, 0)
    slots.reorder(second)
    assert slots.give(0) is second
