"""The workloads that IGT ships, where a copy of them lies beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from fencepost.lab.wsim import (
    Batch,
    Bond,
    Duration,
    Engine,
    EngineClass,
    FenceDependency,
    SignalFence,
    SubmitDependency,
    Sync,
    Terminate,
    load,
)

FOLDER = Path(__file__).parents[4] / "shared" / "workloads"
STEP_COUNTS = {
    "cloud-gaming-60fps": 11,
    "composited-ui": 7,
    "frame-split-60fps": 18,
    "high-composited-game": 11,
    "media-1080p-player": 7,
    "media_17i7": 7,
    "media_load_balance_hd12": 8,
    "vcs1": 26,
}

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no workloads of IGT in {FOLDER}")


@pytest.mark.parametrize(("name", "count"), STEP_COUNTS.items())
def test_a_workload_of_igt_is_read(name: str, count: int) -> None:
    assert len(load(FOLDER / f"{name}.wsim").steps) == count


def test_a_split_frame_has_its_fences_bond_and_end_in_place() -> None:
    steps = load(FOLDER / "frame-split-60fps.wsim").steps
    default, vcs1, vcs2 = Engine(EngineClass.DEFAULT), Engine(EngineClass.VCS, 1), Engine(EngineClass.VCS, 2)
    assert steps[6] == Bond(2, (vcs2,), vcs1, line=7, text="b.2.VCS2.VCS1")
    assert steps[8] == Batch(1, default, None, (FenceDependency(7),), line=9, text="1.DEFAULT.*.f-1.0")
    assert steps[9] == Batch(
        2, default, Duration(4000, 6000), (SubmitDependency(8),), line=10, text="2.DEFAULT.4000-6000.s-1.0"
    )
    assert steps[10:13] == (
        SignalFence(7, line=11, text="a.-3"),
        Sync(9, line=12, text="s.-2"),
        Terminate(8, line=13, text="T.-4"),
    )
