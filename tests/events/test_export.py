from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fencepost.errors import BadInput
from fencepost.events import Event
from fencepost.events.export import check_trace_path, export


def test_the_ending_tells_the_format(run: list[Event], tmp_path: Path) -> None:
    for name, beginning in (("out.txt", b"# tracer: nop"), ("out.pftrace", b"\x0a")):
        export(run, tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(beginning)


def test_another_ending_is_refused() -> None:
    expected = "--trace: found out.json, expected a file name ending in .pftrace or .txt"
    with pytest.raises(BadInput, match=re.escape(expected)):
        check_trace_path("out.json")
    with pytest.raises(BadInput, match=re.escape(expected)):
        export([], "out.json")


@pytest.mark.parametrize("name", ["out.txt", "out.pftrace"])
def test_a_path_that_cannot_be_written_is_refused_in_one_line(run: list[Event], tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(BadInput) as refused:
        export(run, tmp_path / name)
    assert len(str(refused.value).splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.slow
def test_perfetto_is_not_loaded_before_it_is_needed() -> None:
    program = "import sys, fencepost.events.export; sys.exit('perfetto' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603 - our own words
