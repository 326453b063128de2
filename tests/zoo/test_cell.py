from __future__ import annotations

from fencepost.actors import Runtime
from fencepost.checks import Kind, explore
from fencepost.zoo.cell import Cell, Counter


def test_it_holds_what_was_written() -> None:
    cell = Cell("cell", "a")
    cell.store("b")
    assert cell.load() == "b"
    assert cell.exchange("c") == "b"
    assert cell.load() == "c"


def test_it_replaces_only_what_was_expected() -> None:
    cell = Cell("cell", 1)
    assert not cell.replace(2, 3)
    assert cell.replace(1, 3)
    assert cell.load() == 3


def test_it_counts() -> None:
    counter = Counter("counter", 2)
    assert counter.add(-1) == 1
    assert counter.load() == 1


def test_a_search_comes_between_its_read_and_its_write() -> None:
    def model(runtime: Runtime) -> None:
        cell = Cell("cell", 0)
        clients = [runtime.spawn(lambda: cell.store(cell.load() + 1)) for _ in range(2)]
        for client in clients:
            client.join()
        assert cell.load() == 2

    assert explore(model, schedules=100).kind is Kind.ASSERTION


def test_a_search_finds_one_step_where_there_is_one() -> None:
    def model(runtime: Runtime) -> None:
        counter = Counter("counter", 0)
        clients = [runtime.spawn(lambda: counter.add(1)) for _ in range(2)]
        for client in clients:
            client.join()
        assert counter.load() == 2

    assert not explore(model, schedules=100).found
