"""`fencepost top`: who uses the GPU now, by client and by control group, while a scenario runs.

    fdinfo_text  <-  reading  <-  meter     a text; all there are at one moment; from one moment to the next
    page  <-  display                       what a sample looks like, and where
    watch                                   the task beside a run, and its pace
    command                                 the command line

It knows what everybody knows who looks from outside: fdinfo and the files of control groups.
"""

from __future__ import annotations

from fencepost.lab.top.fdinfo_text import EngineCounter, Fdinfo, parse_fdinfo
from fencepost.lab.top.meter import ClientSample, DeviceSample, GroupSample, Meter, Sample
from fencepost.lab.top.page import bar, page
from fencepost.lab.top.reading import ClientReading, GroupReading, Reading, read

__all__ = [
    "ClientReading",
    "ClientSample",
    "DeviceSample",
    "EngineCounter",
    "Fdinfo",
    "GroupReading",
    "GroupSample",
    "Meter",
    "Reading",
    "Sample",
    "bar",
    "page",
    "parse_fdinfo",
    "read",
]
