"""The experiment `multi-gpu-map`: designs of a call that maps a buffer on several GPUs, and all that can happen to it.

experiment = "multi-gpu-map"
gpus = 4
dispatch_ms = 1
wait_ms = 5
fail_at = 2

Everything that is told was seen: each design is run under each event, in worlds of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field
from rich.console import Console

from fencepost.errors import BadInput
from fencepost.hw.mapping import DESIGNS, MAX_GPUS
from fencepost.lab.experiments.gather import gather
from fencepost.lab.experiments.multi_gpu_events import EVENTS, observe
from fencepost.lab.experiments.multi_gpu_races import RACES, RaceResult, race
from fencepost.lab.experiments.multi_gpu_report import show
from fencepost.lab.experiments.multi_gpu_stage import MapSetup, Observation
from fencepost.lab.experiments.multi_gpu_storm import Storm, StormResult, weather
from fencepost.lab.experiments.search_fields import Schedules, SearchFields, SearchStrategy, check_search
from fencepost.lab.toml_file import TomlFile

__all__ = ["MultiGpuOutcome", "MultiGpuTable", "multi_gpu_map"]

SECOND_MS: Final = 1000


def _is_design(name: str) -> str:
    if name not in DESIGNS:
        raise ValueError(name)
    return name


_Time: TypeAlias = Annotated[
    float, Field(ge=0.001, le=SECOND_MS, description=f"milliseconds, from 0.001 to {SECOND_MS}")
]
_Length: TypeAlias = Annotated[float, Field(gt=0, le=3600, description="seconds, above 0 and up to 3600")]
_Design: TypeAlias = Annotated[str, Field(description=f"one of {', '.join(DESIGNS)}"), AfterValidator(_is_design)]


class MultiGpuTable(SearchFields):
    """What such a file may hold."""

    experiment: Annotated[Literal["multi-gpu-map"], Field(description="multi-gpu-map")]
    title: Annotated[str, Field(min_length=1, description="a text")] = "Mapping a buffer on several GPUs"
    gpus: Annotated[int, Field(ge=1, le=MAX_GPUS, description=f"a whole number from 1 to {MAX_GPUS}")] = 4
    dispatch_ms: _Time = 1.0
    wait_ms: _Time = 5.0
    fail_at: Annotated[int, Field(ge=0, description="the number of a GPU, from 0 up")] = 0
    designs: Annotated[list[_Design], Field(min_length=1, description=f"a list of {', '.join(DESIGNS)}")] = Field(
        default_factory=lambda: [*DESIGNS]
    )
    pending_signals: Annotated[bool, Field(description="true or false")] = False
    signal_periods_ms: Annotated[list[_Time], Field(description="a list of milliseconds")] = Field(
        default_factory=lambda: [2.0, 4.0, 8.0]
    )
    signals: Annotated[Literal["periodic", "random"], Field(description="one of periodic, random")] = "periodic"
    storm_s: _Length = 10.0
    search: SearchStrategy = "dfs1"
    schedules: Schedules = 3000

    @property
    def setup(self) -> MapSetup:
        """What all designs are put through."""
        return MapSetup(
            gpus=self.gpus,
            dispatch_us=round(1000 * self.dispatch_ms),
            update_us=round(1000 * self.wait_ms),
            fail_at=self.fail_at,
            pending_signals=self.pending_signals,
        )


@dataclass(frozen=True, slots=True)
class MultiGpuOutcome:
    """What came of it.

    Attributes:
        title, setup, storm_s: from the file.
        observations: of each event, for each design.
        storms: for each period, each design.
        races: of each event that may come at any moment, for each design.
        interrupted: whether there would have been more.
    """

    title: str
    setup: MapSetup
    storm_s: float
    observations: tuple[Observation, ...]
    storms: tuple[StormResult, ...]
    races: tuple[RaceResult, ...]
    interrupted: bool

    def as_json(self) -> dict[str, Any]:
        """Return the facts for a JSON file."""
        setup = self.setup
        return {
            "experiment": "multi-gpu-map",
            "title": self.title,
            "gpus": setup.gpus,
            "dispatch_ms": setup.dispatch_us / 1000,
            "wait_ms": setup.update_us / 1000,
            "fail_at": setup.fail_at,
            "pending_signals": setup.pending_signals,
            "storm_s": self.storm_s,
            "events": [each.as_json() for each in self.observations],
            "storms": [each.as_json() for each in self.storms],
            "races": [each.as_json() for each in self.races],
            "interrupted": self.interrupted,
        }

    def show(self, console: Console) -> None:
        """Print the same facts."""
        show(console, self)


def multi_gpu_map(file: TomlFile) -> MultiGpuOutcome:
    """Run the experiment that a file describes. Client context, main thread.

    Raises BadInput for a file that is not as it should be; nothing has run then.
    """
    table = _checked(file)
    found, interrupted = gather(list(_runs(table)))
    return MultiGpuOutcome(
        title=table.title,
        setup=table.setup,
        storm_s=table.storm_s,
        observations=tuple(each for each in found if isinstance(each, Observation)),
        storms=tuple(each for each in found if isinstance(each, StormResult)),
        races=tuple(each for each in found if isinstance(each, RaceResult)),
        interrupted=interrupted,
    )


def _checked(file: TomlFile) -> MultiGpuTable:
    table = file.table(MultiGpuTable)
    if table.fail_at >= table.gpus:
        raise BadInput(file.where(("fail_at",)), str(table.fail_at), f"a GPU, from 0 to {table.gpus - 1}")
    check_search(file, table)
    return table


def _runs(table: MultiGpuTable) -> Iterator[Callable[[], Observation | StormResult | RaceResult]]:
    setup, designs = table.setup, list(dict.fromkeys(table.designs))
    seed = table.seed if table.signals == "random" else None
    for event in EVENTS:
        yield from (partial(observe, setup, design, event) for design in designs)
    for period_ms in dict.fromkeys(table.signal_periods_ms):
        storm = Storm(round(1000 * period_ms), round(1e6 * table.storm_s), seed)
        yield from (partial(weather, setup, design, storm) for design in designs)
    if table.schedules:
        for event in RACES:
            for design in designs:
                yield partial(race, design, event, strategy=table.search, schedules=table.schedules, seed=table.seed)
