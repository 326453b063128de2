from __future__ import annotations

import io

import pytest
from rich.console import Console

from fencepost.lab import progress
from fencepost.lab.progress import ProgressBar
from fencepost.lab.runner import Progress


def shown(*fractions: float | None, terminal: bool = True, runs: int = 1) -> str:
    """Return what a bar shows that is told of these parts, with a run's end between them."""
    console = Console(file=io.StringIO(), force_terminal=terminal, width=80, _environ={})
    with ProgressBar(console, runs=runs) as bar:
        for fraction in fractions:
            bar(Progress(fraction, elapsed_s=2.5, cycles=40))
            bar.next_run()
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE_S", 0.0)


@pytest.mark.usefixtures("impatient")
def test_it_tells_time_and_cycles() -> None:
    assert "2.5 s, 40 cycles" in shown(0.5)


@pytest.mark.usefixtures("impatient")
def test_nobody_may_know_how_much_is_done() -> None:
    assert "40 cycles" in shown(None)


@pytest.mark.usefixtures("impatient")
def test_a_second_run_goes_on_where_the_first_ended() -> None:
    assert shown(0.5, 0.5, runs=2) != shown(0.5, 0.0, runs=2)


@pytest.mark.usefixtures("impatient")
def test_without_a_terminal_there_is_none() -> None:
    assert shown(0.5, terminal=False) == ""


def test_a_short_run_shows_none() -> None:
    assert shown(0.5) == ""
