"""What a person starts: workloads, scenarios, runs and their reports, the command line.

wsim                                     the workload language
setup, result                            what is to be run, and what came out
runner                                   runs it
scenario_file  <-  scenario, overrides   setups from files and options
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
