"""Who waits for whom because of the objects that they use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import pytest

from fencepost.lab.result import RunResult
from fencepost.lab.runner import run
from fencepost.lab.setup import ClientSetup, Setup
from fencepost.lab.wsim import parse_text

RunText = Callable[..., RunResult]


@pytest.mark.parametrize(
    ("claim", "text", "repeats", "elapsed_us"),
    [
        ("a reader waits for the writer", "w.1.4k,1.RCS.1000.w1-0.0,2.BCS.500.r1-0.0", 1, 1500),
        ("readers do not wait for each other", "w.1.4k,1.RCS.1000.r1-0.0,2.BCS.500.r1-0.0", 1, 1000),
        ("a writer waits for the readers", "w.1.4k,1.RCS.1000.r1-0.0,2.BCS.500.w1-0.0", 1, 1500),
        ("all of them", "w.1.4k,1.RCS.200.r1-0.0,2.BCS.900.r1-0.0,3.VCS.100.r1-0.0,4.VECS.50.w1-0.0", 1, 950),
        ("a writer waits for the writer", "w.1.4k,1.RCS.1000.w1-0.0,2.BCS.500.w1-0.0", 1, 1500),
        ("each object is one of its own", "w.1.2n4k,1.RCS.1000.w1-0.0,2.BCS.500.w1-1.0", 1, 1000),
        ("a range is all of its objects", "w.1.4n4k,1.RCS.1000.w1-3.0,2.BCS.500.r1-1-3.0", 1, 1500),
        ("each set is one of its own", "w.1.4k,w.2.4k,1.RCS.1000.w1-0.0,2.BCS.500.w2-0.0", 1, 1000),
        ("cycles use the same objects", "w.1.4k,1.RCS.1000.w1-0.0,2.BCS.500.r1-0.0", 2, 3000),
        ("who reads and writes does not wait for itself", "w.1.4k,1.RCS.1000.r1-0/w1-0.0", 2, 2000),
    ],
)
def test_a_batch_waits_for_users_of_its_objects(
    claim: str, text: str, repeats: int, elapsed_us: float, run_text: RunText
) -> None:
    assert round(run_text(text, repeats).elapsed_s * 1e6, 3) == elapsed_us, claim


@pytest.mark.parametrize(
    ("letter", "elapsed_us"),
    [
        ("w", 3000),  # b on the render engine at 1000, on the copy engine at 2000
        ("W", 4000),  # b begins when a is through with the object, at 2000
    ],
)
@pytest.mark.parametrize("dispatch", ["thread", "workqueue"])
def test_clones_share_what_is_shared(letter: str, elapsed_us: float, dispatch: Literal["thread", "workqueue"]) -> None:
    text = f"{letter}.1.4k,1.RCS.1000.w1-0.0,2.BCS.1000.w1-0.1"
    clones = tuple(ClientSetup(name, parse_text(text, name="ui", where="-w")) for name in "ab")
    result = run(Setup("test", clones, world="virtual", dispatch=dispatch))
    assert round(result.elapsed_s * 1e6, 3) == elapsed_us


def test_other_workloads_have_other_objects() -> None:
    text = "W.1.4k,1.RCS.1000.w1-0.0,2.BCS.1000.w1-0.1"
    clients = tuple(ClientSetup(name, parse_text(text, name=name, where="-w")) for name in "ab")
    assert run(Setup("test", clients, world="virtual")).elapsed_s == 0.003
