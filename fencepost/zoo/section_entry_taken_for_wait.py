"""A checker that reported deadlocks which could not be: it took the entry of a signalling section for a wait.

What is wrong is one of our own observers; the model is a program that does nothing wrong.
"""

from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind
from fencepost.checks.observers import Observers, TaskWatch
from fencepost.checks.section_rules import SectionRules
from fencepost.fences import get_stub
from fencepost.sync import current
from fencepost.sync.observer import signalling
from fencepost.zoo.bug import Bug

__all__ = ["BUG"]


class SectionRulesAsItWas(SectionRules):
    """Holds that whoever enters a section may have to wait for it."""

    def begin(self, watch: TaskWatch) -> int:
        watch.observer.lock_order.waiting(watch, get_stub())
        return super().begin(watch)


def model(rules_class: type[SectionRules], runtime: Runtime) -> None:
    """Enter a section with a lock held, and take that lock in a section."""
    observed = current().observed
    assert observed is not None
    observers = observed.observer
    assert isinstance(observers, Observers)
    observers.rules.sections = rules_class(observers.rules.found.append)
    lock = current().lock()

    def outer() -> None:
        with lock, signalling():
            pass

    def inner() -> None:
        with signalling(), lock:
            pass

    runtime.spawn(outer, "outer layer")
    runtime.spawn(inner, "inner layer")


BUG = Bug(
    name="section-entry-taken-for-wait",
    title=None,
    fix="2facdd6002ad, September 2024; title not known",
    symptom="reports of deadlocks that could not be",
    interleaving="a driver takes a lock and then calls what enters a signalling section, which is taken for a wait with"
    " the lock held; elsewhere the lock is taken in a section, and the circle is closed",
    repair="an entry never blocks: count it as a lock that was tried, which is only the start of orders",
    broken=lambda runtime: model(SectionRulesAsItWas, runtime),
    fixed=lambda runtime: model(SectionRules, runtime),
    finds=frozenset({Kind.LOCK_ORDER}),
    observe=True,
)
