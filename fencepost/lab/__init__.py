"""What a person starts: workloads, scenarios, runs and their reports, the command line.

wsim                                     the workload language
setup, result                            what is to be run, and what came out
runner                                   runs it
cgroups, cgroup_tables                   the control groups of a run, and how a file says them
toml_file  <-  scenario_file             files that people write, with the line of what is wrong
scenario, overrides                      setups from files and options
experiments                              what `compare` does with a file that is no scenario
run_report, comparison, plot, outputs    results for people and programs
cli                                      the commands
"""

from __future__ import annotations

from fencepost.lab.result import RunResult
from fencepost.lab.runner import run
from fencepost.lab.scenario_file import load_scenario
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.lab.wsim import Workload, load, parse_text

__all__ = ["ClientSetup", "RunResult", "Setup", "Workload", "load", "load_scenario", "parse_text", "run"]
