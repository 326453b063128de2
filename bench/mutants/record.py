"""What became of the mutants: a file that a run can go on from, and tables."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.mutants.listing import Mutant
from fencepost.errors import BadInput

__all__ = ["Outcome", "Record", "table"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutant.

    Attributes:
        noticed_by: way -> what noticed it, None where nothing did. Not every way need have been asked.
        seconds: how long that took.
    """

    noticed_by: Mapping[str, str | None]
    seconds: float

    @property
    def noticed(self) -> bool:
        return any(self.noticed_by.values())


class Record:
    """The outcomes so far, and how many mutants do not count because they change nothing."""

    def __init__(self, equivalent: int) -> None:
        self.equivalent = equivalent
        self.outcomes: dict[Mutant, Outcome] = {}

    @property
    def survivors(self) -> list[Mutant]:
        """Those that nobody noticed."""
        return [mutant for mutant, outcome in self.outcomes.items() if not outcome.noticed]

    @property
    def rate(self) -> float:
        """How many of all were noticed, from 0 to 1."""
        return 1 - len(self.survivors) / len(self.outcomes) if self.outcomes else 1.0

    def resume(self, file: Path, mutants: Iterable[Mutant]) -> None:
        """Take over what a file has about the same changes of the same text."""
        try:
            rows = json.loads(file.read_text("utf-8"))["mutants"]
            before = {(row["mutant"], row["text"]): Outcome(row["noticed_by"], row["seconds"]) for row in rows}
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise BadInput("--resume", str(file), f"a file that --json wrote: {error!r}") from None
        for mutant in mutants:
            outcome = before.get((mutant.key, digest(mutant)))
            if outcome is not None:
                self.outcomes[mutant] = outcome

    def left(self, mutant: Mutant, ways: Sequence[str], *, first: bool) -> Sequence[str]:
        """Return the ways that are still to be asked: all, as long as nobody noticed it.

        Args:
            mutant: about which.
            ways: to choose among.
            first: whether one who noticed it is enough.
        """
        outcome = self.outcomes.get(mutant)
        if outcome is None or not outcome.noticed:
            return ways
        return [] if first else [way for way in ways if way not in outcome.noticed_by]

    def add(self, mutant: Mutant, outcome: Outcome) -> None:
        """Keep what became of a mutant, beside what is known of it already."""
        known = self.outcomes.get(mutant, Outcome({}, 0.0))
        seconds = known.seconds + outcome.seconds
        self.outcomes[mutant] = Outcome({**known.noticed_by, **outcome.noticed_by}, seconds)

    def as_json(self) -> dict[str, Any]:
        """Return all outcomes, for a JSON file."""
        rows = [
            {
                "mutant": mutant.key,
                "operator": mutant.operator,
                "line": mutant.line,
                "text": digest(mutant),
                "noticed_by": dict(outcome.noticed_by),
                "seconds": round(outcome.seconds, 1),
            }
            for mutant, outcome in self.outcomes.items()
        ]
        return {"rate": round(self.rate, 4), "equivalent": self.equivalent, "mutants": rows}

    def write(self, file: Path) -> None:
        """Replace a file by the outcomes so far, at once; BadInput when it cannot be written."""
        new = file.with_name(f"{file.name}.new")
        try:
            new.write_text(json.dumps(self.as_json(), indent=1) + "\n", "utf-8")
            new.replace(file)
        except OSError as error:
            raise BadInput("--json", str(file), f"a file that can be written: {error.strerror}") from None


def digest(mutant: Mutant) -> str:
    """Tell one text from another."""
    return hashlib.sha256(mutant.text.encode()).hexdigest()[:16]


def table(outcomes: Mapping[Mutant, Outcome], ways: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a table: for each operator how many there are, and how many each way noticed."""
    columns = ("mutants", *ways, "anyone")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant, outcome in outcomes.items():
        noticed = [way for way in ways if outcome.noticed_by.get(way)]
        for name in (mutant.operator, "all"):
            counts[name].update(["mutants", *noticed, *(["anyone"] if noticed else [])])
    yield f"{'operator':<16}" + "".join(f"   {column}" for column in columns)
    for name in sorted(counts, key=lambda name: (name == "all", name)):
        yield f"{name:<16}" + "".join(f"{counts[name][column]:>{len(column) + 3}}" for column in columns)
