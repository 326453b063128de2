from __future__ import annotations

import pytest

from fencepost.errors import BadInput
from fencepost.policies.by_name import POLICIES, new_run_queue
from fencepost.policies.run_queue import Node


def test_the_policies_are_named() -> None:
    assert list(POLICIES) == ["rr", "fifo", "fair"]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_new_run_queue_is_empty_and_works(policy: str) -> None:
    queue = new_run_queue(policy)
    assert len(queue) == 0
    node = Node("client")
    queue.join(node, 0)
    queue.wake(node, 1)
    assert queue.select(1) is node


@pytest.mark.parametrize("policy", POLICIES)
def test_two_run_queues_share_no_policy(policy: str) -> None:
    assert POLICIES[policy]() is not POLICIES[policy]()


def test_an_unknown_policy_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match=r"^--policy: found 'lottery', expected one of rr, fifo, fair, single$"):
        new_run_queue("lottery", where="--policy")
