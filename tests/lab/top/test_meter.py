from __future__ import annotations

from collections.abc import Mapping

import pytest

from fencepost.lab.top import ClientReading, EngineCounter, Fdinfo, GroupReading, Meter, Reading

S = 1_000_000_000


def client(number: int, engines: Mapping[str, EngineCounter], *, minor: int = 0) -> ClientReading:
    return ClientReading(minor, 100 + number, Fdinfo("i915", f"0000:0{minor}", number, f"client{number}", engines))


def reading(time_s: float, *clients: ClientReading, groups: Mapping[str, GroupReading] | None = None) -> Reading:
    by_key = {(each.minor, each.fdinfo.client_id): each for each in clients}
    return Reading(round(time_s * S), by_key, groups or {})


def render(used_s: float) -> dict[str, EngineCounter]:
    return {"render": EngineCounter(round(used_s * S))}


def test_utilisation_is_time_used_of_the_time_of_all_engines_of_a_class() -> None:
    meter = Meter(reading(10, client(1, {"render": EngineCounter(5 * S), "video": EngineCounter(0, None, 2)})))
    sample = meter.sample(
        reading(12, client(1, {"render": EngineCounter(6 * S), "video": EngineCounter(1 * S, None, 2)}))
    )
    assert (sample.time_s, sample.interval_s) == (2, 2)
    assert sample.devices[0].clients[0].engines == {"render": 50.0, "video": 25.0}


def test_cycles_are_compared_with_those_that_have_passed() -> None:
    meter = Meter(reading(0, client(1, {"rcs": EngineCounter(100, 1000, 2)})))
    sample = meter.sample(reading(1, client(1, {"rcs": EngineCounter(300, 1500, 2)})))
    assert sample.devices[0].clients[0].engines == {"rcs": 20.0}


def test_a_counter_that_steps_back_stays_where_it_was() -> None:
    meter = Meter(reading(0, client(1, render(1)), groups={"/": GroupReading(None, 1_000_000)}))
    back = meter.sample(reading(1, client(1, render(0.5)), groups={"/": GroupReading(None, 500_000)}))
    on = meter.sample(reading(2, client(1, render(1.25)), groups={"/": GroupReading(None, 1_250_000)}))
    assert [each.devices[0].clients[0].engines["render"] for each in (back, on)] == [0.0, 25.0]
    assert [each.groups[0].usage_pct for each in (back, on)] == [0.0, 25.0]


def test_who_comes_is_told_of_from_the_next_time_on() -> None:
    meter = Meter(reading(0))
    met = meter.sample(reading(1, client(1, render(5))))
    next_time = meter.sample(reading(2, client(1, render(5.5))))
    assert [each.devices[0].clients[0].engines["render"] for each in (met, next_time)] == [0.0, 50.0]


def test_who_has_left_is_told_of_no_more() -> None:
    meter = Meter(reading(0, client(1, render(0))))
    assert meter.sample(reading(1)).devices == ()


def test_the_busiest_comes_first_and_each_device_by_itself() -> None:
    meter = Meter(reading(0, *(client(number, render(0), minor=number % 2) for number in range(4))))
    sample = meter.sample(reading(1, *(client(number, render(number / 4), minor=number % 2) for number in range(4))))
    assert [(each.minor, [one.name for one in each.clients]) for each in sample.devices] == [
        (0, ["client2", "client0"]),
        (1, ["client3", "client1"]),
    ]


def test_groups_have_usage_of_one_engine_and_a_share_of_what_all_used() -> None:
    def groups(used_us: int) -> dict[str, GroupReading]:
        return {
            "/": GroupReading(None, 4 * used_us),
            "/A": GroupReading(200, 3 * used_us),
            "/A/B": GroupReading(None, None),
        }

    meter = Meter(reading(0, groups=groups(0)))
    root, a, b = meter.sample(reading(2, groups=groups(1_000_000))).groups
    assert (root.usage_pct, root.share_pct) == (200.0, 100.0)
    assert (a.path, a.weight, a.usage_pct, a.share_pct) == ("/A", 200, 150.0, 75.0)
    assert (b.usage_pct, b.share_pct) == (None, None)


def test_no_time_and_no_use_are_no_division_by_zero() -> None:
    groups = {"/": GroupReading(None, 5)}
    sample = Meter(reading(1, client(1, render(0)), groups=groups)).sample(
        reading(1, client(1, render(0)), groups=groups)
    )
    assert sample.devices[0].clients[0].engines == {"render": 0.0}
    assert (sample.groups[0].usage_pct, sample.groups[0].share_pct) == (None, None)


def test_a_sample_is_a_line_of_json() -> None:
    facts = Meter(reading(0, client(1, render(0)))).sample(reading(1, client(1, render(1)))).as_json()
    assert facts["devices"][0]["clients"][0] == {
        "pid": 101,
        "name": "client1",
        "engines": {"render": pytest.approx(100)},
    }
