"""Random programs on one recorded object, in any world."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeAlias, TypeVar

from hypothesis import strategies as st

from fencepost.actors import Runtime
from fencepost.checks.history import History
from fencepost.checks.linearise import check_history

__all__ = ["Program", "programs", "run"]

T = TypeVar("T")
S = TypeVar("S", bound=Hashable)

Program: TypeAlias = Sequence[Sequence[Callable[[T], object]]]
"""What each task does, in order."""

TASKS = 3
OPERATIONS = 4


def programs(operation: st.SearchStrategy[Callable[[T], object]]) -> st.SearchStrategy[Program[T]]:
    """Give a few tasks a few operations each."""
    return st.lists(st.lists(operation, min_size=1, max_size=OPERATIONS), min_size=2, max_size=TASKS)


def run(runtime: Runtime, program: Program[T], thing: T, history: History[Any], end: Callable[[], object]) -> None:
    """Run a program on an object, bring it to its end, and assert that some order explains what was done to it."""
    tasks = [
        runtime.spawn(lambda does=does: [operation(thing) for operation in does], f"task {number}")  # type: ignore[misc]
        for number, does in enumerate(program)
    ]
    for task in tasks:
        task.join()
    end()
    wrong = check_history(history)
    assert wrong is None, str(wrong)
