from __future__ import annotations

import pytest

from fencepost import Runtime
from fencepost.errors import WrongState
from fencepost.hw.memory import PAGE_BYTES, FaultHandler, MemoryManager


def test_who_blocks_is_not_carried_by_a_work_queue() -> None:
    with Runtime(world="virtual", dispatch="workqueue") as runtime:
        memory = MemoryManager(PAGE_BYTES, PAGE_BYTES)
        with pytest.raises(WrongState, match="faults blocks, which no actor of a work queue may"):
            runtime.start(FaultHandler, memory, name="faults")
