"""The moment from which others can reach a fence: from here on the cross-driver rules are in force."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from fencepost.fences.fence import Fence
from fencepost.fences.long_running import is_long_running
from fencepost.sync.observer import listening

__all__ = ["Publication", "publish"]


@dataclass(frozen=True, slots=True)
class Publication:
    """A fence is put where others find it.

    Attributes:
        fence: which.
        where: the reservation, syncobj or file; reports use its `repr`.
        usage: the name of the usage class, for a reservation.
    """

    fence: Fence
    where: object
    usage: str = ""


def publish(fence: Fence, where: object, usage: str = "") -> None:
    """Say that `fence` is about to be put into `where`, before it is. Any context; arguments as of `Publication`.

    Warns of a long-running fence, in every world: it keeps none of the rules that those who find it there rely on.
    Where warnings are errors it is refused so, and nothing has changed. Observers hear of every fence.
    """
    watch = listening()
    if watch is not None:
        watch.hear(Publication(fence, where, usage))
    if is_long_running(fence):
        said = f"{fence!r} is long-running and must not be put into {where!r}: it may not complete for ever"
        warnings.warn(said, RuntimeWarning, stacklevel=3)
