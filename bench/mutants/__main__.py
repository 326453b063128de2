"""`python -m bench.mutants`: break the synchronisation of the product in one place at a time; who notices?"""

from __future__ import annotations

import argparse
import queue
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Final

from bench.mutants.equivalent import EQUIVALENT
from bench.mutants.listing import Mutant, list_mutants
from bench.mutants.record import Outcome, Record, table
from bench.mutants.trial import Tree, Trials
from bench.mutants.ways import WAYS
from fencepost.errors import BadInput

CHECKOUT: Final = Path(__file__).parents[2]
EXPECTED_RATE: Final = 0.9


def main() -> int:
    """Return the exit status: 0 when enough mutants were noticed, 1 when not, 2 when nothing can be said."""
    options = parse_options()
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        # The list is made from the copy: others may edit the checkout meanwhile.
        tree = Tree(CHECKOUT, Path(scratch, "tree0"))
        every = list_mutants(tree.place / "fencepost")
        chosen = choose(every, options.only)
        if options.list:
            print("\n".join(listed(mutant) for mutant in chosen))
            return 0
        record = Record(len(EQUIVALENT))
        if options.resume:
            record.resume(options.json, (mutant for mutant in every if mutant.key not in EQUIVALENT))
        if options.json is not None:
            record.write(options.json)
        mutants = [mutant for mutant in chosen if mutant.key not in EQUIVALENT]
        # So that what is known when somebody stops it is a fair sample, the same each time.
        random.Random(0).shuffle(mutants)
        for number, (mutant, outcome) in enumerate(outcomes(options, record, mutants, tree), 1):
            record.add(mutant, outcome)
            print(f"{number}: {row(mutant, outcome)}", flush=True)
            if options.json is not None:
                record.write(options.json)
    return report(record, options.ways)


def choose(every: Sequence[Mutant], pattern: str) -> list[Mutant]:
    """Return the mutants whose names match; BadInput when there are none, or when some are missing."""
    if outdated := EQUIVALENT.keys() - {mutant.key for mutant in every}:
        raise BadInput("bench/mutants/equivalent.py", ", ".join(sorted(outdated)), "the names of mutants")
    if chosen := [mutant for mutant in every if re.search(pattern, str(mutant))]:
        return chosen
    raise BadInput("--only", repr(pattern), "a pattern that names match, see --list")


def outcomes(
    options: argparse.Namespace, record: Record, mutants: Sequence[Mutant], tree: Tree
) -> Iterator[tuple[Mutant, Outcome]]:
    """Yield what becomes of all mutants that somebody is still to be asked about, as it becomes known."""
    left = {mutant: record.left(mutant, options.ways, first=options.first) for mutant in mutants}
    asked = {mutant: ways for mutant, ways in left.items() if ways}
    print(f"{len(asked)} mutants to be tried", flush=True)
    trials = Trials()
    ailing = {way: failing(trials, tree, way) for way in options.ways if any(way in ways for ways in asked.values())}
    copies = [Tree(tree.place, tree.place.with_name(f"tree{number}")) for number in range(1, options.jobs)]
    return tried(asked, trials, [tree, *copies], ailing, first=options.first)


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--only", default="", metavar="PATTERN", help="a regular expression that names must match")
    parser.add_argument("--jobs", type=int, default=2, help="how many to try at a time (default: 2)")
    parser.add_argument("--list", action="store_true", help="only list them")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS, help="whom to ask (default: all)")
    parser.add_argument("--first", action="store_true", help="ask nobody else once one has noticed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what became of each, as soon as it is known")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on from that file: try what is not in there, or changed, or not noticed",
    )
    options = parser.parse_args()
    if options.resume and options.json is None:
        parser.error("--resume takes --json FILE")
    return options


def failing(trials: Trials, tree: Tree, way: str) -> list[str]:
    """Return the tests that fail without a mutant; BadInput when not even that can be said."""
    healthy = trials.run(tree, WAYS[way])
    if healthy.broke is not None and not healthy.failures:
        raise BadInput(f"{way} without a mutant", healthy.broke, "that it passes")
    for failure in healthy.failures:
        print(f"{way}: not asked, since it fails without a mutant: {failure.test}", file=sys.stderr)
    return [failure.test for failure in healthy.failures]


def listed(mutant: Mutant) -> str:
    """Name a mutant, and say why it does not count if it does not."""
    reason = EQUIVALENT.get(mutant.key)
    return str(mutant) if reason is None else f"{mutant}\n    equivalent: {reason}"


def row(mutant: Mutant, outcome: Outcome) -> str:
    """Say what became of a mutant."""
    noticed = [f"    {way}: {what or '-'}" for way, what in outcome.noticed_by.items()]
    return "\n".join([f"{mutant} ({outcome.seconds:.0f} s)", *noticed])


def tried(
    asked: Mapping[Mutant, Sequence[str]],
    trials: Trials,
    trees: Sequence[Tree],
    ailing: Mapping[str, Sequence[str]],
    *,
    first: bool,
) -> Iterator[tuple[Mutant, Outcome]]:
    """Yield each mutant with what became of it, as they end. Whatever ends this early leaves nothing running."""
    free: queue.SimpleQueue[Tree] = queue.SimpleQueue()
    for tree in trees:
        free.put(tree)

    def attempt(mutant: Mutant) -> tuple[Mutant, Outcome]:
        tree = free.get()
        healthy = (tree.place / "fencepost" / mutant.path).read_text("utf-8")
        began = time.monotonic()
        try:
            tree.write(mutant.path, mutant.text)
            noticed_by: dict[str, str | None] = {}
            for way in asked[mutant]:
                noticed_by[way] = trials.run(tree, WAYS[way], mutant.path, without=ailing[way], once=True).noticed_by
                if first and noticed_by[way]:
                    break
            return mutant, Outcome(noticed_by, time.monotonic() - began)
        finally:
            tree.write(mutant.path, healthy)
            free.put(tree)

    with ThreadPoolExecutor(len(trees)) as pool:
        try:
            for each in as_completed([pool.submit(attempt, mutant) for mutant in asked]):
                yield each.result()
        finally:
            trials.stop()
            pool.shutdown(cancel_futures=True)


def report(record: Record, ways: Sequence[str]) -> int:
    """Print the outcome of all; return the exit status."""
    print(*(f"not noticed: {mutant}" for mutant in record.survivors), "", sep="\n")
    print("\n".join(table(record.outcomes, ways)))
    total = len(record.outcomes)
    noticed = f"{total - len(record.survivors)} of {total} noticed, {100 * record.rate:.1f} %"
    print(f"{noticed}; {record.equivalent} equivalent ones do not count")
    return 0 if record.rate >= EXPECTED_RATE else 1


def interrupt(*_: object) -> None:
    """End as by Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    try:
        sys.exit(main())
    except BadInput as error:
        print(f"mutants: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
