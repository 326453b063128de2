"""Whether a queue hangs when the time of one of its fences is up."""

from __future__ import annotations

from typing import Final

from fencepost.hw.guc.hardware import Hardware
from fencepost.hw.user_queue.messages import Suspect

__all__ = ["guilty"]

SLACK: Final = 0.95
"""A packet hangs that was executed for so much of its time."""


def guilty(suspect: Suspect, hardware: Hardware) -> bool:
    """Say whether a queue hangs: an engine has executed its packet for too long, or nothing of it is to come.

    It does not while it waits for others: for an engine, for a slot, for a fence, for the driver that holds it.
    """
    mqd = suspect.mqd
    with hardware as contexts:
        head = mqd.batches[0] if mqd.batches else None
        ran_ns = 0 if head is None else contexts.ran_ns(head)
    # Not before: what has ended up to now is noted when the engines are left.
    if mqd.fences.complete(suspect.fence):
        return False
    if head is not None:
        return ran_ns >= SLACK * suspect.limit_ns
    # What the fence stands for was never published, or not as a protected packet: it would be pending for ever.
    return mqd.waits_for is None and not mqd.has_work
