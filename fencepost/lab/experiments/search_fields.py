"""How an experiment searches, as its file says it."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from pydantic import Field

from fencepost.checks.strategies import new_strategy
from fencepost.errors import BadInput
from fencepost.lab.toml_file import Table, TomlFile

__all__ = ["MAX_SCHEDULES", "Schedules", "SearchFields", "SearchStrategy", "check_search"]

MAX_SCHEDULES: Final = 1_000_000


SearchStrategy: TypeAlias = Annotated[str, Field(description="a strategy of `fencepost explore`, such as dfs1 or mix")]
Schedules: TypeAlias = Annotated[
    int, Field(ge=0, le=MAX_SCHEDULES, description=f"a whole number from 0 (no search) to {MAX_SCHEDULES}")
]


class SearchFields(Table):
    """The fields of a file whose experiment searches. A subclass gives what they are when it does not say."""

    search: SearchStrategy
    schedules: Schedules
    seed: Annotated[int, Field(ge=0, description="a whole number from 0 up")] = 1


def check_search(file: TomlFile, fields: SearchFields) -> None:
    """Raise BadInput for a strategy that there is not."""
    try:
        new_strategy(fields.search, fields.seed)
    except BadInput as error:
        raise BadInput(file.where(("search",)), error.found, error.expected) from None
