"""Cost of a pick and of a weight write in a tree of groups: does anything grow with its size?

    python -m bench.cgroups [--rounds N]

The run queue alone, under hierarchical weights, with ten clients in each group that always have a job. A pick is
select, pop and charge. A weight is that of a group with such clients, and the pick after it counts too. The trees
are flat, and as deep as a desktop's.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from itertools import islice
from random import Random
from typing import Final

from bench.harness import header, interleave, pin, table
from fencepost.policies.cgroups import HierarchicalWeight
from fencepost.policies.group import MAX_WEIGHT, Group
from fencepost.policies.run_queue import Node

__all__ = ["Picks"]

CLIENTS_OF_A_GROUP: Final = 10
COUNTS: Final = (10, 100, 1000)
DEPTHS: Final = (1, 4)
PICKS: Final = 20_000
WRITES: Final = 2_000
PICK_LIMIT: Final = 2.0
WRITE_LIMIT_US: Final = 1000.0


class Picks:
    """A run queue in which all clients of so many groups are ready, each group below so many others."""

    def __init__(self, groups: int, depth: int) -> None:
        random = Random(1)
        self._random = random
        self._queue = HierarchicalWeight[Node]()
        self._groups: list[Group] = []
        root = Group()
        for number in range(groups):
            group = root
            for level in range(depth):
                group = Group(f"{number}.{level}", group)
                group.weight = random.randint(1, MAX_WEIGHT)
            self._groups.append(group)
        for group in self._groups:
            for number in range(CLIENTS_OF_A_GROUP):
                node = Node(f"{group.name}/{number}")
                node.group = group
                self._queue.join(node, 0, 1)

    def pick(self, count: int) -> None:
        """Take so many jobs, and account each."""
        queue, lengths = self._queue, islice(iter(partial(self._random.randrange, 500_000, 4_000_000), None), count)
        for length_ns in lengths:
            node = queue.select(1)
            assert node is not None
            queue.pop(node, 0, 1)
            queue.charge(node, length_ns)

    def pick_us(self) -> float:
        """Return what a pick costs, in us."""
        start = time.perf_counter()
        self.pick(PICKS)
        return (time.perf_counter() - start) / PICKS * 1e6

    def write_us(self) -> float:
        """Return what a weight costs with the pick after it, in us."""
        start = time.perf_counter()
        for _ in range(WRITES):
            self._queue.set_weight(self._random.choice(self._groups), self._random.randint(1, MAX_WEIGHT))
            self.pick(1)
        return (time.perf_counter() - start) / WRITES * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    pin()
    trees = {(count, depth): Picks(count, depth) for depth in DEPTHS for count in COUNTS}
    for picks in trees.values():
        picks.pick(PICKS)
    contenders = {f"{count} {depth} pick": picks.pick_us for (count, depth), picks in trees.items()}
    contenders |= {f"{count} {depth} write": picks.write_us for (count, depth), picks in trees.items()}
    results = interleave(contenders, rounds)
    rows: list[list[str]] = []
    for count, depth in trees:
        pick, write = results[f"{count} {depth} pick"], results[f"{count} {depth} write"]
        ratio = pick.median / results[f"{COUNTS[0]} {depth} pick"].median
        spread = f"{pick.median:.1f} [{pick.low:.1f}..{pick.high:.1f}]"
        rows.append([f"{count}, depth {depth}", spread, f"{ratio:.2f}x", f"{write.median:.1f} [..{write.high:.1f}]"])
    columns = ["groups of ten clients", "us a pick", f"of {COUNTS[0]}", "us a write and a pick"]
    table(header("Hierarchical weights by number of groups", rounds), columns, rows)
    print(
        f"wanted: a pick at {COUNTS[-1]} at most {PICK_LIMIT:.0f}x that at {COUNTS[0]}; a write {WRITE_LIMIT_US:.0f} us"
    )


if __name__ == "__main__":
    main()
