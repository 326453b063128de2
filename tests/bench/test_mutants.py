"""What the mutants are, and how it is told who notices; that they are noticed is what `make mutants` shows."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

import bench.mutants.ways
import fencepost
from bench.mutants import trial
from bench.mutants.equivalent import EQUIVALENT
from bench.mutants.listing import ROOMS, Mutant, list_mutants, mutants_of
from bench.mutants.record import Outcome, Record, table
from bench.mutants.trial import Tree, Trials
from bench.mutants.ways import WAYS, Failure
from fencepost.errors import BadInput

CASES = [
    (
        "drop lock in f",
        "def f(self):\n    with self._lock:\n        self.x += 1",
        "def f(self):\n    if True:\n        self.x += 1",
    ),
    (
        "drop acquire and release of lock in f",
        "def f(self, lock):\n    lock.acquire()\n    self.x += 1\n    lock.release()",
        "def f(self, lock):\n    pass\n    self.x += 1\n    pass",
    ),
    (
        "always claim in f",
        "def f(self):\n    if self._claim.acquire(False):\n        self.run()",
        "def f(self):\n    if True:\n        self.run()",
    ),
    ("drop gate.open() in f", "def f(gate):\n    gate.open()", "def f(gate):\n    pass"),
    ("drop waiter.wait(None) in f", "def f(waiter):\n    waiter.wait(None)", "def f(waiter):\n    pass"),
    (
        "gate.open() before self.x = 1 in C.f",
        "class C:\n    def f(self, gate):\n        self.x = 1\n        gate.open()",
        "class C:\n    def f(self, gate):\n        gate.open()\n        self.x = 1",
    ),
    (
        "self.waiters.clear() before wake_all(self.waiters) in f",
        "def f(self):\n    wake_all(self.waiters)\n    # Last.\n    self.waiters.clear()",
        "def f(self):\n    self.waiters.clear()\n    wake_all(self.waiters)\n    # Last.",
    ),
    (
        "self._state = 1 before self.error = error in f",
        "def f(self, error):\n    self.error = error\n    if error:\n        pass\n    self._state = 1",
        "def f(self, error):\n    self._state = 1\n    self.error = error\n    if error:\n        pass",
    ),
    (
        "x = self.x before the lock in f",
        "def f(self):\n    with self._lock:\n        x = self.x\n        self.x = x + 1",
        "def f(self):\n    x = self.x\n    with self._lock:\n        pass\n        self.x = x + 1",
    ),
    (
        "drop re-check self.done in f",
        "def f(self):\n    with self._lock:\n        if self.done:\n            return\n        self.x = 1",
        "def f(self):\n    with self._lock:\n        pass\n        self.x = 1",
    ),
    (
        "drop re-check not c.x in f",
        "def f(c):\n    if not c.x:\n        with c._lock:\n            if not c.x:\n                c.x = 1",
        "def f(c):\n    if not c.x:\n        with c._lock:\n            if True:\n                c.x = 1",
    ),
    (
        "look once whether self.held in f",
        "def f(self):\n    while self.held:\n        self.line.wait()",
        "def f(self):\n    if self.held:\n        self.line.wait()",
    ),
]


@pytest.mark.parametrize(("what", "before", "after"), CASES, ids=[case[0] for case in CASES])
def test_each_change_is_what_its_name_says(what: str, before: str, after: str) -> None:
    found = {mutant.what: mutant.text for mutant in mutants_of("room/module.py", before)}
    assert found[what] == after


@pytest.mark.parametrize(
    "source",
    [
        "def f(self):\n    waiters = self.waiters\n    wake_all(waiters)",
        "def f(self):\n    while self.held:\n        if self.line.get():\n            continue",
        "def f(box):\n    with open(box) as file:\n        file.read()",
    ],
    ids=["a name before it is set", "what does not parse", "no lock"],
)
def test_what_any_run_would_trip_over_is_left_out(source: str) -> None:
    names = [mutant.what for mutant in mutants_of("room/module.py", source)]
    assert names in ([], ["drop wake_all(waiters) in f"])


def test_places_are_counted_in_bytes() -> None:
    source = dedent("""\
        def f(self, gate):
            self.name = "ä"; gate.open()
        """)
    changed = {mutant.what: mutant.text for mutant in mutants_of("room/module.py", source)}
    assert changed["drop gate.open() in f"] == source.replace("gate.open()", "pass")


def test_those_of_the_product_have_names_and_the_equivalent_ones_are_among_them() -> None:
    mutants = list_mutants(Path(fencepost.__file__).parent)
    keys = [mutant.key for mutant in mutants]
    assert len(keys) == len(set(keys))
    assert set(keys) >= EQUIVALENT.keys()
    assert all(mutant.line > 0 for mutant in mutants)


# Who notices.

RACE = Failure("test_it", "teardown", "race on Gate._open: written by a, holding no lock; read by b, holding no lock")
IN_OBSERVED_WORLD = Failure(
    "test_it[observed]", "teardown", "E  assert (Race(...),) == ()\nE  where observers.findings"
)
LEFT = Failure("test_it", "teardown", "left running: <Thread(timers)>")
WRONG = Failure("test_it", "call", "AssertionError: race on Gate._open was not found")


@pytest.mark.parametrize(
    ("failure", "by_observers"), [(RACE, True), (IN_OBSERVED_WORLD, True), (LEFT, False), (WRONG, False)]
)
def test_what_the_observers_find_counts_for_them_and_nobody_else(failure: Failure, *, by_observers: bool) -> None:
    counted = {name for name, way in WAYS.items() if way.counts(failure)}
    assert counted == ({"observers"} if by_observers else {"tests", "exploration"})


def test_the_own_test_of_a_file_comes_first_then_those_of_its_room(tmp_path: Path) -> None:
    for name in ("fences/test_fence.py", "fences/test_gate.py", "sync/test_a.py", "sync/test_gate.py"):
        (tmp_path / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tests" / name).touch()
    (tmp_path / "tests/sync/test_searched.py").touch()
    files = [name.removeprefix("tests/") for name in WAYS["tests"].files(tmp_path, "sync/gate.py")]
    assert files == ["sync/test_gate.py", "sync/test_a.py", "fences/test_gate.py", "fences/test_fence.py"]
    assert WAYS["exploration"].files(tmp_path, "sync/gate.py") == ["tests/sync/test_searched.py"]


def test_each_test_of_the_product_is_asked_in_one_way() -> None:
    checkout = Path(__file__).parents[2]
    tests, observers, exploration = (set(way.files(checkout, "")) for way in WAYS.values())
    assert tests == observers
    assert tests.isdisjoint(exploration)
    assert {name.split("/")[1] for name in tests} >= {name.split("/")[1] for name in exploration} == set(ROOMS)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Give a tree of one module and two tests: the first may hang, and observers find something where it is below 0."""
    checkout = tmp_path / "checkout"
    for name, text in {
        "fencepost/sync/answer.py": "ANSWER = 42",
        "fencepost/sync/__init__.py": "",
        "fencepost/__init__.py": "",
        "tests/sync/test_answer.py": dedent("""\
            import time
            from fencepost.sync.answer import ANSWER
            def test_it():
                time.sleep(ANSWER == 0 and 8)
                assert ANSWER == 42
            def test_whether_it_is_a_number():
                assert ANSWER > 0
            """),
        "tests/conftest.py": dedent("""\
            import pytest
            def pytest_addoption(parser):
                parser.addoption("--no-observe", action="store_true")
            @pytest.fixture(autouse=True)
            def nothing_is_found(request):
                yield
                from fencepost.sync.answer import ANSWER
                if ANSWER < 0 and not request.config.getoption("--no-observe"):
                    pytest.fail("race on ANSWER: written by a; read by b", pytrace=False)
            """),
        "pyproject.toml": "",
    }.items():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text(text)
    shutil.copytree(Path(bench.mutants.ways.__file__).parent, checkout / "bench" / "mutants")
    return Tree(checkout, tmp_path / "tree")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "text", "told"),
    [
        ("tests", "ANSWER = 42", (None, 0)),
        ("tests", "ANSWER = -1", ("tests/sync/test_answer.py::test_it", 2)),
        ("tests", "ANSWER = 0", ("it hangs", 0)),
        ("tests", "raise ImportError", ("tests/sync/test_answer.py", 1)),
        ("tests", "import os; os._exit(3)", ("pytest itself, which ended with 3", 0)),
        ("observers", "ANSWER = 43", (None, 1)),
        ("observers", "ANSWER = -1", ("tests/sync/test_answer.py::test_it", 4)),
        ("observers", "import os; os._exit(3)", (None, 0)),
    ],
)
def test_a_run_tells_what_noticed_it(
    monkeypatch: pytest.MonkeyPatch, tree: Tree, way: str, text: str, told: tuple[str | None, int]
) -> None:
    monkeypatch.setattr(trial, "quiet_limit_s", 4.0)
    tree.write("sync/answer.py", text)
    result = Trials().run(tree, WAYS[way], "sync/answer.py")
    assert (result.noticed_by, len(result.failures)) == told


@pytest.mark.slow
def test_what_fails_anyway_is_not_asked(tree: Tree) -> None:
    tree.write("sync/answer.py", "ANSWER = 43")
    result = Trials().run(tree, WAYS["tests"], without=["tests/sync/test_answer.py::test_it"])
    assert result.noticed_by is None


# What is kept of it.

FIRST, SECOND, THIRD = (
    Mutant("a.py", line, "drop lock", f"drop lock in f{line}", f"text {line}") for line in (1, 2, 3)
)
BY_TESTS = Outcome({"tests": "test_it", "exploration": None}, 1.5)
BY_NOBODY = Outcome({"tests": None, "exploration": None}, 60.0)


def record(**outcomes: Outcome) -> Record:
    made = Record(equivalent=7)
    made.outcomes = {{"first": FIRST, "second": SECOND}[name]: outcome for name, outcome in outcomes.items()}
    return made


def test_a_run_goes_on_from_what_is_known_of_the_same_change(tmp_path: Path) -> None:
    file = tmp_path / "mutants.json"
    record(first=BY_TESTS, second=BY_NOBODY).write(file)
    resumed = Record(0)
    resumed.resume(file, [FIRST, replace(SECOND, text="other text"), THIRD])
    assert resumed.outcomes == {FIRST: BY_TESTS}


@pytest.mark.parametrize(
    ("mutant", "first", "left"),
    [(FIRST, False, ["observers"]), (FIRST, True, []), (SECOND, True, ["tests", "observers"])],
    ids=["noticed", "one is enough", "not noticed"],
)
def test_whoever_was_not_asked_is_left_and_all_where_nobody_noticed(
    mutant: Mutant, left: list[str], *, first: bool
) -> None:
    known = record(first=BY_TESTS, second=BY_NOBODY)
    assert known.left(mutant, ["tests", "observers"], first=first) == left


def test_what_is_learned_later_is_added() -> None:
    known = record(first=BY_TESTS)
    known.add(FIRST, Outcome({"observers": "test_that"}, 2.0))
    assert known.outcomes == {FIRST: Outcome({"tests": "test_it", "exploration": None, "observers": "test_that"}, 3.5)}


@pytest.mark.parametrize("text", ["", "{}", '{"mutants": [{}]}', "[]", '{"mutants": 1}'])
def test_a_file_that_is_no_record_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mutants.json"
    file.write_text(text)
    with pytest.raises(BadInput, match=r"--resume: found .*mutants\.json, expected a file that --json wrote"):
        Record(0).resume(file, [FIRST])


def test_a_place_where_no_record_can_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"--json: found .*/none/mutants\.json, expected a file that can be written"):
        Record(0).write(tmp_path / "none" / "mutants.json")


def test_the_record_says_who_noticed_what(tmp_path: Path) -> None:
    file = tmp_path / "mutants.json"
    record(first=BY_TESTS, second=BY_NOBODY).write(file)
    told = json.loads(file.read_text())
    assert (told["rate"], told["equivalent"]) == (0.5, 7)
    assert [(each["mutant"], each["noticed_by"]) for each in told["mutants"]] == [
        ("a.py drop lock in f1", BY_TESTS.noticed_by),
        ("a.py drop lock in f2", BY_NOBODY.noticed_by),
    ]


def test_the_table_counts_by_operator_and_way() -> None:
    late = replace(SECOND, operator="signal late")
    lines = list(table({FIRST: BY_TESTS, late: BY_NOBODY}, ["tests", "exploration"]))
    assert [line.split() for line in lines] == [
        ["operator", "mutants", "tests", "exploration", "anyone"],
        ["drop", "lock", "1", "1", "0", "1"],
        ["signal", "late", "1", "0", "0", "0"],
        ["all", "2", "1", "0", "1"],
    ]
    assert len({len(line) for line in lines}) == 1
