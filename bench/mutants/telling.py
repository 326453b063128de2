"""A pytest plugin that writes each failure to a file as it happens, one line of JSON for each."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import pytest

__all__ = ["FILE"]

FILE: Final = "FENCEPOST_MUTANTS_FAILURES"
"""The environment variable with the name of the file."""


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Tell of a test."""
    tell(report, report.when)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Tell of a file of tests."""
    tell(report, "collect")


def tell(report: pytest.TestReport | pytest.CollectReport, when: str) -> None:
    """Write one line, in one piece."""
    if report.failed:
        with Path(os.environ[FILE]).open("a", encoding="utf-8") as failures:
            failures.write(json.dumps({"test": report.nodeid, "when": when, "text": report.longreprtext}) + "\n")
