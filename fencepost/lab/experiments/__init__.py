"""Experiments: what `fencepost compare FILE` can do with a file that is no scenario but says `experiment = "NAME"`.

Each is a module with a function from such a file to what came out of it. The file is a `Table` of its own, with a field
`experiment`. The function raises BadInput before it starts anything, and takes care of Ctrl-C itself (`lab.process`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from fencepost.errors import BadInput
from fencepost.lab.experiments.long_running import long_running
from fencepost.lab.experiments.multi_gpu_map import multi_gpu_map
from fencepost.lab.experiments.outcome import Outcome
from fencepost.lab.toml_file import TomlFile
from fencepost.lab.wsim.refusal import quoted

__all__ = ["EXPERIMENTS", "Experiment", "Outcome", "experiment_in"]

Experiment = Callable[[TomlFile], Outcome]

EXPERIMENTS: Final[Mapping[str, Experiment]] = MappingProxyType(
    {"long-running": long_running, "multi-gpu-map": multi_gpu_map}
)
"""By the name that files use."""


def experiment_in(file: TomlFile) -> Experiment | None:
    """Return the experiment that a file asks for, or None when it is a scenario.

    Raises:
        BadInput: there is no such experiment.
    """
    name = file.parsed.get("experiment")
    if name is None:
        return None
    if not isinstance(name, str) or name not in EXPERIMENTS:
        found = quoted(name) if isinstance(name, str) else "no text"
        raise BadInput(file.where(("experiment",)), found, f"one of {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]
