"""How a scene is judged: watched runs, then a search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, NoReturn, Protocol

from fencepost.actors import Runtime
from fencepost.checks import explore
from fencepost.checks.broken_rule import BrokenRule
from fencepost.checks.circles import find_circle, in_words
from fencepost.checks.lock_order import LockOrderCycle
from fencepost.checks.observers import Observers
from fencepost.checks.waits import waits
from fencepost.errors import Deadlock
from fencepost.hw.long_running.designs import Design, Settings
from fencepost.lab.experiments.long_running_dangers import PAGES, Ends, Scene
from fencepost.sync.observed_virtual import ObservedVirtualWorld

__all__ = ["PATIENCE_S", "Cell", "Search", "Stuck", "judge"]

PATIENCE_S: Final = 1.0
"""For how long of its time a scene may go on; J and K together take a thousandth of that, unless J is endless."""


LONG_PATIENCE_S: Final = 60.0
"""By then an endless J is complete too."""

BACK_OFF_S: Final = 0.0005
"""Without it a search finds the hog and the rebinder taking the memory from each other for ever: that is T6-10."""

MAIL: Final = "<mail of "
"""What an idle actor waits for."""


NOBODY: Final = "nobody waits: what it should come to is lost"

WITHOUT_INTERRUPTION: Final = "dfs0"


class Stuck(Exception):  # noqa: N818 - as `Deadlock`
    """Raised when what a scene waits for does not come."""


@dataclass(frozen=True, slots=True)
class Search:
    """How to look for schedules that go wrong.

    Attributes:
        schedules: how many, at most; 0 is not at all.
        strategy, seed: as of `explore`.
        complete_up_to: all schedules in which nobody is interrupted are tried besides, where there are so many at most.
    """

    schedules: int
    strategy: str = "mix"
    seed: int = 1
    complete_up_to: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """What came of one scene with one design.

    Attributes:
        circle: what waits for what when it got stuck, as the detector says; empty when it did not, or nobody can know.
        stuck: who waits for what then; empty when it came to its end.
        deadlock: whether it would not have come to its end later either, however long somebody waits.
        flags: what the checks said of a run that came to its end.
        scopes: which other orders were searched; none when it got stuck at once.
        found: how a search got it stuck; empty when it did not.
    """

    circle: str = ""
    stuck: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    found: str = ""
    deadlock: bool = False


class Model(Protocol):
    """A scene that one design plays."""

    def __call__(self, runtime: Runtime, /, *, pressed: bool) -> Ends: ...


def machine(*, pressed: bool, preemptible: bool) -> Settings:
    """Return a device on which a scene is played."""
    room = 1 if pressed else 8
    return Settings(
        vram_pages=2 * PAGES * room, system_pages=PAGES * room, preemptible=preemptible, back_off_s=BACK_OFF_S
    )


def judge(scene: Scene, design: type[Design], search: Search, *, preemptible: bool = True) -> Cell:
    """Play a scene as it may be played, then in its worst order, and then in others, unless that got stuck."""
    model = partial(played, scene=scene, design=design, preemptible=preemptible)
    flags = watched(partial(model, pressed=False)).flags
    cell = watched(partial(model, pressed=True))
    cell = replace(cell, flags=tuple(dict.fromkeys((*flags, *cell.flags))))
    return cell if cell.stuck else searched(model, cell, search)


def searched(model: Model, cell: Cell, search: Search) -> Cell:
    """Play a scene that did not get stuck in other orders, until it does."""

    def in_time(runtime: Runtime) -> None:
        late = unmet(model(runtime, pressed=True), PATIENCE_S)
        if late:
            give_up(f"waited in vain for {', '.join(late)}")

    for strategy, schedules in ((WITHOUT_INTERRUPTION, search.complete_up_to), (search.strategy, search.schedules)):
        report = explore(in_time, schedules=schedules, strategy=strategy, seed=search.seed) if schedules else None
        if report is None:
            continue
        if report.found:
            return replace(cell, found=str(report))
        if report.complete:
            cell = replace(cell, scopes=(*cell.scopes, f"{report.schedules} schedules, {report.scope}"))
        elif strategy == search.strategy:
            said = f"{report.schedules} schedules of {strategy}, seed {search.seed}"
            cell = replace(cell, scopes=(*cell.scopes, said))
    return cell


def played(runtime: Runtime, *, scene: Scene, design: type[Design], preemptible: bool, pressed: bool) -> Ends:
    """Play a scene up to its last step; return what it is to come to."""
    return list(scene(design(runtime, machine(pressed=pressed, preemptible=preemptible)), pressed=pressed))


def watched(model: Callable[[Runtime], Ends]) -> Cell:
    """Play a scene once, with all observers; what they said counts if it came to its end."""
    observers = Observers()
    cell = Cell()
    try:
        with Runtime(ObservedVirtualWorld(observers), log_leftovers=False) as runtime:
            ends = model(runtime)
            if unmet(ends, PATIENCE_S):
                cell = stuck_cell(observers, ends)
                give_up("waited in vain")
    except (Stuck, Deadlock):
        # Who waits for ever is found waiting when the runtime is left, too.
        if not cell.stuck:
            raise
        return cell
    # The shorter ones first.
    kinds = (BrokenRule, LockOrderCycle)
    return Cell(
        flags=tuple(
            dict.fromkeys(str(found) for kind in kinds for found in observers.findings if isinstance(found, kind))
        )
    )


def give_up(why: str) -> NoReturn:
    """Leave a scene, and all that goes wrong in it from now on."""
    raise Stuck(why)


def stuck_cell(observers: Observers, ends: Ends) -> Cell:
    """Say who waits for what, and whether that has an end."""
    watches = observers.watches()
    circle = find_circle(watches)
    stuck = tuple(str(wait) for wait in waits(watches) if not wait.on.startswith(MAIL)) or (NOBODY,)
    return Cell("" if circle is None else in_words(circle), stuck, deadlock=bool(unmet(ends, LONG_PATIENCE_S)))


def unmet(ends: Ends, patience_s: float) -> list[str]:
    """Return what does not come in time."""
    return [name for name, wait in ends if not wait(patience_s)]
