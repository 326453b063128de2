"""Things that jobs take before they run and give back before they are done: event ids, slots, places in flight.

pool                ids, free or somebody's
account             who has what, at one moment
grab  <-  grabs     in which order things are handed out: the mechanism, and four ways
thresholds          from how many jobs on a way that takes one at a time can get stuck
"""

from __future__ import annotations

from fencepost.policies.resources.account import Account, Entry
from fencepost.policies.resources.grab import Grab, Request, Step, check_needs
from fencepost.policies.resources.grabs import GRABS, Atomic, Drop, Fifo, Hold, new_grab
from fencepost.policies.resources.pool import Pool
from fencepost.policies.resources.thresholds import can_run_out, fewest_that_run_out

__all__ = [
    "GRABS",
    "Account",
    "Atomic",
    "Drop",
    "Entry",
    "Fifo",
    "Grab",
    "Hold",
    "Pool",
    "Request",
    "Step",
    "can_run_out",
    "check_needs",
    "fewest_that_run_out",
    "new_grab",
]
