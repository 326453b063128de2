"""Run every bench, one after the other: `python -m bench`."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

BENCHES: Final = (
    *("fences", "pipeline", "entities", "clients", "queues", "submission", "resources", "tdr"),
    *("cgroups", "cgroup_files", "explore", "observers"),
)

for bench in BENCHES:
    # A process each: what one leaves in memory must not slow down the next.
    subprocess.run([sys.executable, "-m", f"bench.{bench}"], check=True)  # noqa: S603 - our own modules
