"""From the schedule that was found to the simplest one that shows the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from fencepost.checks.outcome import Outcome
from fencepost.sync.controlled import Candidate

__all__ = ["is_same_bug", "shrink"]

SHIFTS: Final = (0, -1, 1, -2, 2, -3, 3)


def shrink(found: Outcome, replay: Callable[[Mapping[int, Candidate]], Outcome], *, tries: int) -> Outcome:
    """Leave out deviations as long as the same bug shows; return the simplest run that was seen.

    Larger chunks first, then smaller ones, then one by one, until no single one can be left out or `tries` runs were
    made. What remains is what the bug needs: the obvious choice is to let who runs go on.
    """
    best = found
    chunk = len(best.deviations)
    replayed: set[frozenset[tuple[int, Candidate]]] = set()
    while chunk:
        for deviations in without_a_chunk(best.deviations, chunk):
            schedule = frozenset(deviations.items())
            if schedule in replayed:
                continue
            if len(replayed) == tries:
                return best
            replayed.add(schedule)
            outcome = replay(deviations)
            if is_same_bug(outcome, found) and cost(outcome) < cost(best):
                best = outcome
                chunk = min(2 * chunk, len(best.deviations))
                break
        else:
            chunk //= 2
    return best


def without_a_chunk(deviations: Mapping[int, Candidate], size: int) -> Iterator[dict[int, Candidate]]:
    """Yield the deviations without each chunk of so many, the last ones first: those change nothing before them.

    A single one changes how many choices come before those after it, so these are moved a little too.
    """
    choices = sorted(deviations)
    for end in range(len(choices), 0, -size):
        left_out = set(choices[max(0, end - size) : end])
        kept = {choice: who for choice, who in deviations.items() if choice not in left_out}
        for shift in SHIFTS if size == 1 else SHIFTS[:1]:
            yield {choice + shift * (choice > choices[end - 1]): who for choice, who in kept.items()}


def is_same_bug(one: Outcome, other: Outcome) -> bool:
    """Say whether both went wrong, in the same way and at the same place of the program."""
    if one.finding is None or other.finding is None:
        return False
    return one.finding.kind == other.finding.kind and one.finding.site == other.finding.site


def cost(outcome: Outcome) -> tuple[int, int, int]:
    """Say how hard a run is to follow: interruptions, then unobvious choices, then steps."""
    return outcome.preemptions, len(outcome.deviations), len(outcome.steps)
