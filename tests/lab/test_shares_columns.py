from __future__ import annotations

from collections.abc import Callable

import pytest

from fencepost.events import Event
from fencepost.events.kinds import BATCH, CYCLE, JOB_DONE, JOB_QUEUE
from fencepost.lab.cgroups import CgroupSetup, ChangeSetup, Move, Write
from fencepost.lab.result import ChangeResult, RunResult
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.lab.shares import Frame
from fencepost.lab.shares_columns import Mark, column_of, periods_us
from fencepost.lab.wsim import parse_text

MS = 1_000_000
S = 1_000_000_000
GAME = parse_text("1.RCS.1000.0.0,p.16667", name="game", where="-w")
HOG = parse_text("1.RCS.1000.0.0", name="hog", where="-w")
CLIENTS = (
    ClientSetup("game", GAME, cgroup="A/B"),
    ClientSetup("shadow", GAME, background=True, cgroup="/A"),
    ClientSetup("hog", HOG),
)
GROUPED = Setup(
    "demo",
    CLIENTS,
    cgroups=(
        CgroupSetup("here", "A", (Write("here", "A", "drm.weight", "300"),)),
        CgroupSetup("here", "A/B", (Write("here", "A/B", "drm.max", "50000 100000"),)),
    ),
    changes=(
        ChangeSetup(0.1, Write("here", "A", "drm.weight", "default 0x384")),
        ChangeSetup(0.15, Write("here", "A", "drm.weight", "card0 default")),
        ChangeSetup(0.1, Move("here", "shadow", "A/B")),
    ),
)


def side_by_side(began_ms: int = 0) -> list[Event]:
    """Return what is told when game and hog are always waiting for the engine, and get a half of it each."""
    events: list[Event] = []
    for number in range(40):
        client = "hog" if number % 2 else "game"
        start_ns, end_ns = ((began_ms + 5 * count) * MS for count in (number, number + 1))
        queued_ns = max(began_ms * MS, start_ns - 10 * MS)
        events.append((queued_ns, JOB_QUEUE, "rcs0", client, client, number, 1, 0, 0))
        events.append((end_ns, BATCH, "rcs0", client, number, 1, start_ns, end_ns))
        events.append((end_ns, JOB_DONE, "rcs0", number, 1, 0))
    events.append(((began_ms + 20) * MS, CYCLE, "game", began_ms * MS, (began_ms + 20) * MS))
    return sorted(events, key=lambda event: event[0])


@pytest.mark.parametrize("began_ms", [0, 5000])
def test_a_column_has_shares_marks_and_frames(run_result: Callable[..., RunResult], began_ms: int) -> None:
    changes = (
        ChangeResult(0.1, "A/drm.weight=900", "done"),
        ChangeResult(0.1, "shadow -> A/B", "done"),
        ChangeResult(0.15, "A/drm.weight=5", "EINVAL"),
    )
    result = run_result(events=tuple(side_by_side(began_ms)), elapsed_s=0.2, changes=changes)
    column = column_of("v8", GROUPED, result)
    assert column.groups == {"game": "/A/B", "shadow": "/A", "hog": "/"}
    assert column.shares.had["/A/B"] == pytest.approx([0.5, 0.5])
    assert column.shares.ideal["/A/B"] == pytest.approx([0.75, 0.9])
    assert column.marks == (Mark((began_ms + 100) * MS, "A/drm.weight=900\nshadow -> A/B"),)
    assert column.frames == {"game": [Frame((began_ms + 20) * MS, 20 * MS)]}


def test_clients_stand_for_groups_where_there_are_none(run_result: Callable[..., RunResult]) -> None:
    result = run_result(events=tuple(side_by_side()), elapsed_s=0.2)
    column = column_of("fair", Setup("demo", CLIENTS), result)
    assert column.shares.had.keys() == {"/", "/game", "/hog"}
    assert column.shares.had["/game"] == pytest.approx([0.5, 0.5])
    assert column.shares.ideal == {}


def test_who_moves_takes_its_time_along(run_result: Callable[..., RunResult]) -> None:
    setup = Setup("demo", CLIENTS, cgroups=GROUPED.cgroups, changes=(ChangeSetup(0.1, Move("here", "hog", "A")),))
    shares = column_of("v8", setup, run_result(events=tuple(side_by_side()), elapsed_s=0.2)).shares
    assert shares.had["/A"] == pytest.approx([0.5, 1.0])
    # From then on it stands in A beside B, of the same weight.
    assert shares.ideal["/A/B"] == pytest.approx([0.75, 0.5])


def test_slots_of_a_long_run_are_longer(run_result: Callable[..., RunResult]) -> None:
    events = (*side_by_side(), (31 * S, BATCH, "rcs0", "game", 99, 1, 30 * S, 31 * S))
    column = column_of("fair", GROUPED, run_result(events=events, elapsed_s=31.0))
    assert column.shares.edges_ns[:2] == [0, 300 * MS]


def test_periods_are_those_of_the_foreground() -> None:
    assert periods_us(GROUPED) == {"game": 16667}
