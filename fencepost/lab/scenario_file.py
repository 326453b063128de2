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

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field

from fencepost.actors.cgroups import CONTROLLERS
from fencepost.errors import BadInput
from fencepost.hw import DEFAULT_ENGINES, MAX_INSTANCES
from fencepost.lab.cgroup_tables import change_in, groups_in
from fencepost.lab.cgroups import ChangeSetup, DriverName, goes_with
from fencepost.lab.faults import FAULT_KINDS, FaultKind, FaultSetup
from fencepost.lab.scenario import Scenario, ScenarioClient
from fencepost.lab.toml_file import Table, TomlFile
from fencepost.lab.toml_lines import KeyPath, place_of
from fencepost.lab.wsim import Workload, load, parse_text
from fencepost.lab.wsim.refusal import quoted
from fencepost.policies import POLICIES, Priority
from fencepost.policies.recovery import RECOVERIES

__all__ = ["ChangeTable", "ClientTable", "EnginesTable", "FaultTable", "ScenarioTable", "load_scenario", "scenario_in"]

MAX_COUNT: Final = 100_000
DAY_S: Final = 86_400


def _is_policy(name: str) -> str:
    if name not in POLICIES:
        raise ValueError(name)
    return name


def _is_recovery(name: str) -> str:
    if name not in RECOVERIES:
        raise ValueError(name)
    return name


def _is_controller(name: str) -> str:
    if name not in CONTROLLERS:
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
_Controller: TypeAlias = Annotated[
    str, Field(description=f"one of {', '.join(CONTROLLERS)}"), AfterValidator(_is_controller)
]
_Driver: TypeAlias = Annotated[DriverName | None, Field(description="one of i915, amdgpu, xe")]
_Cgroup: TypeAlias = Annotated[str | None, Field(description="the path of a group, such as A/B")]
_Write: TypeAlias = Annotated[str | None, Field(description="GROUP/FILE=TEXT, such as browser/drm.weight=200")]
_Move: TypeAlias = Annotated[str | None, Field(description="CLIENT -> GROUP")]
_Submission: TypeAlias = Annotated[Literal["ring", "guc", "doorbell"], Field(description="one of ring, guc, doorbell")]


class EnginesTable(Table):
    """`[engines]`: how many instances of each class. A class left out has none."""

    rcs: _Instances = None
    bcs: _Instances = None
    vcs: _Instances = None
    vecs: _Instances = None
    ccs: _Instances = None


class ClientTable(Table):
    """`[[client]]`: one workload, and how clients go through it."""

    name: _Name = None
    workload: _Path = None
    steps: _Steps = None
    count: _Count = 1
    priority: _Priority = "normal"
    repeats: _Repeats = None
    background: _Flag = False
    start_s: _Start = 0.0
    cgroup: _Cgroup = None


class ChangeTable(Table):
    """`[[at]]`: what is changed about control groups during the run, and when."""

    s: _Start
    write: _Write = None
    move: _Move = None


class FaultTable(Table):
    """`[[fault]]`: what goes wrong, when, and how often."""

    kind: _FaultKind
    target: _Target = None
    at_s: _Start = 0.0
    every_s: _Length = None
    restart_s: _Restart = None


class ScenarioTable(Table):
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
    controller: _Controller = "none"
    driver: _Driver = None
    repeats: _Repeats = None
    cgroup: Annotated[dict[str, Any], Field(default_factory=dict, description="tables [cgroup.NAME]")]
    at: Annotated[list[ChangeTable], Field(default_factory=list, description="tables [[at]]")]
    fault: Annotated[list[FaultTable], Field(default_factory=list, description="tables [[fault]]")]
    engines: Annotated[EnginesTable | None, Field(description="a table [engines]")] = None
    client: Annotated[list[ClientTable], Field(min_length=1, description="at least one table [[client]]")]


def load_scenario(path: str | Path) -> Scenario:
    """Read a scenario and the workloads it names.

    Raises:
        BadInput: when it, or a workload, cannot be read or is none.
    """
    return scenario_in(TomlFile.read(path))


def scenario_in(file: TomlFile) -> Scenario:
    """Return the scenario in a file, with the workloads it names.

    Raises:
        BadInput: when it, or a workload, cannot be read or is none.
    """
    if "experiment" in file.parsed:
        raise BadInput(
            file.where(("experiment",)), "an experiment", "a scenario; experiments are for fencepost compare"
        )
    return _Reader(file).scenario()


@dataclass(frozen=True, slots=True)
class _Reader:
    """From a file to a scenario."""

    file: TomlFile

    def scenario(self) -> Scenario:
        table = self.file.table(ScenarioTable)
        if not goes_with(table.policy, table.controller, table.submission):
            where = self.file.where(("policy",))
            raise BadInput(where, quoted(table.policy), f"fair, which the controller {table.controller} changes")
        return Scenario(
            where=str(self.file.path),
            title=table.title or self.file.path.stem,
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
            controller=table.controller,
            chosen_driver=table.driver,
            cgroups=groups_in(self.file),
            changes=tuple(self._change(index, change, table) for index, change in enumerate(table.at)),
            repeats=table.repeats,
        )

    def _engines(self, table: EnginesTable | None) -> Mapping[str, int]:
        if table is None:
            return DEFAULT_ENGINES
        engines = table.model_dump(exclude_none=True)
        if not engines:
            raise BadInput(self.file.where(("engines",)), "no engine", "at least one, such as rcs = 1")
        return engines

    def _client(self, index: int, table: ClientTable) -> ScenarioClient:
        workload = self._workload(index, table)
        return ScenarioClient(
            where=self.file.where(("client", index)),
            workload=workload,
            name=table.name or workload.name,
            named=table.name is not None,
            count=table.count,
            priority=Priority[table.priority.upper()],
            repeats=table.repeats,
            background=table.background,
            start_s=table.start_s,
            cgroup=table.cgroup,
        )

    def _fault(self, index: int, table: FaultTable) -> FaultSetup:
        where = self.file.where(("fault", index))
        return FaultSetup(where, table.kind, table.target, table.at_s, table.every_s, table.restart_s)

    def _change(self, index: int, table: ChangeTable, scenario: ScenarioTable) -> ChangeSetup:
        if scenario.duration_s is not None and table.s >= scenario.duration_s:
            where = self.file.where(("at", index, "s"))
            raise BadInput(where, f"{table.s} s", f"a time before the end, at {scenario.duration_s} s")
        return ChangeSetup(table.s, change_in(self.file, index, table.write, table.move))

    def _workload(self, index: int, table: ClientTable) -> Workload:
        match table.workload, table.steps:
            case None, None:
                raise BadInput(self.file.where(("client", index)), "no workload", "a field workload or steps")
            case str(file), None:
                return self._workload_file(("client", index, "workload"), file)
            case None, str(steps):
                return self._steps(("client", index, "steps"), steps, table.name or "steps")
            case _:
                raise BadInput(self.file.where(("client", index, "steps")), "steps beside a workload", "one of the two")

    def _workload_file(self, field: KeyPath, file: str) -> Workload:
        try:
            return load(self.file.path.parent / file)
        except BadInput as error:
            if error.__cause__ is None:
                raise
            # It was not read at all, so the mistake is in this file.
            raise BadInput(self.file.where(field), f"{quoted(file)}: {error.found}", error.expected) from error

    def _steps(self, field: KeyPath, steps: str, name: str) -> Workload:
        # It counts its lines as this file does; the newline makes a single line count lines, not commas.
        line = place_of(field, self.file.places).text_line
        return parse_text(steps + "\n", name=name, where=str(self.file.path), first_line=line)
