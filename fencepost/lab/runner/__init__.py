"""From a setup to its result: clients go through their workloads on a GPU.

Each line knows only those above it:

    engines, plan                   where batches may run, found out before anything starts
    no_effect                       what a workload asks for and cannot get
    objects, soft_fences            what batches wait for: working sets, fences of the client
    context_queue, submission       from a batch to a job
    throttles, cycles, watch        what holds a client back, its account, and when it ends
    client                          a task that does the steps
    progress, facts                 what is told during the run and after it
    cgroups                         control groups: made, changed, and what they had
    crew, run                       the machine with its clients, and who runs it

    >>> from fencepost.lab.runner import run
    >>> from fencepost.lab.setup import ClientSetup, Setup
    >>> from fencepost.lab.wsim import parse_text
    >>> workload = parse_text("1.RCS.2000.0.0,2.BCS.1000.-1.1,p.16667", name="demo", where="-w")
    >>> result = run(Setup("demo", (ClientSetup("demo", workload, repeats=60),), world="virtual"))
    >>> result.elapsed_s, result.workloads[0].time_us.max, result.engines[0].busy_us
    (1.00002, 3000.0, 120000.0)
"""

from __future__ import annotations

from fencepost.lab.runner.progress import Progress
from fencepost.lab.runner.run import run
from fencepost.lab.runner.watch import Stop, StopFlag

__all__ = ["Progress", "Stop", "StopFlag", "run"]
