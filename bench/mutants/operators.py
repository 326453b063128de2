"""What can be done to a source so that its synchronisation is wrong: each operator yields every change of its kind.

Changes that any run would trip over (a name used before it is set) are left out: they would only improve the rate.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final, TypeAlias

from bench.mutants.source import Block, Change, Source, calls_in, last_name, names_in

__all__ = ["OPERATORS", "Operator"]

Operator: TypeAlias = Callable[[Source], Iterator[Change]]

LOCK: Final = re.compile(r"(^|_)lock$|^_(adoption|allocation|attaching|installing)$|^_?(gate|claim|inner)$")
WAKING: Final = frozenset(
    {
        *("wake", "wake_all", "wake_one", "end_sleep", "open", "set", "post", "put", "hand_over", "bury"),
        *("signal", "signal_all", "_signal", "end", "lose", "_finish", "_tell_scheduled"),
    }
)
"""What tells somebody else that it may go on, or that there is something to do."""

WAITING: Final = frozenset({"wait", "wait_until", "wait_for_callbacks", "join", "sleep_until"})
AGAIN: Final = WAITING | {"acquire", "get", "get_nowait", "signal", "_take_ended", "_jump"}
WRITING: Final = frozenset({"append", "clear", "pop", "remove", "set_parent"})
PUBLISHED: Final = frozenset({"_state", "_open", "closed", "_closed", "_stopped", "_set", "finished", "woken", "state"})


def drop_lock(source: Source) -> Iterator[Change]:
    """A `with lock:` whose body stays."""
    for block, statement in statements(source):
        if isinstance(statement, ast.With) and is_lock(statement.items[0].context_expr):
            item = statement.items[-1]
            changed = source.replaced((source.start(statement), source.end(item.context_expr), "if True"))
            yield Change(statement.lineno, f"drop lock in {block.where}", changed)


def drop_pair(source: Source) -> Iterator[Change]:
    """All plain `acquire()` and `release()` of one lock in a function, or in a class when they are in several."""
    pairs: dict[tuple[str, str], list[ast.stmt]] = defaultdict(list)
    for block, statement in statements(source):
        function = getattr(plain_call(statement), "func", None)
        if isinstance(function, ast.Attribute) and function.attr in {"acquire", "release"} and is_lock(function.value):
            pairs[block.where, source.of(function.value)].append(statement)
    by_class: dict[tuple[str, str], list[ast.stmt]] = defaultdict(list)
    for (where, lock), found in pairs.items():
        both = len({source.of(each).rpartition(".")[2].partition("(")[0] for each in found}) > 1
        by_class[where if both else where.rpartition(".")[0], lock].extend(found)
    for (where, lock), found in by_class.items():
        yield Change(found[0].lineno, f"drop acquire and release of {lock} in {where}", source.without(*found))


def always_claim(source: Source) -> Iterator[Change]:
    """A test-and-set that is taken for done: `if lock.acquire(False)`."""
    for block, statement in statements(source):
        if isinstance(statement, ast.If) and "acquire" in calls_in(statement.test):
            test = statement.test
            changed = source.replaced((source.start(test), source.end(test), "True"))
            yield Change(statement.lineno, f"always claim in {block.where}", changed)


def drop_wake(source: Source) -> Iterator[Change]:
    """A wake-up, a message, a signal."""
    for block, statement in statements(source):
        if wakes(statement):
            yield Change(
                statement.lineno, f"drop {said(source, statement)} in {block.where}", source.without(statement)
            )


def drop_wait(source: Source) -> Iterator[Change]:
    """A wait whose outcome nobody looks at."""
    for block, statement in statements(source):
        if (call := plain_call(statement)) and last_name(call.func) in WAITING and "queue" not in source.of(call.func):
            yield Change(
                statement.lineno, f"drop {said(source, statement)} in {block.where}", source.without(statement)
            )


def signal_early(source: Source) -> Iterator[Change]:
    """A wake-up that comes before what was written just before it."""
    for block, (before, statement) in neighbours(source):
        waking = bare(statement)
        if wakes(waking) and (writes(bare(before)) or wakes(before)) and independent(before, statement):
            what = f"{said(source, waking)} before {said(source, bare(before))} in {block.where}"
            yield Change(statement.lineno, what, source.moved_before(statement, before))


def signal_late(source: Source) -> Iterator[Change]:
    """A clearing, or another write, that comes before the wake-up it stood behind."""
    for block, (statement, after) in neighbours(source):
        if wakes(statement) and writes(after) and not wakes(after) and independent(statement, after):
            what = f"{said(source, after)} before {said(source, statement)} in {block.where}"
            yield Change(after.lineno, what, source.moved_before(after, statement))


def publish_early(source: Source) -> Iterator[Change]:
    """A flag that readers without the lock look at, raised before the last field that it publishes is written."""
    for block in source.blocks:
        if block.where.endswith("__init__"):
            continue
        for index, statement in enumerate(block.statements):
            if not PUBLISHED & attributes_written(statement):
                continue
            earlier = [each for each in block.statements[:index] if attributes_written(each)]
            if earlier and not names_in(statement, ast.Load) & stored_between(block.statements, earlier[-1], statement):
                what = f"{said(source, statement)} before {said(source, earlier[-1])} in {block.where}"
                yield Change(statement.lineno, what, source.moved_before(statement, earlier[-1]))


def stale_read(source: Source) -> Iterator[Change]:
    """A value read before the lock is taken, not under it."""
    for block, statement in statements(source):
        if not isinstance(statement, ast.With) or not is_lock(statement.items[0].context_expr):
            continue
        bound: set[str] = set()
        for each in statement.body:
            if reads_only(each) and not names_in(each, ast.Load) & bound:
                what = f"{said(source, each)} before the lock in {block.where}"
                yield Change(each.lineno, what, source.hoisted(each, statement))
            bound |= names_in(each, ast.Store)


def drop_recheck(source: Source) -> Iterator[Change]:
    """A look under the lock that may end the function, or that repeats the one before the lock."""
    for block in source.blocks:
        for outer in block.statements:
            if isinstance(outer, ast.With) and is_lock(outer.items[0].context_expr):
                yield from rechecks(source, block.where, outer.body, enclosing_test(source, outer))
        acquired = False
        for outer in block.statements:
            if acquired:
                yield from rechecks(source, block.where, [outer], None)
            call = plain_call(outer)
            acquired = call is not None and last_name(call.func) == "acquire"


def rechecks(source: Source, where: str, body: list[ast.stmt], test: str | None) -> Iterator[Change]:
    """Yield the changes of the checks at the top of a critical section."""
    for each in body:
        if not isinstance(each, ast.If):
            continue
        if not each.orelse and isinstance(each.body[-1], (ast.Return, ast.Raise)):
            what = f"drop re-check {source.of(each.test)} in {where}"
            yield Change(each.lineno, what, source.without(each))
        elif source.of(each.test) == test:
            changed = source.replaced((source.start(each.test), source.end(each.test), "True"))
            yield Change(each.lineno, f"drop re-check {test} in {where}", changed)


def look_once(source: Source) -> Iterator[Change]:
    """A loop around a wait that looks only once: `while` becomes `if`."""
    for block, statement in statements(source):
        if isinstance(statement, ast.While) and AGAIN & calls_in(statement) and not is_true(statement.test):
            start = source.start(statement)
            what = f"look once whether {source.of(statement.test)} in {block.where}"
            yield Change(statement.lineno, what, source.replaced((start, start + len("while"), "if")))


OPERATORS: Final[tuple[Operator, ...]] = (
    drop_lock,
    drop_pair,
    always_claim,
    drop_wake,
    drop_wait,
    signal_early,
    signal_late,
    publish_early,
    stale_read,
    drop_recheck,
    look_once,
)


# What statements are.


def statements(source: Source) -> Iterator[tuple[Block, ast.stmt]]:
    """Yield every statement of every function."""
    for block in source.blocks:
        for statement in block.statements:
            yield block, statement


def neighbours(source: Source) -> Iterator[tuple[Block, tuple[ast.stmt, ast.stmt]]]:
    """Yield every two statements of which one follows the other."""
    for block in source.blocks:
        for pair in pairwise(block.statements):
            yield block, pair


def said(source: Source, statement: ast.stmt) -> str:
    """Return a statement on one line, as names of mutants have it."""
    return " ".join(source.of(statement).split())


def plain_call(statement: ast.stmt) -> ast.Call | None:
    """Return the call that a statement is, whose result nobody takes."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return statement.value
    return None


def wakes(statement: ast.stmt) -> bool:
    """Say whether a statement wakes, tells or signals, and nothing else."""
    call = plain_call(statement)
    return call is not None and last_name(call.func) in WAKING


def writes(statement: ast.stmt) -> bool:
    """Say whether a statement writes something, empties it, or gives a claim back."""
    if isinstance(statement, (ast.Assign, ast.AugAssign, ast.Delete)):
        return True
    function = getattr(plain_call(statement), "func", None)
    if isinstance(function, ast.Attribute) and function.attr == "release":
        return last_name(function.value) == "_claim"
    return function is not None and last_name(function) in WRITING


def bare(statement: ast.stmt) -> ast.stmt:
    """Return what a statement does, where that is one thing under a condition."""
    if isinstance(statement, ast.If) and len(statement.body) == 1 and not statement.orelse:
        return statement.body[0]
    return statement


def attributes_written(statement: ast.stmt) -> set[str]:
    """Return the attributes that an assignment writes."""
    if not isinstance(statement, (ast.Assign, ast.AugAssign)):
        return set()
    return {
        each.attr for each in ast.walk(statement) if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)
    }


def stored_between(block: list[ast.stmt], first: ast.stmt, last: ast.stmt) -> set[str]:
    """Return the plain names that are written from one statement up to another."""
    between = block[block.index(first) : block.index(last)]
    return {name for statement in between for name in names_in(statement, ast.Store)}


def independent(before: ast.stmt, after: ast.stmt) -> bool:
    """Say whether two statements could change places without a name being used before it is set."""
    return not names_in(after, ast.Load) & names_in(before, ast.Store)


def reads_only(statement: ast.stmt) -> bool:
    """Say whether a statement does nothing but read fields into plain names."""
    return (
        isinstance(statement, ast.Assign)
        and all(isinstance(target, ast.Name) for target in statement.targets)
        and any(isinstance(each, ast.Attribute) for each in ast.walk(statement.value))
        and not {name for name in calls_in(statement.value) if name.endswith("_locked")}
        and not {"pop", "copy", "waiter"} & calls_in(statement.value)
    )


def is_lock(expression: ast.expr) -> bool:
    """Say whether an expression is called as locks are."""
    return not isinstance(expression, ast.Call) and LOCK.search(last_name(expression)) is not None


def is_true(expression: ast.expr) -> bool:
    """Say whether an expression is the constant True."""
    return isinstance(expression, ast.Constant) and expression.value is True


def enclosing_test(source: Source, statement: ast.stmt) -> str | None:
    """Return what the `if` asks in which a statement stands, or None."""
    for _, outer in statements(source):
        if isinstance(outer, ast.If) and statement in outer.body:
            return source.of(outer.test)
    return None
