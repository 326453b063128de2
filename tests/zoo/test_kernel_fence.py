from __future__ import annotations

from fencepost.zoo.kernel_fence import KernelFence


def test_callbacks_run_once_in_the_order_they_came() -> None:
    fence = KernelFence("fence")
    ran: list[str] = []
    assert fence.add_callback(lambda: ran.append("a"))
    assert fence.add_callback(lambda: ran.append("b"))
    fence.signal()
    fence.signal()
    assert ran == ["a", "b"]


def test_callbacks_run_under_its_lock() -> None:
    fence = KernelFence("fence")
    held: list[bool] = []
    fence.add_callback(lambda: held.append(fence.lock.locked()))
    fence.signal()
    assert held == [True]


def test_a_signalled_fence_takes_no_callback() -> None:
    fence = KernelFence("fence")
    fence.signal()
    assert not fence.add_callback(lambda: None)
    assert fence.is_signaled()


def test_it_is_enabled_once() -> None:
    class Enabled(KernelFence):
        times = 0

        def enable_locked(self) -> bool:
            self.times += 1
            return True

    fence = Enabled("fence")
    fence.add_callback(lambda: None)
    fence.add_callback(lambda: None)
    assert fence.times == 1


def test_what_is_complete_when_it_is_enabled_signals() -> None:
    class Complete(KernelFence):
        def enable_locked(self) -> bool:
            return False

    fence = Complete("fence")
    assert not fence.add_callback(lambda: None)
    assert fence.flag.load()


def test_a_query_signals_what_is_complete() -> None:
    class Complete(KernelFence):
        def poll(self) -> bool:
            return True

    fence = Complete("fence")
    ran: list[str] = []
    fence.add_callback(lambda: ran.append("a"))
    assert fence.is_signaled()
    assert ran == ["a"]
