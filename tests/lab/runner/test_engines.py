from __future__ import annotations

from fencepost.lab.runner.engines import named_by, spellings, union
from fencepost.lab.wsim import Engine, EngineClass

ENGINES = {"rcs": 1, "vcs": 2}


def test_a_workload_counts_from_1_and_the_gpu_from_0() -> None:
    assert spellings(ENGINES) == ["RCS1", "VCS1", "VCS2"]
    assert named_by(Engine(EngineClass.VCS, 2), ENGINES) == ("vcs1",)


def test_a_class_names_all_of_its_engines() -> None:
    assert named_by(Engine(EngineClass.VCS), ENGINES) == ("vcs0", "vcs1")


def test_what_is_not_there_names_nothing() -> None:
    assert named_by(Engine(EngineClass.VCS, 3), ENGINES) == named_by(Engine(EngineClass.BCS), ENGINES) == ()


def test_a_union_has_each_engine_once_in_the_order_of_its_first_name() -> None:
    assert union([("b", "a"), (), ("c", "b")]) == ("b", "a", "c")
