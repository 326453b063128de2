from __future__ import annotations

from collections.abc import Callable

import pytest

from fencepost.lab.wsim import (
    Batch,
    DataDependency,
    Dependency,
    Duration,
    Engine,
    EngineClass,
    FenceDependency,
    ObjectAccess,
    ObjectSize,
    SubmitDependency,
    WorkingSet,
    parse_text,
)

INT = 2147483647
NAMES = "one of DEFAULT, RCS, BCS, VCS, VECS, CCS, then INSTANCE and -GT if needed"
DEPENDENCIES = "-N, f-N, s-N, rSET-OBJECT, wSET-OBJECT, or 0 alone for none"
SIZES = "[COUNTn]BYTES[k|m|g][-BYTES[k|m|g]]"


def batch(text: str) -> Batch:
    step = parse_text(text, name="game", where="-w").steps[-1]
    assert isinstance(step, Batch)
    return step


@pytest.mark.parametrize(
    ("text", "engine"),
    [
        *((name.value, Engine(name)) for name in EngineClass),
        ("vecs", Engine(EngineClass.VECS)),
        ("VCS1", Engine(EngineClass.VCS, 1)),
        ("Ccs12", Engine(EngineClass.CCS, 12)),
        ("RCS-0", Engine(EngineClass.RCS, gt=0)),
        ("BCS2-1", Engine(EngineClass.BCS, 2, 1)),
        ("DEFAULT-1", Engine(EngineClass.DEFAULT, gt=1)),
    ],
)
def test_engines_are_read(text: str, engine: Engine) -> None:
    assert batch(f"1.{text}.5.0.0").engine == engine


@pytest.mark.parametrize(("text", "duration"), [("5", Duration(5, 5)), ("500-1500", Duration(500, 1500))])
def test_durations_are_read(text: str, duration: Duration) -> None:
    assert batch(f"1.RCS.{text}.0.0").duration == duration


def test_a_star_makes_a_batch_unbounded() -> None:
    step = parse_text("1.RCS.*.0.0,T.-1", name="game", where="-w").steps[0]
    assert isinstance(step, Batch)
    assert step.unbounded
    assert not batch("1.RCS.5.0.0").unbounded


@pytest.mark.parametrize(
    ("text", "dependencies"),
    [
        pytest.param("0", (), id="none"),
        pytest.param("-1", (DataDependency(2),), id="data"),
        pytest.param("f-2", (FenceDependency(1),), id="fence"),
        pytest.param("f-1", (FenceDependency(2),), id="fence of a batch"),
        pytest.param("s-1", (SubmitDependency(2),), id="submit fence"),
        pytest.param("r7-0", (ObjectAccess(7, 0, 0, write=False),), id="read"),
        pytest.param("w7-1-4", (ObjectAccess(7, 1, 4, write=True),), id="write a range"),
        pytest.param("w7-4-4", (ObjectAccess(7, 4, 4, write=True),), id="write a range of one"),
        pytest.param("-1/f-2", (DataDependency(2), FenceDependency(1)), id="two"),
        pytest.param("/-1//s-1/", (DataDependency(2), SubmitDependency(2)), id="two and empty ones"),
    ],
)
def test_dependencies_are_read(text: str, dependencies: tuple[Dependency, ...]) -> None:
    assert batch(f"w.7.5n4k,f,1.RCS.5.0.0,2.RCS.5.{text}.0").dependencies == dependencies


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        pytest.param("100", (ObjectSize(1, 100, 100),), id="bytes"),
        pytest.param("4k", (ObjectSize(1, 4096, 4096),), id="kibibytes"),
        pytest.param("2M", (ObjectSize(1, 2 << 20, 2 << 20),), id="mebibytes"),
        pytest.param("1g", (ObjectSize(1, 1 << 30, 1 << 30),), id="gibibytes"),
        pytest.param("10n8m", (ObjectSize(10, 8 << 20, 8 << 20),), id="count"),
        pytest.param("4k-16K", (ObjectSize(1, 4096, 16384),), id="range"),
        pytest.param("2N512-1k", (ObjectSize(2, 512, 1024),), id="count and range"),
        pytest.param("10n8m/3n16m", (ObjectSize(10, 8 << 20, 8 << 20), ObjectSize(3, 16 << 20, 16 << 20)), id="two"),
    ],
)
def test_sizes_are_read(text: str, sizes: tuple[ObjectSize, ...]) -> None:
    step = parse_text(f"w.1.{text}", name="game", where="-w").steps[0]
    assert isinstance(step, WorkingSet)
    assert step.sizes == sizes


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        pytest.param("1.XCS.5.0.0", 'engine "XCS"', NAMES, id="no such engine"),
        pytest.param("1.VC\u017f.5.0.0", r'engine "VC\u017f"', NAMES, id="letter that only folds to S"),
        pytest.param("1.VCS1-.5.0.0", 'engine "VCS1-"', NAMES, id="engine without its GT"),
        pytest.param("1.VCS0.5.0.0", 'engine instance "0"', f"a whole number from 1 to {INT}", id="instance 0"),
        pytest.param("1.default1.5.0.0", 'engine "default1"', "no instance, DEFAULT has none", id="default instance"),
        pytest.param("1.RCS-99999999999.5.0.0", 'GT "99999999999"', f"a whole number from 0 to {INT}", id="huge GT"),
        pytest.param("M.1.|", 'no engine in "|"', "at least one engine", id="map of nothing"),
        pytest.param(f"M.1.{'VCS|' * 65}", "65 engines", "at most 64", id="map too big"),
        pytest.param(
            "M.1.DEFAULT", 'engine "DEFAULT"', "a real engine, DEFAULT only suits a batch", id="map of DEFAULT"
        ),
        pytest.param(
            "b.1.VCS.DEFAULT", 'engine "DEFAULT"', "a real engine, DEFAULT only suits a batch", id="master DEFAULT"
        ),
        pytest.param("1.RCS.0.0.0", 'duration "0"', "a whole number from 1 to 86400000000", id="duration of 0"),
        pytest.param("1.RCS.5us.0.0", 'duration "5us"', "a whole number from 1 to 86400000000", id="unit of time"),
        pytest.param("1.RCS.-5.0.0", 'duration ""', "a whole number from 1 to 86400000000", id="duration below 0"),
        pytest.param(
            f"1.RCS.{'9' * 5000}.0.0",
            f'duration "{"9" * 57}..."',
            "a whole number from 1 to 86400000000",
            id="more digits than int() reads",
        ),
        pytest.param(
            "1.RCS.5-5.0.0", 'longest duration "5"', "a whole number from 6 to 86400000000", id="range of one duration"
        ),
        pytest.param(
            "1.RCS.5-86400000001.0.0",
            'longest duration "86400000001"',
            "a whole number from 6 to 86400000000",
            id="duration above a day",
        ),
        pytest.param("1.RCS.5.1.0", 'dependency "1"', DEPENDENCIES, id="later dependency"),
        pytest.param("1.RCS.5.x-1.0", 'dependency "x-1"', DEPENDENCIES, id="no such dependency"),
        pytest.param("1.RCS.5.r1.0", 'dependency "r1"', DEPENDENCIES, id="working set without object"),
        pytest.param("1.RCS.5.0/-1.0", 'dependency "0"', DEPENDENCIES, id="none and one"),
        pytest.param("1.RCS.5./.0", 'no dependency in "/"', "at least one dependency", id="list of nothing"),
        pytest.param("1.RCS.5.r1-4-3.0", 'last object "3"', f"a whole number from 4 to {INT}", id="objects backwards"),
        pytest.param("w.1./", 'no size in "/"', "at least one size", id="working set of nothing"),
        pytest.param("w.1.4t", 'size "4t"', SIZES, id="no such unit"),
        pytest.param("w.1.n4k", 'size "n4k"', SIZES, id="count without number"),
        pytest.param("w.1.0", 'size "0"', f"a whole number from 1 to {1 << 40}", id="no bytes"),
        pytest.param("w.1.1025g", 'size "1025"', "a whole number from 1 to 1024", id="above 1 TiB"),
        pytest.param("w.1.0n4k", 'object count "0"', "a whole number from 1 to 65536", id="no objects"),
        pytest.param("w.1.65537n4k", 'object count "65537"', "a whole number from 1 to 65536", id="too many objects"),
        pytest.param("w.1.4k-4096", 'size "4k-4096"', "a largest size above the smallest", id="range of one size"),
    ],
)
def test_a_wrong_part_of_a_field_is_refused(
    refusal: Callable[[str], tuple[str, str, str]], text: str, found: str, expected: str
) -> None:
    where, *rest = refusal(text)
    assert where.startswith('game.wsim:1: step 1 "')
    assert rest == [found, expected]
