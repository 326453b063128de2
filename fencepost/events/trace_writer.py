"""The one place that speaks Perfetto's protobuf: tracks, slices, instants, counters and flows.

A trace is a list of packets. A track is described by one packet; what happens on it are packets that name it.
Nothing here depends on the clock, on hashes or on chance: the same calls give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from perfetto.protos.perfetto.trace import perfetto_trace_pb2  # pyright: ignore[reportMissingTypeStubs]
from perfetto.trace_builder.proto_builder import TraceProtoBuilder  # pyright: ignore[reportMissingTypeStubs]

__all__ = ["NO_FLOW", "TraceWriter"]

NO_FLOW: Final = 0
SEQUENCE: Final = 1
"""All packets are of one sequence: packets of one time keep their order, as they must for slices that end and begin."""

# The package comes without types for its messages: they are made and filled in this file only.
_pb = cast("Any", perfetto_trace_pb2)
_BEGIN: Final[int] = _pb.TrackEvent.TYPE_SLICE_BEGIN
_END: Final[int] = _pb.TrackEvent.TYPE_SLICE_END
_INSTANT: Final[int] = _pb.TrackEvent.TYPE_INSTANT
_COUNTER: Final[int] = _pb.TrackEvent.TYPE_COUNTER
_EXPLICIT: Final[int] = _pb.TrackDescriptor.EXPLICIT


class TraceWriter:
    """Collects a trace in memory. Tracks are known by the numbers that `track` and `counter` give out.

    Slices of one track must nest, and be told in the order of their times; tracks may be told one after the other.
    A flow is an arrow through slices and instants, in the order of time: through all that name its number, up to the
    one that says `flow_ends`.
    """

    def __init__(self) -> None:
        builder = cast("Any", TraceProtoBuilder())
        self._serialize: Callable[[], bytes] = builder.serialize
        self._add_packet: Callable[[], Any] = builder.add_packet
        self._tracks = 0

    # Tracks.

    def track(self, name: str, parent: int = 0) -> int:
        """Describe a track. Viewers draw tracks of the same name and parent as one."""
        self._describe(name, parent)
        return self._tracks

    def counter(self, name: str, parent: int) -> int:
        """Describe a track that shows a number over time."""
        self._describe(name, parent).counter.SetInParent()
        return self._tracks

    def _describe(self, name: str, parent: int) -> Any:  # noqa: ANN401 - a protobuf message
        self._tracks += 1
        packet = self._add_packet()
        packet.trusted_packet_sequence_id = SEQUENCE
        descriptor = packet.track_descriptor
        descriptor.uuid = self._tracks
        descriptor.name = name
        # Children are shown in the order they are described.
        descriptor.child_ordering = _EXPLICIT
        descriptor.sibling_order_rank = self._tracks
        if parent:
            descriptor.parent_uuid = parent
        return descriptor

    # What happens on them.

    def begin(
        self, track: int, time_ns: int, name: str, *, flow: int = NO_FLOW, flow_ends: bool = False, **notes: str
    ) -> None:
        """Begin a slice; `notes` are shown when it is selected."""
        event = self._event(track, time_ns, _BEGIN)
        _label(event, name, notes)
        _connect(event, flow, ends=flow_ends)

    def end(self, track: int, time_ns: int) -> None:
        """End the innermost slice that is open."""
        self._event(track, time_ns, _END)

    def instant(self, track: int, time_ns: int, name: str, *, flow: int = NO_FLOW, flow_ends: bool = False) -> None:
        """Mark a moment."""
        event = self._event(track, time_ns, _INSTANT)
        _label(event, name, {})
        _connect(event, flow, ends=flow_ends)

    def count(self, counter: int, time_ns: int, value: int) -> None:
        """Set a counter, from then on."""
        self._event(counter, time_ns, _COUNTER).counter_value = value

    def serialize(self) -> bytes:
        """Return the trace as a file holds it."""
        return self._serialize()

    def _event(self, track: int, time_ns: int, kind: int) -> Any:  # noqa: ANN401 - a protobuf message
        packet = self._add_packet()
        packet.timestamp = time_ns
        packet.trusted_packet_sequence_id = SEQUENCE
        event = packet.track_event
        event.type = kind
        event.track_uuid = track
        return event


def _label(event: Any, name: str, notes: Mapping[str, str]) -> None:  # noqa: ANN401
    event.name = name
    for key, value in notes.items():
        event.debug_annotations.add(name=key, string_value=value)


def _connect(event: Any, flow: int, *, ends: bool) -> None:  # noqa: ANN401
    if flow != NO_FLOW:
        (event.terminating_flow_ids if ends else event.flow_ids).append(flow)
