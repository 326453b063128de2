"""A job of several parts gets into all its work queues or into none, and until then the firmware sees nothing of it."""

from __future__ import annotations

from fencepost import Runtime
from fencepost.hw.agx import Agx, Commands
from tests.hw.agx.kit import assert_consistent, assert_idle, ends, work_queues


def test_a_job_whose_last_part_has_no_room_leaves_no_trace_of_the_others(rt: Runtime) -> None:
    agx = Agx(max_in_flight=2)
    schedulers = [agx.scheduler(rt, "all", credit_limit=10)]
    entity = schedulers[0].entity()
    queues = {queue.kind.value: queue for queue in work_queues(schedulers)}
    first = entity.submit(work=Commands(compute_us=(50,)))
    all_parts = entity.submit(work=Commands(vertex_us=(5,), fragment_us=(5,), compute_us=(5,)))
    all_parts.scheduled.wait()
    rt.world.sleep_until(20_000)
    # The vertex and fragment parts found room, and were rolled back when the compute part did not: no doorbell.
    assert {kind: (queue.cpu_wptr.value, queue.slot is None) for kind, queue in queues.items()} == {
        "vertex": (0, True),
        "fragment": (0, True),
        "compute": (1, False),
    }
    assert agx.driver.slots.free == len(agx.driver.slots) - 1
    assert_consistent(agx, schedulers)
    assert ends([first, all_parts]) == [(0, 50), (0, 60)]
    assert [queue.cpu_wptr.value for queue in queues.values()] == [1, 1, 2]
    assert_idle(agx, schedulers)
