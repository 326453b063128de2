from __future__ import annotations

import pytest

from fencepost.events import Event
from fencepost.events.kinds import BATCH, PERIOD_MISSED
from fencepost.lab.timeline import READABLE_STRETCHES, Stretch, Timeline

MS = 1_000_000


def batch(engine: str, client: str, start_ns: int, end_ns: int) -> Event:
    return (end_ns, BATCH, engine, client, 4, 1, start_ns, end_ns)


def test_a_timeline_holds_batches_and_missed_periods() -> None:
    timeline = Timeline.of([batch("vcs0", "", 20, 50), batch("rcs0", "game", 10, 30), (60, PERIOD_MISSED, "game", 5)])
    assert timeline == Timeline(
        10, 60, [Stretch("rcs0", "game", 10, 30), Stretch("vcs0", "no client", 20, 50)], [(60, "game")]
    )
    assert timeline.engines == ["rcs0", "vcs0"]
    assert timeline.busy_ns() == {"rcs0": 20, "vcs0": 30}
    assert timeline.used_ns() == {"game": 20, "no client": 30}


def test_nothing_lasts_no_time() -> None:
    assert Timeline.of([]).length_ns == 0


def test_a_cut_shortens_what_lies_across_it() -> None:
    events = [batch("rcs0", "game", start, start + 10) for start in range(0, 50, 10)]
    cut = Timeline.of(events).cut(15, 30)
    assert [(stretch.start_ns, stretch.end_ns) for stretch in cut.stretches] == [(15, 20), (20, 30)]


def test_a_short_run_is_readable_as_it_is() -> None:
    timeline = Timeline.of([batch("rcs0", "game", 0, 150 * MS)])
    assert timeline.readable_part() is timeline


@pytest.mark.parametrize(
    ("missed_ms", "start_ms"),
    [
        pytest.param([], 400, id="the middle"),
        pytest.param([100, 700, 900], 600, id="around a missed period"),
        pytest.param([10], 0, id="not before the start"),
        pytest.param([990], 800, id="not after the end"),
    ],
)
def test_of_a_long_run_a_part_is_readable(missed_ms: list[int], start_ms: int) -> None:
    missed: list[Event] = [(time_ms * MS, PERIOD_MISSED, "game", 1) for time_ms in missed_ms]
    part = Timeline.of([batch("rcs0", "game", 0, 1000 * MS), *missed]).readable_part()
    assert (part.start_ns, part.end_ns) == (start_ms * MS, (start_ms + 200) * MS)


def test_of_a_dense_run_a_shorter_part_is_readable() -> None:
    part = Timeline.of(
        [batch("rcs0", "game", start, start + 1000) for start in range(0, 10 * MS, 1000)]
    ).readable_part()
    assert READABLE_STRETCHES / 4 < len(part.stretches) <= READABLE_STRETCHES


def test_shares_tell_how_much_of_each_slot_a_client_had() -> None:
    timeline = Timeline.of(
        [batch("rcs0", "game", 0, 15), batch("rcs0", "video", 15, 20), batch("vcs0", "video", 30, 40)]
    )
    shares = timeline.shares(4)
    assert shares.edges_ns == [0, 10, 20, 30, 40]
    assert shares.of == {
        ("rcs0", "game"): [1.0, 0.5, 0.0, 0.0],
        ("rcs0", "video"): [0.0, 0.5, 0.0, 0.0],
        ("vcs0", "video"): [0.0, 0.0, 0.0, 1.0],
    }
