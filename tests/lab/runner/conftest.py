"""What the tests of runs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fencepost.lab.result import RunResult
from fencepost.lab.runner import run
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.lab.wsim import parse_text


@pytest.fixture
def run_text() -> Callable[..., RunResult]:
    """Give a function that runs one client, called `a`, on a text in the virtual world."""

    def run_text(text: str, repeats: int | None = 1, **options: Any) -> RunResult:  # noqa: ANN401
        client = ClientSetup("a", parse_text(text, name="game", where="-w"), repeats=repeats)
        return run(Setup("test", (client,), world="virtual", **options))

    return run_text
