"""What goes wrong below the driver, and that it gets out of everything in bounded time."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable

import pytest

from fencepost import Runtime
from fencepost.errors import BadInput
from fencepost.hw.guc import Faults, Guc
from fencepost.hw.guc.messages import ContextId, DeregisterDone, FromFirmware, ScheduleDone, TlbDone
from fencepost.policies import Priority
from tests.hw.guc.kit import disabled, enabled, errors, quiet, said

ONE, TWO = ScheduleDone(ContextId(1, 1), enabled=True), ScheduleDone(ContextId(2, 2), enabled=True)
THREE = DeregisterDone(ContextId(1, 1))

BOUND_S = 20
"""Some waits of 5 s, one after the other."""


def passed(faults: Faults) -> list[FromFirmware]:
    delivered: list[FromFirmware] = []
    for message in (ONE, TWO, THREE):
        faults.pass_on(message, delivered.append)
    return delivered


TAMPERED: list[tuple[Callable[[Faults], object], list[FromFirmware]]] = [
    (lambda _: None, [ONE, TWO, THREE]),
    (lambda faults: faults.drop(enabled), [TWO, THREE]),
    (lambda faults: faults.drop(enabled, count=2), [THREE]),
    (lambda faults: faults.duplicate(said(DeregisterDone)), [ONE, TWO, THREE, THREE]),
    (lambda faults: faults.reorder(enabled), [TWO, ONE, THREE]),
    (lambda faults: faults.reorder(enabled, count=2), [ONE, THREE, TWO]),
]


@pytest.mark.parametrize(
    ("tamper", "delivered"), TAMPERED, ids=["nothing", "drop", "drop two", "duplicate", "reorder", "reorder two"]
)
def test_messages_are_tampered_with(tamper: Callable[[Faults], object], delivered: list[FromFirmware]) -> None:
    faults = Faults()
    tamper(faults)
    assert passed(faults) == delivered


def test_a_message_that_is_delayed_comes_later(rt: Runtime) -> None:
    faults, delivered = Faults(), list[FromFirmware]()
    faults.delay(enabled, 0.5)
    for message in (ONE, TWO):
        faults.pass_on(message, delivered.append)
    assert delivered == [TWO]
    rt.world.sleep(0.6)
    assert delivered == [TWO, ONE]


def test_what_cannot_be_is_refused() -> None:
    faults = Faults()
    with pytest.raises(BadInput, match="count: found 0, expected at least 1"):
        faults.drop(enabled, count=0)
    with pytest.raises(BadInput, match="no queues yet"):
        faults.fail_engine("rcs0")


def test_a_request_that_is_not_answered_in_time_is_forgotten_and_its_late_reply_survived(rt: Runtime) -> None:
    guc = Guc({"rcs": 1})
    guc.queue(rt, "rcs0")
    guc.faults.delay(said(TlbDone), 2)
    assert not guc.invalidate_tlb(timeout_s=1)
    assert guc.invalidate_tlb()
    rt.world.sleep(3)
    quiet(guc, protocol_errors=1)


@pytest.mark.parametrize("messages", range(48))
def test_the_firmware_may_die_at_any_step(rt: Runtime, messages: int) -> None:
    """Jobs, a hang, a suspension, a change of policies and two closes are under way when it does."""
    guc = Guc({"rcs": 1, "vcs": 1})
    guc.faults.kill_firmware(after=messages)
    plain, hangs, held, closed = (guc.queue(rt, engine, timeout_s=0.05) for engine in ("rcs0", "rcs0", "vcs0", "vcs0"))
    jobs = [plain.entity.submit(5_000), hangs.entity.submit(), held.entity.submit(5_000), closed.entity.submit(5_000)]
    rt.world.sleep(0.002)
    suspended = held.suspend()
    plain.set_policies(priority=Priority.HIGH)
    closed.close()
    assert suspended.wait(BOUND_S)
    held.resume()
    for job in jobs:
        assert job.finished.wait(BOUND_S)
    assert jobs[1].finished.error < 0
    assert jobs[3].finished.error in (0, -errno.ECANCELED), "a dead firmware lets it run to its end"
    for queue in (plain, hangs, held):
        queue.close()
    rt.world.sleep(BOUND_S)
    # Nobody waits for the answer to a deregistration: that one is lost is found out by the next reset.
    guc.reset("a test")
    for queue in (plain, hangs, held, closed):
        assert queue.gone.wait(BOUND_S)
    assert guc.queues == ()
    quiet(guc, protocol_errors=len(guc.replies.protocol_errors))


@pytest.mark.parametrize("seed", range(40))
def test_replies_may_go_astray(rt: Runtime, seed: int) -> None:
    """Any of them is lost, late, doubled or out of order; then everything is closed, and nothing is left."""
    rng = random.Random(seed)
    guc = Guc({"rcs": 1})
    faults = guc.faults
    for _ in range(6):
        match = rng.choice((enabled, disabled, said(DeregisterDone)))
        match rng.randrange(4):
            case 0:
                faults.drop(match)
            case 1:
                faults.delay(match, rng.random() * 6)
            case 2:
                faults.duplicate(match)
            case _:
                faults.reorder(match)
    queues = [guc.queue(rt, "rcs0", timeout_s=0.05) for _ in range(3)]
    jobs = [queue.entity.submit(rng.choice((1_000, 20_000, None))) for queue in queues for _ in range(2)]
    for queue in queues:
        rt.world.sleep(rng.random() / 100)
        suspended = queue.suspend()
        assert suspended.wait(BOUND_S)
        queue.resume()
    for job in jobs:
        assert job.finished.wait(BOUND_S)
    for queue in queues:
        queue.close()
    rt.world.sleep(BOUND_S)
    guc.reset("a test")
    for queue in queues:
        assert queue.gone.wait(BOUND_S)
    assert guc.firmware.violations == []


def test_an_engine_that_fails_while_nothing_runs_is_repaired(rt: Runtime) -> None:
    guc = Guc({"rcs": 1})
    queue = guc.queue(rt, "rcs0")
    guc.faults.fail_engine("rcs0")
    assert errors(queue.entity.submit(10)) == [0]
    quiet(guc)
