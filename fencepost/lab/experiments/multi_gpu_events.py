"""What can happen while a buffer is mapped on several GPUs: each event once with each design, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from fencepost.actors import Runtime
from fencepost.hw.memory import PAGE_BYTES
from fencepost.lab.experiments.multi_gpu_stage import MapSetup, Observation, Stage

__all__ = ["EVENTS", "observe"]

Event = Callable[[Stage], None]


def observe(setup: MapSetup, design: str, event: str) -> Observation:
    """Run a design under an event, in a world of its own."""
    with Runtime(world="virtual", events=False) as rt:
        stage = Stage(rt, setup, design)
        EVENTS[event](stage)
        observation = stage.observe(event)
        stage.end()
    return observation


def nothing(stage: Stage) -> None:
    """Disturb nobody."""
    stage.run()


def signal_before(stage: Stage) -> None:
    """Signal the client while it waits for the mutex, before GPU 0."""
    step_us = stage.setup.dispatch_us

    def hold() -> None:
        with stage.process.mutex:
            stage.sleep_until(2 * step_us)

    stage.spawn(hold, "another call")
    stage.at(step_us, stage.client.signal)
    stage.run()


def signal_between(stage: Stage) -> None:
    """Signal it when so many GPUs are dispatched as can be before the one that fails."""
    stage.at(stage.setup.fail_at * stage.setup.dispatch_us, stage.client.signal)
    stage.run()


def signal_in_wait(stage: Stage) -> None:
    """Signal it when all are dispatched and not all are done."""
    stage.at(stage.setup.whole_us - stage.setup.update_us / 2, stage.client.signal)
    stage.run()


def signal_after(stage: Stage) -> None:
    """Signal it at the time when the last is done."""
    stage.at(stage.setup.whole_us, stage.client.signal)
    stage.run()


def failure(stage: Stage) -> None:
    """Have no room for commands on one GPU."""
    stage.gpus[stage.setup.fail_at].slots = 0
    stage.run()


def failure_then_again(stage: Stage) -> None:
    """Have the client call again, with what it was told, when there is room."""
    sdma = stage.gpus[stage.setup.fail_at]
    slots, sdma.slots = sdma.slots, 0
    stage.run()
    stage.note()
    sdma.slots = slots
    stage.run()


def memory_pressure(stage: Stage) -> None:
    """Have somebody else use all memory."""
    other = stage.memory.create(PAGE_BYTES, "other")
    with other.reservation:
        stage.memory.validate(other)
        other.pin()
    stage.run()


def hang_then_reset(stage: Stage) -> None:
    """Hang one SDMA engine, and reset its GPU much later. Who can tell how long it waits looks now and then."""
    sdma = stage.gpus[stage.setup.fail_at]
    sdma.hang()
    whole_us = stage.setup.whole_us
    stage.arguments.timeout_s = 3 * whole_us / 1e6
    stage.at(10 * whole_us, stage.note)
    stage.at(10 * whole_us, sdma.reset)
    stage.run()


def hang_then_kill(stage: Stage) -> None:
    """Hang one SDMA engine, and kill the client."""
    stage.gpus[stage.setup.fail_at].hang()
    whole_us = stage.setup.whole_us
    stage.at(10 * whole_us, stage.note)
    stage.at(10 * whole_us, stage.client.kill)
    stage.run()


def use_while_partial(stage: Stage) -> None:
    """Have GPU 0 use the buffer as soon as it can, and signal the client when the others still cannot."""
    setup = stage.setup
    first_us, step_us = setup.dispatch_us + setup.update_us, setup.dispatch_us / 4
    times_us = [first_us + step_us * count for count in range(1, round(3 * setup.whole_us / step_us))]
    stage.spawn(lambda: stage.touch_gpu_0(times_us), "GPU 0")
    stage.at(setup.whole_us - setup.dispatch_us / 2, stage.client.signal)
    stage.run()


EVENTS: Final[Mapping[str, Event]] = MappingProxyType(
    {
        "nothing": nothing,
        "signal before GPU 0": signal_before,
        "signal between k-1 and k": signal_between,
        "signal in the wait": signal_in_wait,
        "signal after completion": signal_after,
        "failure on GPU k": failure,
        "failure on GPU k, then again": failure_then_again,
        "memory pressure": memory_pressure,
        "SDMA hang on GPU k, then reset": hang_then_reset,
        "SDMA hang on GPU k, then kill": hang_then_kill,
        "GPU 0 uses it, signal in the wait": use_while_partial,
    }
)
"""What happens, by name."""
