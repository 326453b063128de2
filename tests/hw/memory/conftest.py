"""What the tests of memory share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from fencepost import Runtime
from fencepost.hw.memory import PAGE_BYTES, BufferObject, MemoryManager, Placement


@pytest.fixture(params=["virtual", "native"])
def rt(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    """Give a runtime, in virtual time and on real threads."""
    with Runtime(world=request.param) as runtime:
        yield runtime


@pytest.fixture
def memory(rt: Runtime) -> MemoryManager:  # noqa: ARG001 - it is of that world
    """Give four pages of vram and eight of system memory."""
    return MemoryManager(4 * PAGE_BYTES, 8 * PAGE_BYTES)


@pytest.fixture
def placed(memory: MemoryManager) -> Callable[[str, int, Placement], BufferObject]:
    """Give a function that makes a buffer of so many pages somewhere."""

    def made(name: str, pages: int, placement: Placement = Placement.VRAM) -> BufferObject:
        buffer = memory.create(pages * PAGE_BYTES, name)
        with memory.validated([buffer], placement):
            return buffer

    return made
