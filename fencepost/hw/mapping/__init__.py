"""Mapping a buffer on several GPUs of a process: what a call may leave when it is broken off, or fails on one of them.

sdma  <-  page_table                 an engine that writes page tables; what a GPU sees of them, through its TLB
arguments  <-  client                what a call is asked and tells; who makes calls, and makes them again
ledger, client  <-  process          what must hold; buffers, the mutex, and the steps that calls are made of
process  <-  unmapping               what takes mappings away
process  <-  as_built, fence_returning, transactional, each  <-  status_list, one_by_one
                                     the designs: one question, and the answers that were given or proposed
designs                              all of them, by letter
"""

from __future__ import annotations

from fencepost.hw.mapping.arguments import MAX_GPUS, Arguments
from fencepost.hw.mapping.as_built import AsBuilt
from fencepost.hw.mapping.client import Client
from fencepost.hw.mapping.design import Design
from fencepost.hw.mapping.designs import DESIGNS
from fencepost.hw.mapping.fence_returning import FenceReturning
from fencepost.hw.mapping.one_by_one import OneByOne
from fencepost.hw.mapping.page_table import PageTable, Touch
from fencepost.hw.mapping.process import Process
from fencepost.hw.mapping.sdma import Sdma, Update
from fencepost.hw.mapping.status_list import StatusList
from fencepost.hw.mapping.transactional import Transactional
from fencepost.hw.mapping.unmapping import free, unmap

__all__ = [
    "DESIGNS",
    "MAX_GPUS",
    "Arguments",
    "AsBuilt",
    "Client",
    "Design",
    "FenceReturning",
    "OneByOne",
    "PageTable",
    "Process",
    "Sdma",
    "StatusList",
    "Touch",
    "Transactional",
    "Update",
    "free",
    "unmap",
]
