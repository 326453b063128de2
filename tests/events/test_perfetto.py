"""The trace is read back with the message classes it was written with."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any, cast

from hypothesis import example, given
from hypothesis import strategies as st
from perfetto.protos.perfetto.trace import perfetto_trace_pb2  # pyright: ignore[reportMissingTypeStubs]

from fencepost.events import Event
from fencepost.events.kinds import (
    BATCH,
    CYCLE,
    ENTITY_KILLED,
    JOB_DONE,
    JOB_QUEUE,
    JOB_REQUEUED,
    JOB_RUN,
    JOB_TIMEDOUT,
    PERIOD_MISSED,
    RECOVERED,
)
from fencepost.events.perfetto import pftrace, write_pftrace

pb = cast("Any", perfetto_trace_pb2)


class Trace:
    """What a viewer makes of a trace: tracks by path, and their events sorted by time."""

    def __init__(self, events: list[Event]) -> None:
        message = pb.Trace()
        message.ParseFromString(pftrace(events))
        self.tracks: dict[int, str] = {}
        for packet in message.packet:
            if packet.HasField("track_descriptor"):
                track = packet.track_descriptor
                above = f"{self.tracks[track.parent_uuid]}/" if track.parent_uuid else ""
                self.tracks[track.uuid] = above + track.name
        told = [packet for packet in message.packet if packet.HasField("track_event")]
        self.packets = sorted(told, key=lambda packet: int(packet.timestamp))

    def on(self, path: str) -> list[Any]:
        return [packet for packet in self.packets if self.tracks[packet.track_event.track_uuid] == path]

    def slices(self, path: str) -> list[tuple[str, int, int, int]]:
        """Return name, start, end and depth, checking that slices nest on each track."""
        found: list[tuple[str, int, int, int]] = []
        open_slices: dict[int, list[tuple[str, int]]] = defaultdict(list)
        for packet in self.on(path):
            event = packet.track_event
            stack = open_slices[event.track_uuid]
            if event.type == pb.TrackEvent.TYPE_SLICE_BEGIN:
                stack.append((event.name, packet.timestamp))
            elif event.type == pb.TrackEvent.TYPE_SLICE_END:
                name, start_ns = stack.pop()
                found.append((name, start_ns, packet.timestamp, len(stack)))
        assert not any(open_slices.values())
        return sorted(found, key=lambda each: (each[1], each[3]))

    def instants(self, path: str) -> list[tuple[str, int]]:
        kind = pb.TrackEvent.TYPE_INSTANT
        return [(each.track_event.name, each.timestamp) for each in self.on(path) if each.track_event.type == kind]

    def flows(self) -> dict[int, list[tuple[str, bool]]]:
        """Return the tracks that each flow goes through, and whether it ends there."""
        flows: dict[int, list[tuple[str, bool]]] = defaultdict(list)
        for packet in self.packets:
            event = packet.track_event
            for flow in event.flow_ids:
                flows[flow].append((self.tracks[event.track_uuid], False))
            for flow in event.terminating_flow_ids:
                flows[flow].append((self.tracks[event.track_uuid], True))
        return flows

    def check(self) -> None:
        """Check what holds for every trace."""
        for path in set(self.tracks.values()):
            self.slices(path)
        for steps in self.flows().values():
            assert [ends for _, ends in steps] == [False] * (len(steps) - 1) + [True]
            assert len(steps) > 1
        assert all(packet.timestamp >= 0 for packet in self.packets)


def queue(time_ns: int, seqno: int) -> Event:
    return (time_ns, JOB_QUEUE, "rcs0", "e", "game", 4, seqno, 0, 0)


def run_event(time_ns: int, seqno: int) -> Event:
    return (time_ns, JOB_RUN, "rcs0", "e", "game", 4, seqno, 0, 1)


def batch(start_ns: int, end_ns: int, seqno: int) -> Event:
    return (end_ns, BATCH, "rcs0", "game", 4, seqno, start_ns, end_ns)


def done(time_ns: int, seqno: int, error: int = 0) -> Event:
    return (time_ns, JOB_DONE, "rcs0", 4, seqno, error)


def test_a_run_is_drawn_whole(run: list[Event]) -> None:
    trace = Trace(run)
    trace.check()
    assert list(dict.fromkeys(trace.tracks.values())) == [
        "fencepost",
        "fencepost/engines",
        "fencepost/player",
        "fencepost/player/player.vcs0",
        "fencepost/game",
        "fencepost/game/cycles",
        "fencepost/game/missed periods",
        "fencepost/game/game.rcs0",
        "fencepost/no client",
        "fencepost/no client/stray",
        "fencepost/schedulers",
        "fencepost/schedulers/vcs0",
        "fencepost/schedulers/vcs0/queued jobs",
        "fencepost/schedulers/vcs0/credits in use",
        "fencepost/schedulers/rcs0",
        "fencepost/schedulers/rcs0/queued jobs",
        "fencepost/schedulers/rcs0/credits in use",
        "fencepost/engines/rcs0",
        "fencepost/engines/vcs0",
    ]
    assert len(trace.flows()) == sum(event[1] == JOB_QUEUE for event in run)


def test_the_same_events_give_the_same_bytes(run: list[Event]) -> None:
    assert pftrace(run) == pftrace(run)


def test_an_arrow_goes_from_the_push_to_each_batch_and_to_the_end() -> None:
    """All is of one nanosecond, as in the virtual world, except for the second batch."""
    trace = Trace([queue(5, 1), run_event(5, 1), batch(5, 7, 1), batch(8, 9, 1), done(9, 1)])
    assert list(trace.flows().values()) == [
        [
            ("fencepost/game/e", False),
            ("fencepost/engines/rcs0", False),
            ("fencepost/engines/rcs0", False),
            ("fencepost/game/e", True),
        ]
    ]


def test_a_job_shows_what_it_was_at() -> None:
    trace = Trace([queue(0, 1), run_event(10, 1), batch(20, 30, 1), done(40, 1, -62)])
    assert trace.slices("fencepost/game/e") == [
        ("job 4:1", 0, 40, 0),
        ("queued", 0, 10, 1),
        ("on ring", 10, 20, 1),
        ("running", 20, 30, 1),
        ("completing", 30, 40, 1),
    ]
    assert trace.instants("fencepost/game/e") == [("-ETIME", 40)]
    assert trace.slices("fencepost/engines/rcs0") == [("game", 20, 30, 0)]


def test_jobs_that_overlap_have_tracks_of_their_own_which_are_used_again() -> None:
    jobs = [queue(0, 1), queue(1, 2), done(4, 1), queue(4, 3), done(5, 2), done(6, 3)]
    trace = Trace(jobs)
    trace.check()
    assert list(trace.tracks.values()).count("fencepost/game/e") == 2


def test_a_job_that_is_not_done_is_drawn_to_the_last_event() -> None:
    trace = Trace([queue(0, 1), run_event(2, 1), batch(3, 5, 1), queue(9, 2)])
    trace.check()
    assert ("job 4:1", 0, 9, 0) in trace.slices("fencepost/game/e")
    assert list(trace.flows().values()) == [[("fencepost/game/e", False), ("fencepost/engines/rcs0", True)]]


def test_of_a_job_whose_first_events_were_dropped_the_rest_is_drawn() -> None:
    trace = Trace([batch(3, 5, 1), done(6, 1)])
    trace.check()
    assert trace.slices("fencepost/engines/rcs0") == [("game", 3, 5, 0)]
    assert trace.flows() == {}


def test_cycles_missed_periods_and_controls_are_drawn_at_their_client() -> None:
    cycle: Event = (5, CYCLE, "game", 1, 5)
    trace = Trace([queue(0, 1), cycle, (6, PERIOD_MISSED, "game", 1500), (7, ENTITY_KILLED, "e", 3)])
    assert trace.slices("fencepost/game/cycles") == [("cycle", 1, 5, 0)]
    assert trace.instants("fencepost/game/missed periods") == [("2 us late", 6)]
    assert trace.instants("fencepost/game/e") == [("killed with 3 jobs", 7)]


def test_the_counters_of_a_ring_go_up_and_down() -> None:
    trace = Trace([queue(0, 1), queue(1, 2), run_event(2, 1), done(3, 1)])
    values = [packet.track_event.counter_value for packet in trace.on("fencepost/schedulers/rcs0/queued jobs")]
    assert values == [1, 2, 1, 1]


def test_nothing_is_a_trace_too(tmp_path: Path) -> None:
    write_pftrace([], tmp_path / "out.pftrace")
    assert (tmp_path / "out.pftrace").exists()


@st.composite
def jobs(draw: st.DrawFn, seqno: int) -> list[Event]:
    """Give a job whose events come as they do, but any of which may be missing."""
    at = sorted(draw(st.lists(st.integers(0, 12), min_size=7, max_size=7)))
    whole = [
        queue(at[0], seqno),
        run_event(at[1], seqno),
        batch(at[2], at[3], seqno),
        batch(at[4], at[5], seqno),
        done(at[6], seqno),
    ]
    return [event for event in whole if draw(st.booleans())]


@example(
    (
        [(1, BATCH, "rcs0", "game", 4, 1, 0, 1)],
        [(2, BATCH, "rcs0", "game", 4, 2, 1, 2)],
        [(1, BATCH, "rcs0", "game", 4, 3, 0, 1)],
        [(0, JOB_RUN, "rcs0", "e", "game", 4, 4, 0, 1), *[(2, BATCH, "rcs0", "game", 4, 4, 2, 2)] * 2],
    )
)
@given(st.tuples(*(jobs(seqno) for seqno in range(1, 5))))
def test_any_jobs_make_a_trace_that_holds_together(some: tuple[list[Event], ...]) -> None:
    Trace([event for job in some for event in job]).check()


def test_recoveries_are_marked_beside_the_ring() -> None:
    events: list[Event] = [
        (0, JOB_QUEUE, "rcs0", "e", "c", 4, 1, 0, 0),
        (1, JOB_RUN, "rcs0", "e", "c", 4, 1, 0, 1),
        (5, JOB_TIMEDOUT, "rcs0", 4, 1),
        (6, JOB_REQUEUED, "rcs0", 4, 1, True),
        (7, RECOVERED, "rcs0", 4, 1, "reset", 5),
        (9, RECOVERED, "gpu", 0, 0, "device gone", 8),
    ]
    trace = Trace(events)
    assert trace.instants("fencepost/schedulers/rcs0 recoveries") == [
        ("4:1 timed out", 5),
        ("4:1 runs again", 6),
        ("recovered: reset", 7),
    ]
    assert trace.instants("fencepost/schedulers/gpu recoveries") == [("recovered: device gone", 9)]
