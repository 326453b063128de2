"""What the tests of the hardware share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from fencepost import Runtime
from fencepost.events.kinds import BATCH
from fencepost.fences import Fence
from fencepost.hw.execution import Execution, RingBuffer


@pytest.fixture
def rt() -> Iterator[Runtime]:
    """Give a runtime in virtual time."""
    with Runtime(world="virtual") as runtime:
        yield runtime


@pytest.fixture
def stretches(rt: Runtime) -> Callable[[], list[tuple[str, str, int, int]]]:
    """Give a function that lists what was executed: engine, client, start and end in whole microseconds."""

    def listed() -> list[tuple[str, str, int, int]]:
        assert rt.events is not None
        executed: list[tuple[str, str, int, int]] = []
        for _, _, engine, client, _, _, start_ns, end_ns in rt.events.of(BATCH):
            assert start_ns % 1000 == end_ns % 1000 == 0
            executed.append((engine, client, start_ns // 1000, end_ns // 1000))
        return executed

    return listed


@pytest.fixture
def batch() -> Callable[..., Execution]:
    """Give a function that makes a batch for a bare engine; its numbers are in ns."""

    def made(ring: RingBuffer, left_ns: int | None, granularity_ns: int = 0, client: str = "") -> Execution:
        return Execution(
            ring=ring,
            client=client,
            finished=Fence(),
            fence=Fence(),
            left_ns=left_ns,
            granularity_ns=granularity_ns,
        )

    return made
