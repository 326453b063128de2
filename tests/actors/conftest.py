"""What the tests of the actors get: a runtime to use without a word."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fencepost.actors import Runtime
from tests.actors.kit import adds_up


@pytest.fixture
def rt() -> Iterator[Runtime]:
    """A virtual runtime; when it was left every job must be accounted for."""
    with Runtime("virtual") as runtime:
        yield runtime
    assert adds_up(runtime)
