"""All designs, by the letters under which they are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from fencepost.hw.mapping.as_built import AsBuilt
from fencepost.hw.mapping.design import Design
from fencepost.hw.mapping.fence_returning import FenceReturning
from fencepost.hw.mapping.one_by_one import OneByOne
from fencepost.hw.mapping.process import Process
from fencepost.hw.mapping.status_list import StatusList
from fencepost.hw.mapping.transactional import Transactional

__all__ = ["DESIGNS"]

DESIGNS: Final[Mapping[str, Callable[[Process], Design]]] = MappingProxyType(
    {
        "A": AsBuilt,
        "A-held": partial(AsBuilt, holds_mutex=True),
        "A-polls": partial(AsBuilt, polls=True),
        "A0": partial(AsBuilt, counts=False),
        "B": FenceReturning,
        "C": Transactional,
        "C-free": partial(Transactional, at_once=True),
        "D": OneByOne,
        "E": StatusList,
    }
)
"""As built; the mutex held while it waits; signals looked for between GPUs; without n_success. Two calls and a fence.

Transactional; the same where undoing is free. A call for each GPU. A status for each GPU.
"""
