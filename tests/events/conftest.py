from __future__ import annotations

import pytest

from fencepost.actors import Runtime
from fencepost.events import Event
from fencepost.events.kinds import CYCLE, PERIOD_MISSED
from fencepost.hw import MockBackend


@pytest.fixture(scope="package")
def run() -> list[Event]:
    """Two clients on two rings: jobs that overlap, wait for each other, are killed, and one that is cancelled."""
    with Runtime(world="virtual", events=None) as rt:
        render = rt.scheduler(MockBackend(), "rcs0", credit_limit=2)
        video = rt.scheduler(MockBackend(), "vcs0", credit_limit=2)
        game = render.entity("game.rcs0", client="game")
        decoder = video.entity("player.vcs0", client="player")
        first = decoder.submit(1000)
        jobs = [game.submit(500, deps=[first.finished]), *(game.submit(300) for _ in range(3))]
        decoder.submit(0)
        jobs[-1].finished.wait()
        nobody = render.entity("stray")
        stuck = nobody.submit()
        stuck.scheduled.wait()
        for _ in range(2):
            nobody.submit(100, deps=[stuck.finished])
        nobody.kill()
        assert rt.events is not None
        now_ns = rt.world.now_ns()
        rt.events.record((now_ns, CYCLE, "game", 0, now_ns))
        rt.events.record((now_ns, PERIOD_MISSED, "game", 1500))
    return list(rt.events)
