"""A foreground with work for each frame at 60 Hz, beside groups that want all there is (R1 of the first proposal)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from random import Random

import pytest

from fencepost.policies.group import Group
from tests.policies.cgroups.device import MS, Client, Device, tree

FRAME_NS = 16_666_667
WORK_NS = 8 * MS
FRAMES = 120


def random_lengths(seed: int) -> Iterator[int]:
    random = Random(seed)
    while True:
        yield random.randint(MS, 4 * MS)


def frame_times(device: Device, group: Group, jobs: int, begin_ns: int) -> list[int]:
    """Submit a frame's work in so many jobs, frame after frame, and tell how long each took."""
    client = Client("foreground", group)
    times: list[int] = []

    def frame() -> None:
        now_ns = device.now_ns
        for _ in range(jobs - 1):
            device.push(client, WORK_NS // jobs)
        device.push(client, WORK_NS // jobs, lambda: times.append(device.now_ns - now_ns))

    for number in range(FRAMES):
        device.at(begin_ns + number * FRAME_NS, frame)
    return times


BACKGROUNDS: dict[str, Callable[[int], Iterator[int]]] = {
    "1 ms": lambda _: itertools.repeat(MS),
    "2 ms": lambda _: itertools.repeat(2 * MS),
    "2.9 ms": lambda _: itertools.repeat(2_900_000),
    "4 ms": lambda _: itertools.repeat(4 * MS),
    "1 to 4 ms": random_lengths,
}


@pytest.mark.parametrize(("weight", "credit_limit"), [(150, 1), (300, 2)])
@pytest.mark.parametrize("lengths", BACKGROUNDS)
@pytest.mark.parametrize("jobs", [1, 2, 8])
@pytest.mark.parametrize(("clients", "depth"), [(1, 1), (1, 6), (4, 1), (4, 6)])
def test_a_foreground_of_greater_weight_misses_no_frame(  # noqa: PLR0917 - parameters of a test
    jobs: int, lengths: str, clients: int, depth: int, weight: int, credit_limit: int
) -> None:
    begin_ns = 50 * MS
    device, groups = Device(credit_limit), tree({"front": weight, "back": 100})
    for number in range(clients):
        device.saturate(Client(f"back{number}", groups["back"]), BACKGROUNDS[lengths](number), depth)
    times = frame_times(device, groups["front"], jobs, begin_ns)
    device.run(begin_ns + FRAMES * FRAME_NS)
    assert len(times) == FRAMES
    assert max(times) <= FRAME_NS
    assert device.idle_ns == 0


@pytest.mark.parametrize("lengths", BACKGROUNDS)
@pytest.mark.parametrize("clients", [1, 4])
def test_a_foreground_of_equal_weight_whose_frame_is_one_job_misses_none(lengths: str, clients: int) -> None:
    device, groups = Device(), tree({"front": 100, "back": 100})
    for number in range(clients):
        device.saturate(Client(f"back{number}", groups["back"]), BACKGROUNDS[lengths](number))
    times = frame_times(device, groups["front"], 1, 50 * MS)
    device.run(50 * MS + FRAMES * FRAME_NS)
    assert max(times) <= FRAME_NS


@pytest.mark.parametrize("lengths", [each for each in BACKGROUNDS if "to" not in each])
@pytest.mark.parametrize("jobs", [2, 4, 8, 16])
def test_a_foreground_of_equal_weight_misses_no_frame_beside_regular_jobs(jobs: int, lengths: str) -> None:
    device, groups = Device(), tree({"front": 100, "back": 100})
    device.saturate(Client("back", groups["back"]), BACKGROUNDS[lengths](0))
    times = frame_times(device, groups["front"], jobs, 50 * MS)
    device.run(50 * MS + FRAMES * FRAME_NS)
    assert max(times) <= FRAME_NS


def test_one_that_needs_nearly_all_of_its_half_in_short_jobs_is_late_by_less_than_a_job_at_times() -> None:
    """8 of 8.33 ms, beside jobs of any length: what fairness alone cannot promise. Any more weight is enough."""
    device, groups = Device(), tree({"front": 100, "back": 100})
    device.saturate(Client("back", groups["back"]), random_lengths(0))
    times = frame_times(device, groups["front"], 8, 50 * MS)
    device.run(50 * MS + FRAMES * FRAME_NS)
    assert max(times) <= FRAME_NS + 4 * MS
    assert sum(time > FRAME_NS for time in times) <= FRAMES // 20
