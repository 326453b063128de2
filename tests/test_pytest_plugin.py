"""The pytest plugin, in a pytest of its own."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import TypeAlias

import pytest

pytest_plugins = ["pytester"]

KIT = """
import pytest
from hypothesis import given, settings, strategies as st
from fencepost.sync import Gate, current

class Counter:
    def __init__(self):
        self.lock, self.number = current().lock(), 0

    def get(self):
        with self.lock:
            return self.number

    def set(self, number):
        with self.lock:
            self.number = number

    def add(self, amount=1):
        with self.lock:
            self.number += amount

def run(runtime, *functions):
    tasks = [runtime.spawn(function) for function in functions]
    for task in tasks:
        task.join()
"""

FAILING = """
@pytest.mark.explore(schedules=200, seed=3)
def test_loses_an_update(runtime):
    counter = Counter()
    add = lambda: counter.set(counter.get() + 1)
    run(runtime, add, add)
    assert counter.get() == 2

@pytest.mark.explore(schedules=100)
@given(amount=st.integers(0, 100))
@settings(max_examples=20, derandomize=True, database=None)
def test_by_example(runtime, amount):
    counter = Counter()
    add = lambda: counter.set(counter.get() + amount)
    run(runtime, add, add)
    assert counter.get() == 2 * amount

@pytest.mark.explore
def test_waits_for_ever(runtime):
    Gate("what never comes").wait()

@pytest.mark.explore
def test_raises_nothing(runtime):
    with pytest.raises(KeyError):
        pass

@pytest.mark.timeout(0.5)
@pytest.mark.explore(schedules=1_000_000)
def test_takes_too_long(runtime):
    counter = Counter()
    run(runtime, counter.add, counter.add)

def test_leaves_something(runtime):
    runtime.world.spawn(Gate("nothing").wait, name="sleeper")
"""

PASSING = """
@pytest.mark.explore(strategy="dfs", timers="free")
@pytest.mark.parametrize("amount", [1, 2])
def test_with_a_parameter_and_a_fixture(runtime, amount, tmp_path):
    counter = Counter()
    run(runtime, lambda: counter.add(amount), lambda: counter.add(amount))
    assert counter.get() == 2 * amount

class TestOfAClass:
    @pytest.mark.explore(schedules=10)
    def test_of_a_counter(self, runtime):
        assert runtime.world.name == "controlled"

@pytest.mark.explore(schedules=20)
@given(amounts=st.lists(st.integers()))
@settings(max_examples=10, derandomize=True)
def test_by_example(runtime, amounts):
    counter = Counter()
    run(runtime, *(lambda amount=amount: counter.add(amount) for amount in amounts))
    assert counter.get() == sum(amounts)

@pytest.mark.explore
def test_that_skips(runtime):
    pytest.skip("not now")

def test_in_virtual_time(runtime):
    assert runtime.world.name == "virtual"
    current().sleep(1000)

@pytest.mark.parametrize("runtime", ["native", {"world": "virtual", "dispatch": "workqueue"}], indirect=True)
def test_in_other_worlds(runtime):
    counter = Counter()
    run(runtime, counter.add)
    assert counter.get() == 1
"""

MISUSED = """
@pytest.mark.explore(7)
def test_with_a_bare_option(runtime): ...

@pytest.mark.explore(strategy="luck")
def test_with_an_unknown_strategy(runtime): ...
"""

Run: TypeAlias = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give a function that runs a test file in a process of its own."""
    monkeypatch.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))

    def run(source: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=source)
        plugins = ("-p", "_fencepost_pytestplugin", "-p", "no:randomly", "-p", "no:cacheprovider")
        return pytester.runpytest_subprocess(*plugins, "--strict-markers", *options)

    return run


def test_what_goes_wrong_is_told_and_can_be_replayed(run: Run) -> None:
    result = run(KIT + FAILING)
    # What a test leaves behind is told when it has passed.
    result.assert_outcomes(failed=5, passed=1, errors=1)
    said = result.stdout
    said.fnmatch_lines(
        [
            "*Found: assertion in schedule*",
            "*client0 *takes lock*",
            "*Found: assertion in schedule*",
            "*amount=1,",
            "*main waits for <what never comes, shut>",
            "*DID NOT RAISE*KeyError*",
            "*Timeout*from pytest-timeout*",
        ]
    )
    said.fnmatch_lines(["*left behind: *sleeper*"])
    commands = dict(re.findall(r"again: pytest 'test_it.py::(.*)' (--fencepost-replay=\S+)", said.str()))
    assert set(commands) == {"test_loses_an_update", "test_by_example", "test_waits_for_ever", "test_raises_nothing"}
    token = commands["test_loses_an_update"]
    again = run(KIT + FAILING, "-k", "loses or by_example", token)
    again.assert_outcomes(failed=2, deselected=4)
    again.stdout.fnmatch_lines(["*Found: assertion in schedule 1:*"])


def test_what_holds_under_every_schedule_passes(run: Run) -> None:
    run(KIT + PASSING).assert_outcomes(passed=7, skipped=1)


@pytest.mark.slow
def test_a_misuse_is_told(run: Run) -> None:
    result = run(KIT + MISUSED)
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*are given by name*", "*found 'luck'*"])
    result = run("import pytest\n@pytest.mark.explore\ndef test_it(): ...")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*takes no argument `runtime`*"])


def test_nothing_of_fencepost_is_loaded_until_it_is_used(run: Run) -> None:
    run("""
import sys

def test_of_something_else():
    assert not {"fencepost", "greenlet", "pykka"} & set(sys.modules)
""").assert_outcomes(passed=1)
