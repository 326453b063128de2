"""Who used the objects of working sets last: what makes readers wait for writers, and writers for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fencepost.fences import Fence
from fencepost.lab.wsim import Batch, ObjectAccess, WorkingSet, Workload
from fencepost.sync import current

__all__ = ["Accesses", "Objects", "accesses_of"]

Key: TypeAlias = tuple[str, int, int]
"""An object: the client that has it, or nobody when clones share it; its working set; its number."""


@dataclass(frozen=True, slots=True)
class Accesses:
    """The objects that one batch uses, each in one of the two only: who writes may read."""

    reads: tuple[Key, ...]
    writes: tuple[Key, ...]


class Objects:
    """The last users of the objects of one workload, for all clients that go through it.

    A batch asks what it must wait for, gets its fences and notes them in one go, under `lock`: so clones that come to a
    shared object at the same time use it one after the other. `lock` protects both tables; it is taken before the lock
    of an entity.

    Of the readers the last of each fence context is kept, since those before it finish earlier.
    """

    def __init__(self) -> None:
        self.lock = current().lock()
        self._writer: dict[Key, Fence] = {}
        self._readers: dict[Key, dict[int, Fence]] = {}

    def users_locked(self, accesses: Accesses) -> Iterator[Fence]:
        """Yield what a batch must wait for: the last writers, and for what it writes the readers since."""
        for key in accesses.reads + accesses.writes:
            if key in self._writer:
                yield self._writer[key]
        for key in accesses.writes:
            yield from self._readers.get(key, {}).values()

    def note_locked(self, accesses: Accesses, finished: Fence) -> None:
        """Make a batch the last user of what it uses."""
        for key in accesses.reads:
            self._readers.setdefault(key, {})[finished.context] = finished
        for key in accesses.writes:
            self._writer[key] = finished
            self._readers.pop(key, None)


def accesses_of(batch: Batch, workload: Workload, client: str) -> Accesses | None:
    """Return the objects that a batch uses when this client submits it; None for none."""
    accesses = [each for each in batch.dependencies if isinstance(each, ObjectAccess)]
    if not accesses:
        return None
    shared = {step.set_id for step in workload.steps if isinstance(step, WorkingSet) and step.shared}
    writes = _keys([each for each in accesses if each.write], shared, client)
    reads = _keys([each for each in accesses if not each.write], shared, client)
    written = set(writes)
    return Accesses(tuple(key for key in reads if key not in written), writes)


def _keys(accesses: Sequence[ObjectAccess], shared: set[int], client: str) -> tuple[Key, ...]:
    keys = (
        ("" if access.working_set in shared else client, access.working_set, number)
        for access in accesses
        for number in range(access.first, access.last + 1)
    )
    return tuple(dict.fromkeys(keys))
