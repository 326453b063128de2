"""From the schedule that was found to the shortest one that shows the same."""

from __future__ import annotations

from collections.abc import Callable

from fencepost.checks.outcome import Outcome

__all__ = ["shrink"]


def shrink(found: Outcome, replay: Callable[[dict[int, int]], Outcome], *, tries: int) -> Outcome:
    """Leave out deviations as long as the same kind of find remains; return the run with the fewest.

    Larger chunks first, then smaller ones, then one by one. What remains is what the bug needs: the obvious choice is
    to let who runs go on.
    """
    best = found
    chunk = max(1, len(best.deviations) // 2)
    while tries > 0 and best.deviations:
        smaller, tries = one_round(best, replay, chunk, tries)
        if smaller is None:
            if chunk == 1:
                break
            chunk = max(1, chunk // 2)
        else:
            best = smaller
            chunk = min(chunk, max(1, len(best.deviations) // 2))
    return best


def one_round(
    best: Outcome, replay: Callable[[dict[int, int]], Outcome], chunk: int, tries: int
) -> tuple[Outcome | None, int]:
    """Try to leave out each chunk; return the first smaller run that shows the same, and the tries that are left."""
    choices = sorted(best.deviations)
    for start in range(0, len(choices), chunk):
        if tries == 0:
            break
        left_out = set(choices[start : start + chunk])
        tries -= 1
        outcome = replay({choice: who for choice, who in best.deviations.items() if choice not in left_out})
        if outcome.kind == best.kind and len(outcome.deviations) < len(best.deviations):
            return outcome, tries
    return None, tries
