"""`python -m bench.mutants`: break the synchronisation of the product in one place at a time; do the tests notice?"""

from __future__ import annotations

import argparse
import json
import queue
import re
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Final

from bench.mutants.equivalent import EQUIVALENT
from bench.mutants.listing import Mutant, list_mutants
from bench.mutants.trial import FOLDERS, Result, Tree, Trials

CHECKOUT: Final = Path(__file__).parents[2]
EXPECTED_RATE: Final = 0.9
HARD_LIMIT_S: Final = 180.0


def main() -> int:
    """Return the exit status: 0 when enough mutants were noticed, 1 when not, 2 when nothing can be said."""
    options = parse_options()
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        # The list is made from the first copy: others may edit the checkout meanwhile.
        trees = [Tree(CHECKOUT, Path(scratch, "tree0"))]
        trees += [Tree(trees[0].place, Path(scratch, f"tree{number}")) for number in range(1, options.jobs)]
        every = list_mutants(trees[0].place / "fencepost")
        outdated = EQUIVALENT.keys() - {mutant.key for mutant in every}
        if outdated:
            print(f"no such mutants, but listed as equivalent: {', '.join(sorted(outdated))}", file=sys.stderr)
            return 2
        chosen = [mutant for mutant in every if re.search(options.only, str(mutant))]
        mutants = [mutant for mutant in chosen if mutant.key not in EQUIVALENT]
        if options.list or not chosen:
            print("\n".join(listed(mutant) for mutant in chosen) or f"no mutant matches {options.only!r}")
            return 0 if chosen else 2
        trials = Trials(options.tests, HARD_LIMIT_S)
        healthy = trials.run(trees[0])
        if healthy.noticed_by is not None and not healthy.failed:
            print(f"the tests do not pass without a mutant: {healthy.noticed_by}", file=sys.stderr)
            return 2
        for name in healthy.failed:
            print(f"not asked, since it fails without a mutant: {name}", file=sys.stderr)
        results: dict[Mutant, Result] = {}
        for mutant, result in tried(mutants, trials, trees, healthy.failed):
            results[mutant] = result
            print(row(mutant, result), file=sys.stderr if options.json else sys.stdout, flush=True)
    return report(results, skipped=len(chosen) - len(mutants), as_json=options.json)


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--only", default="", metavar="PATTERN", help="a regular expression that names must match")
    parser.add_argument("--jobs", type=int, default=2, help="how many to try at a time (default: 2)")
    parser.add_argument("--list", action="store_true", help="only list them")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--tests", nargs="+", default=FOLDERS, choices=FOLDERS, help="folders of the tests to ask")
    return parser.parse_args()


def listed(mutant: Mutant) -> str:
    """Name a mutant, and say why it does not count if it does not."""
    reason = EQUIVALENT.get(mutant.key)
    return str(mutant) if reason is None else f"{mutant}\n    equivalent: {reason}"


def row(mutant: Mutant, result: Result) -> str:
    """Say what became of a mutant."""
    return f"{result.seconds:6.1f} s  {mutant}\n          {result.noticed_by or 'NOT NOTICED'}"


def tried(
    mutants: Sequence[Mutant], trials: Trials, trees: Sequence[Tree], ailing: Sequence[str]
) -> Iterator[tuple[Mutant, Result]]:
    """Yield each mutant with what became of it, as they end. Whatever ends this early leaves nothing running."""
    free: queue.SimpleQueue[Tree] = queue.SimpleQueue()
    for tree in trees:
        free.put(tree)

    def attempt(mutant: Mutant) -> tuple[Mutant, Result]:
        tree = free.get()
        healthy = (tree.place / "fencepost" / mutant.path).read_text("utf-8")
        try:
            tree.write(mutant.path, mutant.text)
            return mutant, trials.run(tree, mutant.path, without=ailing, once=True)
        finally:
            tree.write(mutant.path, healthy)
            free.put(tree)

    with ThreadPoolExecutor(len(trees)) as pool:
        try:
            for each in as_completed([pool.submit(attempt, mutant) for mutant in mutants]):
                yield each.result()
        finally:
            trials.stop()
            pool.shutdown(cancel_futures=True)


def report(results: dict[Mutant, Result], *, skipped: int, as_json: bool) -> int:
    """Print the outcome of all; return the exit status."""
    survivors = sorted(str(mutant) for mutant, result in results.items() if result.noticed_by is None)
    noticed = len(results) - len(survivors)
    rate = noticed / len(results) if results else 1.0
    if as_json:
        rows = [
            {"mutant": str(mutant), "noticed_by": result.noticed_by, "seconds": round(result.seconds, 1)}
            for mutant, result in results.items()
        ]
        print(json.dumps({"rate": round(rate, 4), "equivalent": skipped, "mutants": rows}, indent=2))
    else:
        print("".join(f"\nnot noticed: {name}" for name in survivors))
        print(f"{noticed} of {len(results)} noticed, {100 * rate:.1f} %; {skipped} equivalent ones do not count")
    return 0 if rate >= EXPECTED_RATE else 1


def interrupt(*_: object) -> None:
    """End as by Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
