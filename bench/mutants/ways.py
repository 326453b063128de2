"""The ways to notice that something is wrong: which tests are run, how, and which of their failures count."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bench.mutants.listing import ROOMS

__all__ = ["WAYS", "Failure", "Way"]

FOLDERS: Final = (*ROOMS, "checks")
"""Of the tests. Those of the checks are among them since what observes a world stands in `sync` for a part."""

SEARCHING: Final = "test_searched"
"""How the names of those files of tests begin that run small programs under many schedules."""

FINDING: Final = re.compile(
    r"^(race on |two locks of one kind|lock order is a circle|these wait for each other|nothing has moved)"
    r"|observers\.findings",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that failed.

    Attributes:
        test: its name.
        when: setup, call, teardown; or collect, when its file could not even be read.
        text: what pytest says about it.
    """

    test: str
    when: str
    text: str

    @property
    def by_observers(self) -> bool:
        """Whether it was the observers who made it fail; the test as such may have passed."""
        return self.when == "teardown" and FINDING.search(self.text) is not None


@dataclass(frozen=True, slots=True)
class Way:
    """One way to notice that something is wrong.

    Attributes:
        test_limit_s: for how long one of its tests may run.
        searches: whether those that search are run, or all the others.
        observed: whether all native worlds are watched; then what the observers find counts, and nothing else.
    """

    test_limit_s: float
    searches: bool = False
    observed: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """What pytest is told besides."""
        # Virtual worlds are not watched.
        whom = ("-k", "not virtual") if self.observed else ("--no-observe",)
        return (f"--timeout={self.test_limit_s}", *whom)

    def files(self, place: Path, changed: str) -> list[str]:
        """List the files of tests in a tree: the changed file's room first, and its own test before all."""
        room, own = changed.partition("/")[0], f"test_{Path(changed).stem}.py"
        found = [path for each in FOLDERS for path in sorted((place / "tests" / each).rglob("test_*.py"))]
        names = [path.relative_to(place) for path in found if path.name.startswith(SEARCHING) is self.searches]
        return [str(name) for name in sorted(names, key=lambda name: (name.parts[1] != room, name.name != own))]

    def counts(self, failure: Failure) -> bool:
        """Say whether a failure is one that this way is about."""
        return failure.by_observers is self.observed


WAYS: Final[Mapping[str, Way]] = MappingProxyType(
    {
        "tests": Way(test_limit_s=10),
        # A test that stalls is ended after the watchdog has reported it.
        "observers": Way(test_limit_s=30, observed=True),
        "exploration": Way(test_limit_s=20, searches=True),
    }
)
