from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from fencepost.errors import BadInput
from fencepost.lab.toml_file import Table, TomlFile


class Goal(Table):
    by: Annotated[str, Field(description="the name of a player")]
    minute: Annotated[int | None, Field(ge=1, description="a minute, from 1 up")] = None


class Game(Table):
    """Every kind of field that our files have."""

    players: Annotated[int, Field(ge=1, description="a whole number from 1 up")]
    length: Annotated[int | float, Field(description="minutes, or none of them")] = 90
    names: Annotated[list[str], Field(default_factory=list, description="a list of names")]
    referee: Annotated[Goal | None, Field(description="a table [referee]")] = None
    goal: Annotated[list[Goal] | None, Field(description="tables [[goal]]")] = None
    extra: Annotated[dict[str, Goal], Field(default_factory=dict, description="tables [extra.NAME]")]


def written(folder: Path, text: str) -> TomlFile:
    path = folder / "a.toml"
    path.write_text(text, "utf-8")
    return TomlFile.read(path)


def test_a_file_is_a_model(tmp_path: Path) -> None:
    game = written(tmp_path, "players = 2\n[[goal]]\nby = 'x'\n[extra.late]\nby = 'y'\nminute = 91\n").table(Game)
    assert (game.players, game.length, game.goal) == (2, 90, [Goal(by="x")])
    assert game.extra == {"late": Goal(by="y", minute=91)}


def test_a_field_has_a_place(tmp_path: Path) -> None:
    file = written(tmp_path, "players = 2\n\n[[goal]]\nby = 'x'\n")
    assert file.where(("goal", 0, "by")) == f"{file.path}:4: goal 1, by"
    assert file.where(("goal", 0, "minute")) == f"{file.path}:3: goal 1, minute"


REFUSED = {
    "value": ("players = 0", "a.toml:1: players: found 0, expected a whole number from 1 up"),
    "missing": ("\nlength = 2", "a.toml:1: players: found nothing, expected a whole number from 1 up"),
    "member of a union": (
        "players = 1\nlength = 'x'",
        'a.toml:2: length: found "x", expected minutes, or none of them',
    ),
    "value in a list": ("players = 1\nnames = ['a', 1]", "a.toml:2: names 2: found 1, expected a list of names"),
    "no table in a list": ("players = 1\ngoal = [1]", "a.toml:2: goal 1: found 1, expected a table [[goal]]"),
    "value in a table in a list": (
        "players = 1\n[[goal]]\nby = 'x'\n[[goal]]\nby = 'y'\nminute = 0",
        "a.toml:6: goal 2, minute: found 0, expected a minute, from 1 up",
    ),
    "value in a table by name": (
        "players = 1\n[extra.late]\nby = 3",
        "a.toml:3: extra, late, by: found 3, expected the name of a player",
    ),
    "no optional table": ("players = 1\nreferee = 1", "a.toml:2: referee: found 1, expected a table [referee]"),
    "unknown in an optional table": (
        "players = 1\n[referee]\nby = 'x'\nmin = 1",
        "a.toml:4: referee, min: found an unknown field, expected minute",
    ),
    "unknown": (
        "players = 1\ncolour = 2",
        "a.toml:2: colour: found an unknown field, expected one of players, length, names, referee, goal, extra",
    ),
    "unknown, and does not print": (
        'players = 1\n"a\\u001b" = 2',
        ('a.toml:1: "a\\u001b": found an unknown field, expected one of players, length, names, referee, goal, extra'),
    ),
    "misspelt, which is why another is missing": (
        "player = 1",
        "a.toml:1: player: found an unknown field, expected players",
    ),
    "first of two": (
        "players = 0\n[[goal]]\nby = 1",
        "a.toml:1: players: found 0, expected a whole number from 1 up",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_model_is_told_in_a_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadInput) as refused:
        written(tmp_path, text).table(Game)
    assert str(refused.value) == f"{tmp_path}/{message}"
