from __future__ import annotations

import pytest

from fencepost.errors import BadInput
from fencepost.lab.wsim import Batch, DataDependency, ObjectAccess, Workload, append, parse_text

TARGETS = "w.1.4k\nf\n1.RCS.*.f-1/r1-0.0\n2.BCS.5.s-1.0\n3.VCS.5.-1.0\na.-4\nT.-4\ns.-3\n"


def workload(text: str, name: str = "game") -> Workload:
    return parse_text(text, name=name, where="-w")


def test_appended_steps_point_at_each_other_as_before() -> None:
    joined = append(workload("p.9\n"), workload("\n" + TARGETS, "hog"))
    assert joined == workload("p.9\n" + TARGETS)


def test_the_first_workload_stays_as_it_is() -> None:
    first = workload(TARGETS)
    assert append(first, workload("p.9")).steps[:-1] == first.steps


def test_object_numbers_are_not_shifted() -> None:
    step = append(workload("1.RCS.5.0.0"), workload("w.1.4k,1.RCS.5.0.0,1.RCS.5.-1/w1-0.0")).steps[-1]
    assert isinstance(step, Batch)
    assert step.dependencies == (DataDependency(2), ObjectAccess(1, 0, 0, write=True))


@pytest.mark.parametrize(
    ("first", "second", "where", "found"),
    [
        pytest.param("w.1.4k", "w.1.8k", '1: step 2 "w.1.8k"', "working set 1 for the second time", id="working set"),
        pytest.param("M.1.RCS", "M.1.BCS", '1: step 2 "M.1.BCS"', "another map of context 1", id="map"),
        pytest.param("M.1.RCS", "1.BCS.5.0.0", '1: step 2 "1.BCS.5.0.0"', "engine BCS", id="engine"),
    ],
)
def test_workloads_that_do_not_go_together_are_refused(first: str, second: str, where: str, found: str) -> None:
    with pytest.raises(BadInput) as caught:
        append(workload(first), workload(second, "hog"))
    assert caught.value.where == f"game + hog:{where}"
    assert caught.value.found == found
