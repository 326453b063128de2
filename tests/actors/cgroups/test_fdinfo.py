"""What a client has used, as /proc/PID/fdinfo tells it."""

from __future__ import annotations

import re

import pytest

from fencepost.actors import Runtime
from fencepost.hw import Gpu
from tests.actors.cgroups.kit import machine


def test_who_it_is_and_what_it_has_used() -> None:
    with machine() as there:
        client = there.card.open("game")
        client.entity([there.scheduler]).submit(1500).finished.wait()
        assert client.fdinfo() == (
            "drm-driver:\tgeneric\n"
            "drm-pdev:\t0000:01:00.0\n"
            "drm-client-id:\t1\n"
            "drm-client-name:\tgame\n"
            "drm-engine-rcs:\t1500000 ns\n"
        )


def test_all_engines_are_there_with_their_capacity_if_it_is_not_one() -> None:
    with Runtime("virtual") as rt:
        gpu = Gpu({"rcs": 1, "vcs": 2})
        rings = [rt.scheduler(gpu.ring(name), name=name) for name in ("rcs0", "vcs0", "vcs1")]
        client = rt.cgroups.card("card0", rings).open("video")
        client.entity(rings[1:]).submit(200).finished.wait()
        assert client.fdinfo().splitlines()[4:] == [
            "drm-engine-rcs:\t0 ns",
            "drm-engine-vcs:\t200000 ns",
            "drm-engine-capacity-vcs:\t2",
        ]


@pytest.mark.parametrize(
    ("driver", "names"),
    [
        ("i915", ["compute", "copy", "render", "video", "video-enhance"]),
        ("amdgpu", ["compute", "dec", "dma", "gfx", "vpe"]),
        ("generic", ["bcs", "ccs", "rcs", "vcs", "vecs"]),
    ],
)
def test_drivers_have_their_own_names_for_engines(driver: str, names: list[str]) -> None:
    with Runtime("virtual") as rt:
        card = rt.cgroups.card("card0", driver=driver, engines=dict.fromkeys(("rcs", "bcs", "vcs", "vecs", "ccs"), 1))
        found = re.findall(r"^drm-engine-(.*):\t0 ns$", card.open("client").fdinfo(), re.MULTILINE)
        assert sorted(found) == names


def test_xe_counts_cycles_on_one_clock() -> None:
    with machine(driver="xe") as there:
        client = there.card.open("game")
        begin_ns = there.rt.world.now_ns()
        client.entity([there.scheduler]).submit(1000).finished.wait()
        there.rt.world.sleep_until(begin_ns + 4_000_000)
        lines = dict(line.split(":\t") for line in client.fdinfo().splitlines())
        assert lines["drm-driver"] == "xe"
        assert lines["drm-cycles-rcs"] == "19200"
        assert int(lines["drm-total-cycles-rcs"]) == there.rt.world.now_ns() * 19_200 // 1_000_000


def test_counts_never_step_back_while_jobs_run() -> None:
    with machine() as there:
        client = there.card.open("game")
        there.busy(client, 7, 50)
        seen: list[int] = []
        while not seen or seen[-1] < 350_000:
            seen.append(int(client.fdinfo().splitlines()[-1].split()[1]))
            there.rt.world.sleep(0.000_003)
        assert seen == sorted(seen)
