"""Which of several schedulers an entity should use."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["least_loaded"]


def least_loaded(schedulers: Iterable[tuple[int, bool]]) -> int | None:
    """Choose the scheduler with the lowest score among those that are ready.

    Args:
        schedulers: score and readiness of each, in the entity's order of preference. The score is the number of
            attached entities plus the number of jobs pushed and not yet completed.

    Returns:
        The index of the choice, the earlier one of equals, or None when no scheduler is ready.
    """
    ready = [(score, index) for index, (score, ready) in enumerate(schedulers) if ready]
    return min(ready)[1] if ready else None
