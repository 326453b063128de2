"""An AGX-like GPU: a firmware that knows queues and not jobs, and stops the world when something goes wrong.

    result, word, command  <-  event_slots  <-  work_queue  <-  submission      what driver and firmware share
    misfortune, pipe  <-  firmware                  the firmware, and the hardware below it
    marking, completions  <-  driver  <-  halt_cycle        the driver's half, and how it recovers
    event_handler, reaper                           who hears of completion, and who frees
    user_queue  <-  agx                             what a scheduler feeds, and what a person makes

A job is one or more commands in the work queues of its user queue. The firmware runs them, writes a stamp for each
into the event slot of its work queue, and tells the driver, which ends the job when all its stamps were written.
"""

from __future__ import annotations

from fencepost.hw.agx.agx import Agx
from fencepost.hw.agx.command import Commands
from fencepost.hw.agx.misfortune import ChannelError, Death, Hang, IgnoredHalt, LostNotices, Misfortune, PageFault
from fencepost.hw.agx.result import Result

__all__ = [
    "Agx",
    "ChannelError",
    "Commands",
    "Death",
    "Hang",
    "IgnoredHalt",
    "LostNotices",
    "Misfortune",
    "PageFault",
    "Result",
]
