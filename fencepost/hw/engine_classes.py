"""The kinds of engines, and how many of each a GPU has."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fencepost.errors import BadInput

__all__ = ["DEFAULT_ENGINES", "ENGINE_CLASSES", "check_engines", "parse_engines"]

ENGINE_CLASSES: Final = ("rcs", "bcs", "vcs", "vecs", "ccs")
"""Render, copy, video, video enhancement and compute. (kernel: enum drm_i915_gem_engine_class)"""

DEFAULT_ENGINES: Final[Mapping[str, int]] = MappingProxyType({"rcs": 1, "bcs": 1, "vcs": 2, "vecs": 1, "ccs": 1})

MAX_INSTANCES: Final = 64


def check_engines(engines: Mapping[str, int], where: str) -> None:
    """Raise BadInput unless it names engine classes, at least one, with 1 to 64 instances each."""
    if not engines:
        raise BadInput(where, "no engines", "at least one, such as rcs=1")
    for engine_class, count in engines.items():
        if engine_class not in ENGINE_CLASSES:
            raise BadInput(where, f"engine class {engine_class!r}", f"one of {', '.join(ENGINE_CLASSES)}")
        if not 1 <= count <= MAX_INSTANCES:
            raise BadInput(where, f"{engine_class}={count}", f"{engine_class}=1 to {engine_class}={MAX_INSTANCES}")


def parse_engines(text: str, where: str = "--engines") -> dict[str, int]:
    """Read `rcs=1,vcs=2`: the engines of a GPU, for `Gpu`.

    Raises BadInput, which names `where`, for anything else.
    """
    engines: dict[str, int] = {}
    for part in text.split(","):
        engine_class, _, count = (piece.strip() for piece in part.partition("="))
        if not (count.isascii() and count.isdigit()):
            raise BadInput(where, repr(part.strip()), "CLASS=COUNT, such as vcs=2")
        if engine_class in engines:
            raise BadInput(where, f"{engine_class} twice", "each engine class once")
        engines[engine_class] = int(count)
    check_engines(engines, where)
    return engines
