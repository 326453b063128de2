"""The ways to submit long-running work that were weighed in 2023, each with a device of its own.

design  <-  preempting  <-  preempt_fences, user_queues         without faults
design, hooked_ring  <-  faulting                               with
"""

from __future__ import annotations

from typing import Final

from fencepost.hw.long_running.designs.design import Design, Settings, Work
from fencepost.hw.long_running.designs.faulting import AnnotatedFences, FaultingQueues
from fencepost.hw.long_running.designs.preempt_fences import PreemptFences
from fencepost.hw.long_running.designs.user_queues import UserQueues

__all__ = ["DESIGNS", "AnnotatedFences", "Design", "FaultingQueues", "PreemptFences", "Settings", "UserQueues", "Work"]

DESIGNS: Final[tuple[type[Design], ...]] = (AnnotatedFences, PreemptFences, FaultingQueues, UserQueues)
"""In the order of the table in the discussion."""
