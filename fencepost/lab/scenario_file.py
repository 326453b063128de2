"""Scenario files: TOML in the shape of `ScenarioTable`, read with an error that names line and field.

title = "A game beside a player"
policy = "fair"
duration_s = 5

[engines]
rcs = 1
vcs = 2

[[client]]
name = "game"
workload = "game.wsim"   # beside this file; or the workload itself: steps = '...'
count = 2
priority = "high"
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from fencepost.errors import BadInput
from fencepost.hw import DEFAULT_ENGINES, MAX_INSTANCES
from fencepost.lab.faults import FAULT_KINDS, FaultKind, FaultSetup
from fencepost.lab.scenario import Scenario, ScenarioClient
from fencepost.lab.toml_lines import KeyPath, Place, place_of, places
from fencepost.lab.wsim import Workload, load, parse_text
from fencepost.lab.wsim.refusal import quoted
from fencepost.policies import POLICIES, Priority
from fencepost.policies.recovery import RECOVERIES

__all__ = ["ClientTable", "EnginesTable", "FaultTable", "ScenarioTable", "load_scenario"]

MAX_FILE_BYTES: Final = 1 << 20
MAX_COUNT: Final = 100_000
MAX_DIGITS: Final = 40
DAY_S: Final = 86_400

_TOML_PLACE: Final = re.compile(r" \(at (?:line ([0-9]+), column [0-9]+|end of document)\)$")


def _is_policy(name: str) -> str:
    if name not in POLICIES:
        raise ValueError(name)
    return name


def _is_recovery(name: str) -> str:
    if name not in RECOVERIES:
        raise ValueError(name)
    return name


def _is_one_line(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError(text)
    return text


# The description is what a message says was expected.
_Name: TypeAlias = Annotated[
    str | None, Field(max_length=60, description="1 to 60 printable characters"), AfterValidator(_is_one_line)
]
_Path: TypeAlias = Annotated[str | None, Field(description="the path of a .wsim file, from this file's folder")]
_Steps: TypeAlias = Annotated[str | None, Field(description="a text with the steps of a workload")]
_Instances: TypeAlias = Annotated[
    int | None, Field(ge=1, le=MAX_INSTANCES, description=f"a whole number from 1 to {MAX_INSTANCES}")
]
_Count: TypeAlias = Annotated[int, Field(ge=1, le=MAX_COUNT, description=f"a whole number from 1 to {MAX_COUNT}")]
_Repeats: TypeAlias = Annotated[int | None, Field(ge=1, description="a whole number from 1 up")]
_Seed: TypeAlias = Annotated[int, Field(ge=0, description="a whole number from 0 up")]
_Start: TypeAlias = Annotated[float, Field(ge=0, le=DAY_S, description=f"seconds, from 0 to {DAY_S}")]
_Restart: TypeAlias = Annotated[float | None, Field(ge=0, le=DAY_S, description=f"seconds, from 0 to {DAY_S}")]
_Length: TypeAlias = Annotated[float | None, Field(gt=0, le=DAY_S, description=f"seconds, above 0 and up to {DAY_S}")]
_Timeout: TypeAlias = Annotated[float | None, Field(ge=0, le=DAY_S, description=f"seconds, from 0 to {DAY_S}")]
_FaultKind: TypeAlias = Annotated[FaultKind, Field(description=f"one of {', '.join(FAULT_KINDS)}")]
_Target: TypeAlias = Annotated[str | None, Field(description="the name of a client or an engine, or any")]
_Flag: TypeAlias = Annotated[bool, Field(description="true or false")]
_Priority: TypeAlias = Annotated[
    Literal["kernel", "high", "normal", "low"], Field(description="one of kernel, high, normal, low")
]
_World: TypeAlias = Annotated[Literal["native", "virtual"], Field(description="one of native, virtual")]
_Dispatch: TypeAlias = Annotated[Literal["thread", "workqueue"], Field(description="one of thread, workqueue")]
_Policy: TypeAlias = Annotated[str, Field(description=f"one of {', '.join(POLICIES)}"), AfterValidator(_is_policy)]
_Recovery: TypeAlias = Annotated[
    str | None, Field(description=f"one of {', '.join(RECOVERIES)}"), AfterValidator(_is_recovery)
]
_Submission: TypeAlias = Annotated[Literal["ring", "guc"], Field(description="one of ring, guc")]


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class EnginesTable(_Table):
    """`[engines]`: how many instances of each class. A class left out has none."""

    rcs: _Instances = None
    bcs: _Instances = None
    vcs: _Instances = None
    vecs: _Instances = None
    ccs: _Instances = None


class ClientTable(_Table):
    """`[[client]]`: one workload, and how clients go through it."""

    name: _Name = None
    workload: _Path = None
    steps: _Steps = None
    count: _Count = 1
    priority: _Priority = "normal"
    repeats: _Repeats = None
    background: _Flag = False
    start_s: _Start = 0.0


class FaultTable(_Table):
    """`[[fault]]`: what goes wrong, when, and how often."""

    kind: _FaultKind
    target: _Target = None
    at_s: _Start = 0.0
    every_s: _Length = None
    restart_s: _Restart = None


class ScenarioTable(_Table):
    """The whole file."""

    title: _Name = None
    world: _World = "native"
    dispatch: _Dispatch = "thread"
    workers: _Count = 1
    policy: _Policy = "fair"
    submission: _Submission = "ring"
    credit_limit: _Count = 2
    seed: _Seed = 1
    duration_s: _Length = None
    timeout_s: _Timeout = None
    recovery: _Recovery = None
    repeats: _Repeats = None
    fault: Annotated[list[FaultTable], Field(description="tables [[fault]]")] = []
    engines: Annotated[EnginesTable | None, Field(description="a table [engines]")] = None
    client: Annotated[list[ClientTable], Field(min_length=1, description="at least one table [[client]]")]


def load_scenario(path: str | Path) -> Scenario:
    """Read a scenario and the workloads it names.

    Raises:
        BadInput: when it, or a workload, cannot be read or is none.
    """
    path = Path(path)
    text = _contents(path)
    return _Reader(path, _parsed(path, text), places(text)).scenario()


@dataclass(frozen=True, slots=True)
class _Reader:
    """From the parsed file to a scenario; knows how to say where in the file something is wrong."""

    path: Path
    parsed: Mapping[str, Any]
    known: Mapping[KeyPath, Place]

    def scenario(self) -> Scenario:
        table = self._table()
        return Scenario(
            where=str(self.path),
            title=table.title or self.path.stem,
            clients=tuple(self._client(index, client) for index, client in enumerate(table.client)),
            engines=self._engines(table.engines),
            world=table.world,
            dispatch=table.dispatch,
            workers=table.workers,
            policy=table.policy,
            submission=table.submission,
            credit_limit=table.credit_limit,
            seed=table.seed,
            duration_s=table.duration_s,
            timeout_s=table.timeout_s,
            recovery=table.recovery,
            faults=tuple(self._fault(index, fault) for index, fault in enumerate(table.fault)),
            repeats=table.repeats,
        )

    def _table(self) -> ScenarioTable:
        try:
            return ScenarioTable.model_validate(self.parsed)
        except ValidationError as error:
            raise self._first_refusal(error.errors(include_url=False)) from None

    def _engines(self, table: EnginesTable | None) -> Mapping[str, int]:
        if table is None:
            return DEFAULT_ENGINES
        engines = table.model_dump(exclude_none=True)
        if not engines:
            raise BadInput(self._where(("engines",)), "no engine", "at least one, such as rcs = 1")
        return engines

    def _client(self, index: int, table: ClientTable) -> ScenarioClient:
        workload = self._workload(index, table)
        return ScenarioClient(
            where=self._where(("client", index)),
            workload=workload,
            name=table.name or workload.name,
            named=table.name is not None,
            count=table.count,
            priority=Priority[table.priority.upper()],
            repeats=table.repeats,
            background=table.background,
            start_s=table.start_s,
        )

    def _fault(self, index: int, table: FaultTable) -> FaultSetup:
        where = self._where(("fault", index))
        return FaultSetup(where, table.kind, table.target, table.at_s, table.every_s, table.restart_s)

    def _workload(self, index: int, table: ClientTable) -> Workload:
        match table.workload, table.steps:
            case None, None:
                raise BadInput(self._where(("client", index)), "no workload", "a field workload or steps")
            case str(file), None:
                return self._workload_file(("client", index, "workload"), file)
            case None, str(steps):
                return self._steps(("client", index, "steps"), steps, table.name or "steps")
            case _:
                raise BadInput(self._where(("client", index, "steps")), "steps beside a workload", "one of the two")

    def _workload_file(self, field: KeyPath, file: str) -> Workload:
        try:
            return load(self.path.parent / file)
        except BadInput as error:
            if error.__cause__ is None:
                raise
            # It was not read at all, so the mistake is in this file.
            raise BadInput(self._where(field), f"{quoted(file)}: {error.found}", error.expected) from error

    def _steps(self, field: KeyPath, steps: str, name: str) -> Workload:
        # Empty lines before the steps make them count their lines as this file does.
        above = "\n" * (place_of(field, self.known).text_line - 1)
        return parse_text(above + steps, name=name, where=str(self.path))

    def _where(self, field: KeyPath) -> str:
        line = place_of(field, self.known).line
        words = [f" {part + 1}" if isinstance(part, int) else f", {part}" for part in field]
        return f"{self.path}:{line}: {''.join(words).removeprefix(', ')}"

    def _first_refusal(self, errors: Sequence[ErrorDetails]) -> BadInput:
        # What is missing comes last: a misspelt field is the reason more often than not.
        first = min(errors, key=lambda error: (error["type"] == "missing", place_of(error["loc"], self.known).line))
        field, kind = first["loc"], first["type"]
        if kind == "extra_forbidden":
            fields = [*_table_at(field[:-1]).model_fields]
            return BadInput(self._where(field), "an unknown field", _instead(str(field[-1]), fields))
        found = "nothing" if kind == "missing" else _found(first["input"])
        return BadInput(self._where(field), found, _expected(field))


def _contents(path: Path) -> str:
    try:
        with path.open("rb") as file:
            contents = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadInput(str(path), f"no file to read ({error.strerror})", "a readable file") from error
    except ValueError as error:
        raise BadInput(str(path), f"no path ({error})", "the path of a file") from error
    if len(contents) > MAX_FILE_BYTES:
        raise BadInput(str(path), "more than 1 MiB", "a scenario of at most 1 MiB")
    try:
        return contents.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(str(path), f"byte {error.start} that is not UTF-8", "a text in UTF-8") from error


def _parsed(path: Path, text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except ValueError as error:
        problem, line = _TOML_PLACE.sub("", str(error)), _toml_line(str(error), text)
        written = (text.splitlines() or [""])[line - 1].strip()
        raise BadInput(f"{path}:{line}", f"{quoted(written)} ({problem})", "TOML") from error
    except RecursionError as error:
        raise BadInput(str(path), "brackets in brackets without end", "TOML of a few levels") from error


def _toml_line(message: str, text: str) -> int:
    match = _TOML_PLACE.search(message)
    return int(match[1]) if match and match[1] else max(1, len(text.splitlines()))


def _table_at(field: KeyPath) -> type[_Table]:
    """Return the kind of table that a path leads to."""
    kinds: Mapping[str | int, type[_Table]] = {
        "engines": EnginesTable,
        "client": ClientTable,
        "fault": FaultTable,
    }
    return kinds[field[0]] if field else ScenarioTable


def _expected(field: KeyPath) -> str:
    *table, name = field
    if isinstance(name, int):
        return f"a table [[{table[0]}]]"
    return _table_at(tuple(table)).model_fields[name].description or ""


def _instead(name: str, fields: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, fields, n=1)
    return close[0] if close else f"one of {', '.join(fields)}"


def _found(value: object) -> str:
    """Return a value as the person would recognise it, on one short line."""
    match value:
        case str():
            return quoted(value)
        case bool():
            return str(value).lower()
        case dict():
            return "a table"
        case list():
            return "a list"
        case _:
            return str(value)[:MAX_DIGITS]
