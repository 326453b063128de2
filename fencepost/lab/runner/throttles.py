"""What holds a batch back before it is submitted: the rules `t` and `q`, and a full ring."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Final

from fencepost.actors import Job
from fencepost.fences import wait_any
from fencepost.lab.runner.context_queue import ContextQueue
from fencepost.lab.runner.engines import EngineNames
from fencepost.lab.runner.plan import Place
from fencepost.lab.wsim import Batch, Step, Throttle

__all__ = ["RING_BATCHES", "BatchCount", "Throttles"]

RING_BATCHES: Final = 128
"""How many unfinished batches a client has on an engine at most: as with the ring of a context, the next one waits."""


class BatchCount:
    """Counts the batches among steps that are gone through again and again.

    Args:
        steps: of a workload.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self._up_to = list(accumulate(int(isinstance(step, Batch)) for step in steps))

    def back(self, index: int, steps_back: int) -> int:
        """Return how many batches before the one at `index` the batch stands that is `steps_back` steps earlier.

        Where that step is no batch the nearest batch before it is meant. Counting goes on into earlier cycles.
        """
        return self._at(index) - self._at(index - steps_back)

    def _at(self, position: int) -> int:
        """Count the batches up to a position, which may be in an earlier cycle."""
        cycles, index = divmod(position, len(self._up_to))
        return cycles * self._up_to[-1] + self._up_to[index]


class Throttles:
    """The rules of one client, which hold from their step on, in later cycles too. Belongs to the client's task.

    Args:
        steps: of its workload.
        queues: what it submits to.

    Attributes:
        steps_back: the rule `t`: wait for the batch so many steps earlier; 0 for no rule.
        limit: the rule `q`: keep at most so many unfinished batches on an engine, or virtual engine; 0 for no rule.
    """

    def __init__(self, steps: Sequence[Step], queues: Mapping[Place, ContextQueue]) -> None:
        self.steps_back = 0
        self.limit = 0
        self._count = BatchCount(steps)
        self._by_engines: dict[EngineNames, list[ContextQueue]] = {}
        for place, queue in queues.items():
            self._by_engines.setdefault(place.engines, []).append(queue)
        rules = [step.steps_back for step in steps if isinstance(step, Throttle) and step.steps_back]
        batches = [index for index, step in enumerate(steps) if isinstance(step, Batch)]
        longest = max((self._count.back(index, rule) for index in batches for rule in rules), default=0)
        self._submitted: deque[Job] = deque(maxlen=longest)

    def wait(self, index: int, engines: EngineNames) -> None:
        """Block until the batch at `index`, which goes to `engines`, may be submitted."""
        if self.steps_back:
            back = self._count.back(index, self.steps_back)
            if back <= len(self._submitted):
                self._submitted[-back].finished.wait()
        self._wait_for_room(self._by_engines[engines], min(self.limit or RING_BATCHES, RING_BATCHES))

    def note(self, job: Job) -> None:
        """Note a job that was submitted."""
        self._submitted.append(job)

    def _wait_for_room(self, queues: Sequence[ContextQueue], limit: int) -> None:
        """Block until fewer than `limit` jobs are unfinished. Those of one queue finish in order."""
        while True:
            pending = [jobs for queue in queues if (jobs := queue.pending())]
            if sum(map(len, pending)) < limit:
                return
            if len(pending) == 1:
                pending[0][0].finished.wait()
            else:
                wait_any([jobs[0].finished for jobs in pending])
