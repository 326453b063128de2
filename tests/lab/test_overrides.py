from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fencepost.errors import BadInput
from fencepost.lab.overrides import Overrides, choices, chosen_scenario, controller_of, policy_of
from fencepost.lab.scenario import Scenario

NOTHING = Overrides()


def test_nothing_said_changes_nothing(tmp_path: Path) -> None:
    scenario = of_file(tmp_path, NOTHING)
    assert Overrides().over(scenario) == scenario


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("engines", {"rcs": 3}),
        ("world", "virtual"),
        ("dispatch", "workqueue"),
        ("workers", 3),
        ("policy", "rr"),
        ("credit_limit", 9),
        ("seed", 0),
        ("duration_s", 2.5),
        ("repeats", 4),
        ("controller", "hweight"),
    ],
)
def test_an_option_takes_the_place_of_a_field(tmp_path: Path, field: str, value: object) -> None:
    overrides = replace(NOTHING, **{field: value})  # type: ignore[arg-type]
    assert getattr(of_file(tmp_path, overrides), field) == value


def test_clones_are_of_every_client(tmp_path: Path) -> None:
    assert [client.count for client in of_file(tmp_path, Overrides(count=5)).clients] == [5, 5]


def test_repeats_are_of_the_foreground(tmp_path: Path) -> None:
    assert [client.repeats for client in of_file(tmp_path, Overrides(repeats=5)).setup().clients] == [5, None]


def test_workloads_add_clients_to_a_scenario(tmp_path: Path) -> None:
    scenario = chosen_scenario(file(tmp_path), ["d.1,d.2", str(workload(tmp_path))], NOTHING)
    assert [client.name for client in scenario.clients] == ["a", "b", "steps", "game"]
    assert scenario.title == "T"


def test_workloads_alone_make_a_scenario(tmp_path: Path) -> None:
    path = str(workload(tmp_path))
    scenario = chosen_scenario(None, [path, path], Overrides(count=2))
    assert scenario.title == "game + game"
    assert [client.name for client in scenario.setup().clients] == ["game.1-1", "game.1-2", "game.2-1", "game.2-2"]


def test_a_file_may_have_a_comma_in_its_name(tmp_path: Path) -> None:
    path = workload(tmp_path).rename(tmp_path / "a,b.wsim")
    assert chosen_scenario(None, [str(path)], NOTHING).clients[0].name == "a,b"


def test_nothing_to_run_is_refused() -> None:
    with pytest.raises(BadInput, match="nothing to run"):
        chosen_scenario(None, [], NOTHING)


def test_choices_keep_their_order() -> None:
    assert choices("c, a", "--o", ("a", "b", "c")) == ("c", "a")


@pytest.mark.parametrize(
    ("text", "known", "message"),
    [
        ("a,x", ("a", "b"), '--o: found "x", expected one of a, b'),
        ("", ("a", "b"), '--o: found "", expected one of a, b'),
        ("x", ("a",), '--o: found "x", expected a'),
        ("a,a", ("a", "b"), "--o: found a twice, expected each once"),
    ],
)
def test_a_bad_choice_is_refused(text: str, known: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        choices(text, "--o", known)
    assert str(caught.value) == message


def test_only_a_known_policy_is_one() -> None:
    assert policy_of("rr") == "rr"
    with pytest.raises(BadInput, match='--policy: found "x", expected one of rr, fifo, fair'):
        policy_of("x")


def test_only_a_known_controller_is_one() -> None:
    assert controller_of("v8") == "v8"
    with pytest.raises(BadInput, match='--controller: found "x", expected one of none, rfc-priority, '):
        controller_of("x")


def file(folder: Path) -> Path:
    path = folder / "a.toml"
    client = "[[client]]\nsteps = 'd.1'\n"
    path.write_text(f"title = 'T'\n{client}name = 'a'\n{client}name = 'b'\nbackground = true\n")
    return path


def of_file(folder: Path, overrides: Overrides) -> Scenario:
    return chosen_scenario(file(folder), [], overrides)


def workload(folder: Path) -> Path:
    path = folder / "game.wsim"
    path.write_text("d.1\n")
    return path
