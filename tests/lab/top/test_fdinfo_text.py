from __future__ import annotations

from fencepost.lab.top import EngineCounter, parse_fdinfo


def test_ns_and_capacities_are_read() -> None:
    text = (
        "pos:\t0\ndrm-driver:\ti915\ndrm-pdev: 0000:00:02.0\ndrm-client-id:\t7\ndrm-client-name:\tweb: one\n"
        "drm-engine-render:\t9288864723 ns\ndrm-engine-video:\t5 ns\ndrm-engine-capacity-video:\t2\n"
    )
    fdinfo = parse_fdinfo(text)
    assert (fdinfo.driver, fdinfo.pdev, fdinfo.client_id, fdinfo.name) == ("i915", "0000:00:02.0", 7, "web: one")
    assert fdinfo.engines == {"render": EngineCounter(9288864723), "video": EngineCounter(5, None, 2)}


def test_cycles_come_with_those_that_have_passed() -> None:
    text = "drm-driver: xe\ndrm-cycles-rcs: 28257900\ndrm-total-cycles-rcs: 7655183225\ndrm-engine-capacity-vcs: 2\n"
    assert parse_fdinfo(text).engines == {"rcs": EngineCounter(28257900, 7655183225, 1)}


def test_ns_are_preferred_to_cycles() -> None:
    for lines in (["drm-engine-gfx: 5 ns", "drm-cycles-gfx: 9"], ["drm-cycles-gfx: 9", "drm-engine-gfx: 5 ns"]):
        text = "\n".join([*lines, "drm-total-cycles-gfx: 100"])
        assert parse_fdinfo(text).engines == {"gfx": EngineCounter(5)}


def test_what_makes_no_sense_does_not_count() -> None:
    text = (
        "drm-engine-render: many ns\ndrm-cycles-bcs: 5\ndrm-engine-capacity-rcs: 0\nnonsense\n\ndrm-maxfreq-rcs: 3 MHz"
    )
    fdinfo = parse_fdinfo(text)
    assert (fdinfo.client_id, fdinfo.name, fdinfo.engines) == (0, "", {})


def test_no_capacity_and_a_capacity_of_none_are_one_engine() -> None:
    text = "drm-engine-a: 1 ns\ndrm-engine-capacity-a: 0\ndrm-engine-b: 2 ns\n"
    assert parse_fdinfo(text).engines == {"a": EngineCounter(1), "b": EngineCounter(2)}
