from __future__ import annotations

import pytest

from fencepost.errors import BadInput
from fencepost.lab.scenario import Scenario, ScenarioClient
from fencepost.lab.wsim import parse_text

STEPS = parse_text("d.1", name="steps", where="-w")


def client(
    name: str = "a", *, named: bool = True, count: int = 1, repeats: int | None = None, background: bool = False
) -> ScenarioClient:
    return ScenarioClient("a.toml:1", STEPS, name, named=named, count=count, repeats=repeats, background=background)


def names(*clients: ScenarioClient) -> list[str]:
    return [each.name for each in Scenario("a.toml", "A", clients).setup().clients]


@pytest.mark.parametrize(
    ("clients", "expected"),
    [
        pytest.param([client("a"), client("b")], ["a", "b"], id="as they are"),
        pytest.param([client("a", count=3)], ["a-1", "a-2", "a-3"], id="clones"),
        pytest.param([client("a", named=False), client("a", named=False)], ["a.1", "a.2"], id="nobody chose them"),
        pytest.param([client("a"), client("a", named=False)], ["a", "a.1"], id="one was chosen"),
        pytest.param([client("a", named=False, count=2), client("a")], ["a.1-1", "a.1-2", "a"], id="clones of a clash"),
    ],
)
def test_each_client_has_a_name_of_its_own(clients: list[ScenarioClient], expected: list[str]) -> None:
    assert names(*clients) == expected


def test_a_chosen_name_that_a_clone_has_is_refused() -> None:
    with pytest.raises(BadInput, match=r'a\.toml:1, name: found "a-2"'):
        names(client("a", count=2), client("a-2"))


@pytest.mark.parametrize(
    ("own", "common", "duration_s", "expected"),
    [
        pytest.param(None, None, None, 1, id="nothing said: once"),
        pytest.param(None, None, 5.0, None, id="while there is time"),
        pytest.param(None, 7, None, 7, id="as the scenario says"),
        pytest.param(None, 7, 5.0, 7, id="or until the time is up"),
        pytest.param(3, 7, 5.0, 3, id="as it says itself"),
    ],
)
def test_a_client_repeats(own: int | None, common: int | None, duration_s: float | None, expected: int | None) -> None:
    scenario = Scenario("a.toml", "A", (client(repeats=own),), duration_s=duration_s, repeats=common)
    assert scenario.setup().clients[0].repeats == expected


def test_a_client_in_the_background_goes_on_unless_it_says_how_often() -> None:
    clients = (client("a"), client("b", background=True), client("c", background=True, repeats=2))
    setup = Scenario("a.toml", "A", clients, repeats=7).setup()
    assert [each.repeats for each in setup.clients] == [7, None, 2]


def test_events_are_kept_when_they_are_asked_for() -> None:
    scenario = Scenario("a.toml", "A", (client(),))
    assert [scenario.setup().keep_events, scenario.setup(keep_events=True).keep_events] == [False, True]
