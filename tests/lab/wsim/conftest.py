"""What the tests of the workload language share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fencepost.errors import BadInput
from fencepost.lab.wsim import parse_text


@pytest.fixture
def refusal() -> Callable[[str], tuple[str, str, str]]:
    """Give a function that returns where, found and expected of the error that a text is answered with."""

    def refused(text: str) -> tuple[str, str, str]:
        with pytest.raises(BadInput) as caught:
            parse_text(text, name="game", where="game.wsim")
        return caught.value.where, caught.value.found, caught.value.expected

    return refused
