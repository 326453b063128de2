"""The run queue of one: the calls of the others, and no order."""

from __future__ import annotations

import pytest

from fencepost.errors import WrongState
from fencepost.hw import MockBackend
from fencepost.policies import Node, RunQueueStatistics, SingleEntity, new_run_queue
from tests.actors.kit import EVERYWHERE, Way, adds_up, finished


@pytest.fixture
def queue() -> SingleEntity[Node]:
    queue = new_run_queue("single")
    assert isinstance(queue, SingleEntity)
    return queue


def test_it_is_empty_blocked_or_ready(queue: SingleEntity[Node]) -> None:
    node = Node("game")
    assert (len(queue), queue.head, queue.any_ready, queue.select(9)) == (0, None, False, None)
    queue.join(node, 5)
    assert (len(queue), queue.head, queue.any_ready, queue.select(9)) == (1, node, False, None)
    assert node in queue
    assert node.submit_ns == 5
    assert queue.statistics() == RunQueueStatistics(ready=0, blocked=1, stale=0)
    queue.wake(node, 3)
    assert queue.statistics() == RunQueueStatistics(ready=1, blocked=0, stale=0)
    assert queue.any_ready
    assert queue.select(2) is None
    assert queue.select(3) is node
    queue.pop(node, 7, None)
    assert (node.submit_ns, queue.any_ready) == (7, False)
    queue.wake(node, 1)
    queue.pop(node, 8, 4)
    assert (queue.select(3), queue.select(4)) == (None, node)
    queue.pop(node, None, None)
    assert (len(queue), node in queue, node.ready) == (0, False, False)
    queue.leave(node)
    queue.join(node, 9, 1)
    assert queue.select(1) is node


def test_it_charges_the_time_of_jobs(queue: SingleEntity[Node]) -> None:
    node = Node("game")
    for duration_ns in (5, -3, 7):
        queue.charge(node, duration_ns)
    assert node.runtime_ns == 12


def test_calls_that_do_not_fit_are_refused(queue: SingleEntity[Node]) -> None:
    node, other = Node("game"), Node("other")
    with pytest.raises(ValueError, match="is not a blocked member"):
        queue.wake(node, 1)
    with pytest.raises(ValueError, match="is not a ready member"):
        queue.pop(node, None, None)
    queue.join(node, 0)
    with pytest.raises(ValueError, match="the only place is taken"):
        queue.join(other, 0)
    with pytest.raises(ValueError, match="is not a ready member"):
        queue.pop(node, None, None)
    queue.wake(node, 1)
    with pytest.raises(ValueError, match="is not a blocked member"):
        queue.wake(node, 1)
    queue.leave(other)
    assert queue.head is node


@EVERYWHERE
def test_an_entity_has_a_scheduler_for_itself(way: Way) -> None:
    with way.runtime() as rt:
        scheduler, other = (rt.scheduler(MockBackend(), name, policy="single", credit_limit=2) for name in "ab")
        entity = scheduler.entity("first")
        with pytest.raises(WrongState, match="a is for one entity, first: second needs a scheduler of its own"):
            scheduler.entity("second")
        jobs = [entity.submit(1) for _ in range(5)]
        jobs += [entity.submit(1, deps=[jobs[0].finished])]
        entity.modify_schedulers([scheduler])
        assert finished(jobs)
        stranger = other.entity("stranger")
        with pytest.raises(WrongState, match="is for one entity"):
            stranger.modify_schedulers([scheduler])
        blocked = entity.submit()
        assert stranger.submit(1, deps=[jobs[-1].finished]).finished.wait(10)
        entity.kill()
        assert scheduler.fini(10)
        assert blocked.finished.signaled
    assert adds_up(rt)
