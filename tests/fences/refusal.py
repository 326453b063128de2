"""How a call that must be refused is tested."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import pytest

__all__ = ["refused"]


@contextmanager
def refused(number: int, *names: str) -> Generator[None]:
    """Expect an OSError of this errno, whose message names all of these."""
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the number is checked below
        yield
    said = str(caught.value)
    assert caught.value.errno == number, said
    for name in names:
        assert name in said
