"""What happened: one vocabulary, a cheap ring that holds it, and the exporters that read the ring.

kinds       the vocabulary
ring        where events go
"""

from __future__ import annotations

from fencepost.events.kinds import FIELDS, Event
from fencepost.events.ring import EventRing, as_dict

__all__ = ["FIELDS", "Event", "EventRing", "as_dict"]
