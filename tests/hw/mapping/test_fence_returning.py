from __future__ import annotations

import errno

from fencepost.hw.mapping import FenceReturning
from fencepost.sync.virtual import VirtualWorld
from tests.fences.refusal import refused
from tests.hw.mapping.machine import Machine, at, now_ms


def test_the_fence_is_there_before_anything_is_done(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    design, arguments = FenceReturning(machine.process), machine.arguments()
    design.start(machine.client, arguments)
    assert (now_ms(), machine.mapped, machine.usable) == (4, (0, 1, 2, 3), ())
    fence = design.fence(arguments)
    assert not fence.signaled
    assert fence.wait()
    assert (now_ms(), machine.usable) == (9, ())
    design.wait(machine.client, arguments)
    assert (now_ms(), machine.usable, machine.client.syscalls) == (9, (0, 1, 2, 3), 2)


def test_a_wait_that_is_made_again_makes_no_other_fence(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    design, arguments = FenceReturning(machine.process), machine.arguments()
    design.start(machine.client, arguments)
    handle, fence = arguments.fence, design.fence(arguments)
    for when_ms in (5, 6, 7):
        at(when_ms, machine.client.signal)
    design.wait(machine.client, arguments)
    assert (machine.client.restarts, arguments.fence) == (3, handle)
    assert fence.signaled
    assert machine.dispatches == [1, 1, 1, 1]


def test_when_a_gpu_fails_the_fence_is_for_those_before(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    design, arguments = FenceReturning(machine.process), machine.arguments()
    machine.gpus[2].slots = 0
    with refused(errno.ENOMEM):
        design.map(machine.client, arguments)
    assert (now_ms(), machine.usable) == (3, ())
    design.wait(machine.client, arguments)
    assert (now_ms(), machine.usable) == (7, (0, 1))


def test_when_the_first_gpu_fails_there_is_no_fence(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    design, arguments = FenceReturning(machine.process), machine.arguments()
    machine.gpus[0].slots = 0
    with refused(errno.ENOMEM):
        design.start(machine.client, arguments)
    assert arguments.fence == 0
    with refused(errno.ENOENT, "no fence 0"):
        design.wait(machine.client, arguments)
    with refused(errno.ENOENT, "no fence 0"):
        design.fence(arguments)


def test_while_an_engine_hangs_the_client_may_do_other_work(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    design, arguments = FenceReturning(machine.process), machine.arguments()
    machine.gpus[1].hang()
    at(100, machine.gpus[1].reset)
    arguments.timeout_s = 0.03
    design.start(machine.client, arguments)
    for until_ms in (34, 64, 94):
        with refused(errno.ETIME):
            design.wait(machine.client, arguments)
        assert now_ms() == until_ms
    with refused(errno.EIO):
        design.wait(machine.client, arguments)
    assert (now_ms(), machine.usable, machine.mapped) == (100, (), (0, 2, 3))
    with refused(errno.ENOENT):
        design.wait(machine.client, arguments)


def test_what_is_mapped_already_needs_no_wait(virtual: VirtualWorld) -> None:  # noqa: ARG001
    machine = Machine()
    design = FenceReturning(machine.process)
    design.map(machine.client, machine.arguments())
    arguments = machine.arguments()
    design.start(machine.client, arguments)
    assert design.fence(arguments).signaled
    design.wait(machine.client, arguments)
    assert (now_ms(), machine.dispatches) == (9, [1, 1, 1, 1])
