from __future__ import annotations

from fencepost.lab.runner.no_effect import no_effect
from fencepost.lab.wsim import NO_EFFECT, SliceMask, parse_text


def test_steps_that_change_nothing_are_named_once_with_the_reason() -> None:
    text = "S.1.3,S.1.3,X.1.0,1.VCS1-0.9.0.0,1.VCS1-1.9.0.0,M.2.VCS-1|VCS,B.2,b.2.VCS.RCS-1"
    named = [each.partition(": ")[::2] for each in no_effect(parse_text(text, name="game", where="-w"), "ring")]
    one_gt = "the simulated GPU has one GT, so its number chooses nothing"
    assert named == [
        ("S.1.3", NO_EFFECT[SliceMask]),
        ("X.1.0", "an engine has one ring, which runs its jobs in order, so there is nothing to be preempted for"),
        ("1.VCS1-1.9.0.0", one_gt),
        ("M.2.VCS-1|VCS", one_gt),
        ("b.2.VCS.RCS-1", one_gt),
    ]


def test_preemption_is_not_named_where_it_may_happen() -> None:
    assert no_effect(parse_text("X.1.0,1.RCS.9.0.0", name="game", where="-w"), "guc") == ()
