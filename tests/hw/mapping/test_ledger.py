from __future__ import annotations

from fencepost import sync
from fencepost.hw.mapping.ledger import Ledger

PAIR = (1, 0)


def test_a_mapping_is_dispatched_once_until_it_is_undone(any_world: sync.World) -> None:  # noqa: ARG001
    ledger = Ledger()
    ledger.map(PAIR)
    ledger.undo(PAIR)
    ledger.map(PAIR)
    assert (ledger.of(PAIR), ledger.undone(PAIR), ledger.dispatches, ledger.violations) == (2, 1, 2, [])
    ledger.map(PAIR)
    assert ledger.violations == ["buffer 1 was mapped twice on GPU 0"]


def test_n_success_goes_up(any_world: sync.World) -> None:  # noqa: ARG001
    ledger = Ledger()
    ledger.check_monotone([(0, 2), (2, 2), (2, 4)])
    assert ledger.violations == []
    # The client put it back to 0 in between, and then the call took one away.
    ledger.check_monotone([(0, 3), (0, 2), (2, 1)])
    assert ledger.violations == ["n_success went down from 2 to 1"]


def test_success_leaves_all_usable_unless_somebody_else_undid_it(any_world: sync.World) -> None:  # noqa: ARG001
    ledger = Ledger()
    ledger.map(PAIR)
    undone = ledger.undone(PAIR)
    ledger.undo(PAIR)
    ledger.not_usable(PAIR, undone)
    assert (ledger.overtaken, ledger.violations) == (1, [])
    ledger.not_usable(PAIR, ledger.undone(PAIR))
    assert (ledger.overtaken, ledger.violations) == (1, ["success, and buffer 1 is not usable on GPU 0"])
