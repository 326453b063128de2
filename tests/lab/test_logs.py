from __future__ import annotations

import io
import json
import sys

import pytest
import structlog

from fencepost.lab.logs import LogLevel, set_up_logs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def log() -> None:
    logger = structlog.get_logger("fencepost")
    logger.info("quiet", ring="rcs0")
    logger.warning("loud", leftovers={1, 2} & {2})


def test_warnings_are_lines_of_json_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    set_up_logs()
    log()
    (line,) = map(json.loads, stderr.getvalue().splitlines())
    assert (line["event"], line["level"], line["leftovers"]) == ("loud", "warning", "{2}")


def test_warnings_are_for_people_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    set_up_logs()
    log()
    (line,) = stderr.getvalue().splitlines()
    assert "loud" in line
    assert not line.startswith("{")


def test_a_lower_level_tells_more(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    set_up_logs(LogLevel.DEBUG)
    log()
    assert [json.loads(line)["event"] for line in stderr.getvalue().splitlines()] == ["quiet", "loud"]


def test_lines_follow_standard_error_to_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    set_up_logs()
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    log()
    assert "loud" in stderr.getvalue()
