from __future__ import annotations

from collections.abc import Iterator

import pytest

import fencepost as fp
from fencepost.lab.top import EngineCounter, GroupReading, read
from fencepost.lab.top.reading import usage_us

MS = 1_000_000


@pytest.fixture
def runtime() -> Iterator[fp.Runtime]:
    with fp.Runtime("virtual") as runtime:
        yield runtime


def test_clients_and_groups_are_read_as_they_tell(runtime: fp.Runtime) -> None:
    scheduler = runtime.scheduler(fp.hw.MockBackend(), name="rcs0")
    card = runtime.cgroups.card("card0", [scheduler], driver="i915")
    browser = runtime.cgroups.root.mkdir("browser")
    browser.write("drm.weight", "300")
    browser.write("drm.weight", "card0 50")
    browser.mkdir("tab")
    client = card.open("web")
    browser.attach(client)
    client.entity([scheduler]).submit(duration_us=2000).finished.wait()

    reading = read(runtime.cgroups)
    (one,) = reading.clients.values()
    assert reading.time_ns == 2 * MS
    assert (one.minor, one.pid, one.fdinfo.name) == (0, client.process.pid, "web")
    assert one.fdinfo.engines == {"render": EngineCounter(2 * MS)}
    assert reading.groups == {
        "/": GroupReading(None, 2000),
        "/browser": GroupReading(300, 2000),
        "/browser/tab": GroupReading(None, None),
    }


def test_who_has_gone_is_left_out(runtime: fp.Runtime) -> None:
    card = runtime.cgroups.card("card0")
    runtime.cgroups.root.mkdir("gone").rmdir()
    card.open("left").close()
    card.open("stays")
    reading = read(runtime.cgroups)
    assert [each.fdinfo.name for each in reading.clients.values()] == ["stays"]
    assert [*reading.groups] == ["/"]


def test_usage_is_that_of_all_devices() -> None:
    assert usage_us("usage_usec 59019083\nnr_throttled 1\ncard0 usage_usec=5 rcs_usec=5\n") == 59019083
