"""Every order in which a few jobs can take what they need of one pool, give it back, and be told."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass

from fencepost.policies.resources import Account, Grab, Pool, Step

__all__ = ["Key", "Orders", "circles", "explore_orders"]

Key = Hashable


@dataclass
class State:
    """A moment: who has what, and who waits behind whom.

    Attributes:
        account: the same, as a detector sees it.
        able: the jobs that can do something.
        moves: by job, the state that it leads to, and whether it started by that.
        done: how many jobs have come and gone.
    """

    account: Account[int]
    able: Collection[int]
    done: int
    moves: dict[int, tuple[Key, bool]]


Orders = dict[Key, State]
"""All states that can be reached, the first one first."""


@dataclass
class Run:
    """A grab, and who waits in it in which order."""

    grab: Grab[int]
    pool: Pool
    needs: Sequence[int]
    gone: frozenset[int] = frozenset()
    line: tuple[int, ...] = ()

    def able(self) -> list[int]:
        return [job for job in range(len(self.needs)) if job not in self.gone and job not in self.line]

    def state(self) -> tuple[Key, State]:
        account = self.grab.account()
        # Which ids they are makes no difference.
        held = {entry.who: (sum(entry.held.values()), entry.complete) for entry in account.entries}
        return (tuple(sorted(held.items())), self.line), State(account, self.able(), len(self.gone), {})

    def move(self, job: int) -> bool:
        """Let a job do what is next for it: give everything back, or take a step. Say whether it has it all now."""
        request = self.grab.want(job, {self.pool: self.needs[job]})
        if request.started:
            assert self.grab.release(job)
            self.gone |= {job}
            step = None
        else:
            step = self.grab.step(request)
        if step is Step.SHORT:
            self.line += (job,)
        told, self.grab.told = self.grab.told, []
        self.line = tuple(each for each in self.line if each not in told)
        return step is Step.COMPLETE


def explore_orders(grab: Callable[[], Grab[int]], total: int, needs: Sequence[int]) -> Orders:
    """Go through all orders in which jobs with these needs can have it, all of which are there from the start."""
    first = Run(grab(), Pool("ids", total), needs)
    for job, need in enumerate(needs):
        first.grab.want(job, {first.pool: need})
    key, state = first.state()
    orders, to_do = {key: state}, [(state, pickle.dumps(first, -1))]
    while to_do:
        state, saved = to_do.pop()
        for job in state.able:
            run: Run = pickle.loads(saved)  # noqa: S301 - our own
            starts = run.move(job)
            key, after = run.state()
            state.moves[job] = key, starts
            if key not in orders:
                orders[key] = after
                to_do.append((after, pickle.dumps(run, -1)))
    return orders


def circles(orders: Orders) -> Iterator[list[State]]:
    """Yield the sets of states that can be gone round in for ever without a start, by steps that leave nobody out.

    Nobody is left out who could always do something; who waits now and then cannot.
    """
    idle = {key: state for key, state in orders.items() if not any(entry.complete for entry in state.account.entries)}
    steps = {
        key: {job: after for job, (after, starts) in state.moves.items() if not starts and after in idle}
        for key, state in idle.items()
    }
    for component in strongly_connected({key: set(after.values()) for key, after in steps.items()}):
        acting = {job for key in component for job, after in steps[key].items() if after in component}
        states = [idle[key] for key in component]
        always_able = [job for job in states[0].able if all(job in state.able for state in states)]
        if acting.issuperset(always_able) and acting:
            yield states


def strongly_connected(graph: dict[Key, set[Key]]) -> Iterator[set[Key]]:
    """Yield the sets of nodes that can all be reached from each other: by Kosaraju's algorithm."""
    against: dict[Key, set[Key]] = {node: set() for node in graph}
    for node, following in graph.items():
        for each in following:
            against[each].add(node)
    left: dict[Key, None] = {}
    for node in graph:
        left |= dict.fromkeys(each for each in finished(node, graph, left) if each not in left)
    seen: dict[Key, None] = {}
    for node in reversed(left):
        component = finished(node, against, seen)
        seen |= dict.fromkeys(component)
        if component:
            yield set(component)


def finished(root: Key, graph: dict[Key, set[Key]], seen: Collection[Key]) -> list[Key]:
    """Return what can be reached from a node past what was seen, in the order in which a search by depth is done."""
    if root in seen:
        return []
    done: list[Key] = []
    met, stack = {root}, [(root, iter(graph[root]))]
    while stack:
        node, following = stack[-1]
        each = next((each for each in following if each not in met and each not in seen), None)
        if each is None:
            done.append(node)
            stack.pop()
        else:
            met.add(each)
            stack.append((each, iter(graph[each])))
    return done
