from __future__ import annotations

import pytest

from fencepost.lab.wsim import NO_EFFECT, Engine, EngineClass, ObjectSize, SliceMask, WorkingSet

VCS = Engine(EngineClass.VCS)
VCS1 = Engine(EngineClass.VCS, 1)
VCS2 = Engine(EngineClass.VCS, 2)
VCS_ON_GT0 = Engine(EngineClass.VCS, gt=0)
VCS2_ON_GT1 = Engine(EngineClass.VCS, 2, gt=1)
RCS = Engine(EngineClass.RCS)


@pytest.mark.parametrize(
    ("one", "other", "overlap"),
    [
        pytest.param(VCS1, VCS1, True, id="the same"),
        pytest.param(VCS1, VCS2, False, id="two instances"),
        pytest.param(VCS, VCS2, True, id="a class and one of it"),
        pytest.param(VCS, RCS, False, id="two classes"),
        pytest.param(VCS2, VCS2_ON_GT1, True, id="any GT and one of them"),
        pytest.param(VCS_ON_GT0, VCS2_ON_GT1, False, id="two GTs"),
    ],
)
def test_engine_names_overlap_when_one_engine_can_go_by_both(*, one: Engine, other: Engine, overlap: bool) -> None:
    assert one.overlaps(other) is overlap
    assert other.overlaps(one) is overlap


@pytest.mark.parametrize(
    ("engine", "name"), [(RCS, "RCS"), (VCS2, "VCS2"), (VCS_ON_GT0, "VCS-0"), (VCS2_ON_GT1, "VCS2-1")]
)
def test_an_engine_is_shown_as_the_language_spells_it(engine: Engine, name: str) -> None:
    assert str(engine) == name


def test_a_working_set_counts_the_objects_of_all_its_sizes() -> None:
    assert WorkingSet(1, (ObjectSize(10, 1, 1), ObjectSize(3, 1, 2))).object_count == 13


def test_only_slice_masks_are_without_effect_and_the_reason_is_told() -> None:
    assert NO_EFFECT.keys() == {SliceMask}
    assert all(NO_EFFECT.values())
