from __future__ import annotations

import errno

import pytest

from fencepost import sync
from fencepost.fences import Fence
from fencepost.hw.mapping import Arguments, Client
from fencepost.sync.virtual import VirtualWorld
from tests.fences.refusal import refused
from tests.hw.mapping.machine import at, now_ms

Calls = list[int]


def test_a_call_that_was_broken_off_is_made_again_with_what_it_said(virtual: VirtualWorld) -> None:  # noqa: ARG001
    client, arguments, fence, begun = Client(), Arguments(1, (0, 1)), Fence(), Calls()

    def call(_client: Client, inside: Arguments) -> None:
        begun.append(inside.n_success)
        inside.n_success += 1
        client.wait(fence)

    at(1, client.signal)
    at(2, client.signal)
    at(3, fence.signal)
    client.call(call, arguments)
    assert begun == [0, 1, 2]
    assert (client.told, arguments.n_success) == ([(0, 1), (1, 2), (2, 3)], 3)
    assert (client.syscalls, client.restarts, now_ms()) == (1, 2, 3)


def test_handling_a_signal_may_change_the_arguments(virtual: VirtualWorld) -> None:  # noqa: ARG001
    def handle(arguments: Arguments) -> None:
        arguments.n_success = 5

    client, fence, begun = Client(on_signal=handle), Fence(), Calls()

    def call(_client: Client, inside: Arguments) -> None:
        begun.append(inside.n_success)
        client.wait(fence)

    at(1, client.signal)
    at(2, fence.signal)
    client.call(call, Arguments(1, (0,)))
    assert begun == [0, 5]


def test_a_signal_while_it_is_busy_ends_its_next_sleep_or_is_handled_on_the_spot(virtual: VirtualWorld) -> None:  # noqa: ARG001
    for pending, restarts in ((True, 1), (False, 0)):
        client, fence = Client(pending=pending), Fence()
        start_ms = now_ms()

        def call(client: Client, _inside: Arguments, fence: Fence = fence) -> None:
            if not client.restarts:
                client.work(2_000_000)
            client.begin_wait()
            client.wait(fence)

        at(start_ms + 1, client.signal)
        at(start_ms + 4, fence.signal)
        client.call(call, Arguments(1, (0,)))
        assert (client.restarts, now_ms()) == (restarts, start_ms + 4)


def test_a_signal_that_comes_with_the_end_of_a_call_does_not_make_it_again(virtual: VirtualWorld) -> None:  # noqa: ARG001
    client, fence = Client(), Fence()
    at(1, client.signal)
    at(1, fence.signal)
    client.call(lambda client, _: client.wait(fence), Arguments(1, (0,)))
    assert client.restarts == 0
    assert not client.interrupt.pending


@pytest.mark.parametrize("pending", [True, False])
def test_one_that_was_killed_makes_no_call_again(virtual: VirtualWorld, pending: bool) -> None:  # noqa: ARG001, FBT001
    client, fence = Client(pending=pending), Fence()

    def call(client: Client, _inside: Arguments) -> None:
        client.begin_wait()
        client.wait(fence)

    at(1, client.kill)
    with refused(errno.EINTR, "client"):
        client.call(call, Arguments(1, (0,)))
    assert (client.restarts, now_ms()) == (0, 1)
    # Whenever it looks: it does not begin to sleep any more.
    client.interrupt.clear()
    with refused(errno.EINTR):
        client.check()
    if not pending:
        with refused(errno.EINTR):
            client.begin_wait()


def test_the_errors_of_a_call_are_the_clients(any_world: sync.World) -> None:  # noqa: ARG001
    client = Client("app")

    def call(_client: Client, inside: Arguments) -> None:
        inside.n_success = 1
        raise OSError(errno.ENOMEM, "none left")

    arguments = Arguments(1, (0,))
    with refused(errno.ENOMEM, "none left"):
        client.call(call, arguments)
    assert arguments.n_success == 1
    with refused(errno.EFAULT):
        client.call(call, Arguments(1, (0,), writable=False))
    assert repr(client) == "<client app>"


def test_a_wait_may_have_a_time_out(virtual: VirtualWorld) -> None:  # noqa: ARG001
    client = Client()
    with refused(errno.ETIME, "0.002 s"):
        client.wait(Fence(), 0.002)
    assert now_ms() == 2


def test_the_late_wake_up_of_a_signal_that_was_handled_ends_no_sleep(virtual: VirtualWorld) -> None:
    client, fence = Client(), Fence()
    sleeper = virtual.spawn(lambda: client.wait(fence), name="sleeper")

    def late() -> None:
        client.signal()
        client.interrupt.clear()

    at(1, late)
    at(2, fence.signal)
    assert sleeper.join()
    assert sleeper.error is None
