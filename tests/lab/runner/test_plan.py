from __future__ import annotations

import pytest

from fencepost.errors import BadInput
from fencepost.lab.runner.plan import BondRule, Place, choices, make_plan
from fencepost.lab.wsim import parse_text

ENGINES = {"rcs": 2, "bcs": 1, "vcs": 3, "ccs": 0}


@pytest.mark.parametrize(
    ("claim", "text", "engines"),
    [
        ("without a map DEFAULT is the first render engine", "1.DEFAULT.9.0.0", ("rcs0",)),
        ("and a class its first engine", "1.VCS.9.0.0", ("vcs0",)),
        ("an instance is counted from 1", "1.VCS3.9.0.0", ("vcs2",)),
        ("with a map DEFAULT is its first engine", "M.1.VCS2|RCS,1.DEFAULT.9.0.0", ("vcs1",)),
        ("and a class its first of the map", "M.1.RCS|VCS3|VCS2,1.VCS.9.0.0", ("vcs2",)),
        ("an instance stays what it is", "M.1.VCS,1.VCS2.9.0.0", ("vcs1",)),
        ("balanced, DEFAULT is the whole map", "M.1.VCS2|RCS1,B.1,1.DEFAULT.9.0.0", ("vcs1", "rcs0")),
        ("a class all of it in the map", "M.1.VCS2|RCS1|VCS1,B.1,1.VCS.9.0.0", ("vcs1", "vcs0")),
        ("a class in the map all there are", "M.1.VCS,B.1,1.VCS.9.0.0", ("vcs0", "vcs1", "vcs2")),
        ("an instance still itself", "M.1.VCS,B.1,1.VCS3.9.0.0", ("vcs2",)),
        ("an engine named twice is there once", "M.1.VCS2|VCS,B.1,1.VCS.9.0.0", ("vcs1", "vcs0", "vcs2")),
        ("the number of a GT chooses nothing", "M.1.VCS2-1,B.1,1.VCS2-1.9.0.0", ("vcs1",)),
        ("a map further down binds too", "1.DEFAULT.9.0.0,M.1.BCS", ("bcs0",)),
    ],
)
def test_a_batch_has_a_place(claim: str, text: str, engines: tuple[str, ...]) -> None:
    places = make_plan(parse_text(text, name="game", where="-w"), ENGINES).places
    assert [*places.values()] == [Place(1, engines)], claim


@pytest.mark.parametrize(
    ("text", "where", "found"),
    [
        ("1.RCS.9.0.0,2.VCS4.9.0.0", '-w:2: step 2 "2.VCS4.9.0.0"', "engine VCS4"),
        ("1.CCS.9.0.0", '-w:1: step 1 "1.CCS.9.0.0"', "engine CCS"),
        ("1.VECS1.9.0.0", '-w:1: step 1 "1.VECS1.9.0.0"', "engine VECS1"),
        ("M.1.RCS|VECS", '-w:1: step 1 "M.1.RCS|VECS"', "engine VECS"),
        ("M.1.RCS|VCS,B.1,b.1.RCS.BCS2", '-w:3: step 3 "b.1.RCS.BCS2"', "engine BCS2"),
    ],
)
def test_an_engine_that_is_not_there_is_refused(text: str, where: str, found: str) -> None:
    with pytest.raises(BadInput) as caught:
        make_plan(parse_text(text, name="game", where="-w"), ENGINES)
    assert (caught.value.where, caught.value.found) == (where, found)
    assert caught.value.expected == "an engine of this GPU: RCS1, RCS2, BCS1, VCS1, VCS2, VCS3"


def test_the_engine_that_default_stands_for_must_be_there() -> None:
    with pytest.raises(BadInput, match=r"found engine DEFAULT \(RCS1\), expected an engine of this GPU: VCS1"):
        make_plan(parse_text("1.DEFAULT.9.0.0", name="game", where="-w"), {"vcs": 1})


def test_default_of_a_map_needs_no_render_engine() -> None:
    assert make_plan(parse_text("M.1.VCS,1.DEFAULT.9.0.0", name="game", where="-w"), {"vcs": 1}).places


def test_bonds_are_kept_in_order_and_confine_a_place() -> None:
    plan = make_plan(parse_text("M.1.VCS,B.1,b.1.VCS2.RCS,b.1.VCS1|VCS2.VCS3", name="game", where="-w"), ENGINES)
    assert plan.bonds == {
        1: (BondRule(("rcs0", "rcs1"), ("vcs1",)), BondRule(("vcs2",), ("vcs0", "vcs1"))),
    }
    assert choices(Place(1, ("vcs0", "vcs1", "vcs2")), plan) == [
        ("vcs0", "vcs1", "vcs2"),
        ("vcs1",),
        ("vcs0", "vcs1"),
    ]
    assert choices(Place(1, ("vcs2",)), plan) == [("vcs2",)]
