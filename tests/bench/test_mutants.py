"""What the mutants are; that they are noticed is what `make mutants` shows."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

import fencepost
from bench.mutants.equivalent import EQUIVALENT
from bench.mutants.listing import list_mutants, mutants_of

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
