"""What docstrings say that a lock protects, nobody touches without."""

from __future__ import annotations

from fencepost.actors import Runtime, Status
from fencepost.actors.entity_queue import EntityQueue
from fencepost.actors.fault_log import FaultRecord
from fencepost.actors.recovery import RecoveryRecord
from fencepost.actors.reset_domain import ResetDomain
from fencepost.hw import MockBackend
from fencepost.policies import Health, Priority
from fencepost.policies.recovery import Action, Fate, Verdict
from tests.guarding import guarded, guarding_ended

FAULT = FaultRecord(0, "ring", "entity", "client", "vm", (1, 1), 0, Health.GUILTY)


def test_of_a_reset_domain() -> None:
    fields = "_schedulers _records _counts _recovery_ns _longest_ns _faults _vms _snapshot"
    with Runtime("virtual") as rt:
        domain = guarded(ResetDomain, fields, rt, "device")
        domain.join(rt.scheduler(MockBackend()))
        queue = EntityQueue("queue", Priority.NORMAL, 1, "vm")
        domain.admit(queue)
        domain.note(RecoveryRecord("ring", (1, 1), Status.RESET, begin_ns=3, end_ns=8))
        domain.note_fate(FAULT, Fate(Action.KILL), idempotent=False)
        domain.note_verdict(Verdict((), {1: Health.GUILTY}, {}))
        domain.keep_snapshot({})
        assert (len(domain.schedulers), len(domain.records), domain.resets) == (1, 1, 1)
        assert (domain.count(Status.RESET), domain.statistics().guilty_queues) == (1, 1)
        assert (domain.read_faults(), domain.snapshot is None) == ((FAULT,), False)
        domain.clear_snapshot()
        domain.ban_vm("vm", Health.GUILTY)
        domain.dismiss(queue)
        domain.wedge()


class Device:
    """What some backends are parts of."""

    name = "device"


def test_of_a_runtime() -> None:
    with guarded(Runtime, "_domains _entities_made _armed_by_the_gone", "virtual") as rt:
        device = Device()
        assert rt._domain_of(device) is rt._domain_of(device)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        entity = rt.scheduler(MockBackend()).entity()
        entity.submit(1).finished.wait()
        entity.fini()
        assert rt.statistics().fences_armed == 2
        guarding_ended(rt)
