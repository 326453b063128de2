"""One workload, submitted in each way: long work that touches memory, short work with a fence, and a memory hog."""

from __future__ import annotations

import errno

import pytest

from fencepost import Runtime
from fencepost.checks import explore
from fencepost.checks.observers import Observers
from fencepost.fences import Fence, Usage, UserFence
from fencepost.hw.long_running.designs import DESIGNS, AnnotatedFences, Design, FaultingQueues, Settings, Work
from fencepost.hw.long_running.designs.preempting import PreemptingDesign
from fencepost.hw.memory import Placement
from fencepost.sync.observed_virtual import ObservedVirtualWorld

EACH = pytest.mark.parametrize("design_class", DESIGNS, ids=lambda design: design.name)
SAFE = pytest.mark.parametrize(
    "design_class", [each for each in DESIGNS if each is not AnnotatedFences], ids=lambda design: design.name
)


def start(design: Design, name: str = "J", pages: int = 4, duration_us: float = 100) -> Work:
    at = [design.bind(design.buffer(f"{name}{number}")) for number in range(pages)]
    return design.start(name, duration_us, [(10.0 * (1 + number), each) for number, each in enumerate(at)])


@EACH
def test_both_kinds_of_work_are_completed(design_class: type[Design]) -> None:
    complete(design_class, "virtual")


@SAFE
def test_both_kinds_of_work_are_completed_on_real_threads(design_class: type[Design]) -> None:
    """Of the first design the observers of native worlds would say what is wrong."""
    complete(design_class, "native")


def complete(design_class: type[Design], world: str) -> None:
    with Runtime(world=world) as rt:  # type: ignore[arg-type]
        design = design_class(rt, Settings())
        work = start(design)
        fence = design.draw("K", 10, [design.buffer("target")])
        assert fence.wait(timeout_s=30)
        assert fence.error == 0
        assert work.wait(timeout_s=30)
        assert work.complete
    assert rt.leftovers.tasks == ()


@SAFE
@pytest.mark.parametrize("world", ["virtual", "native"])
def test_a_hog_gets_the_memory_and_the_work_is_completed(design_class: type[Design], world: str) -> None:
    with Runtime(world=world) as rt:  # type: ignore[arg-type]
        design = design_class(rt, Settings(vram_pages=8, system_pages=16, back_off_s=0.001))
        work = start(design, duration_us=5000)

        def hog() -> None:
            for _ in range(3):
                everything = design.buffer("hog", 8, Placement.VRAM)
                everything.free()

        client = rt.spawn(hog)
        assert client.join(30)
        assert client.error is None
        assert work.wait(timeout_s=30)


@SAFE
def test_no_rule_of_fences_is_broken(design_class: type[Design]) -> None:
    observers = Observers()
    with Runtime(ObservedVirtualWorld(observers)) as rt:
        design = design_class(rt, Settings(vram_pages=8, system_pages=16, back_off_s=0.001))
        work = start(design)
        fence = design.draw("K", 10, [design.buffer("target")])
        design.buffer("hog", 8, Placement.VRAM).free()
        assert fence.wait()
        assert work.wait()
    assert observers.findings == ()


@SAFE
def test_a_user_fence_is_not_imported(design_class: type[Design]) -> None:
    with Runtime(world="virtual") as rt:
        design = design_class(rt, Settings())
        with pytest.raises(OSError, match="no fence can stand for it") as refused:
            design.import_user_fence(UserFence(name="U"))
        assert refused.value.errno == errno.EOPNOTSUPP


def test_the_first_design_imports_user_fences() -> None:
    with Runtime(world="virtual") as rt:
        design = AnnotatedFences(rt, Settings())
        flip = UserFence(name="U")
        fence = design.draw("K", 10, after=[design.import_user_fence(flip)])
        assert not fence.wait(timeout_s=1)
        flip.write(1)
        assert fence.wait(timeout_s=1)


@SAFE
def test_short_work_does_not_wait_for_long_work(design_class: type[Design]) -> None:
    with Runtime(world="virtual") as rt:
        design = design_class(rt, Settings())
        work = start(design, duration_us=1_000_000)
        rt.world.sleep(0.001)
        began_ns = rt.world.now_ns()
        assert design.draw("K", 10).wait()
        assert rt.world.now_ns() - began_ns <= 60_000, "K takes 10 us, and the work leaves within a quantum"
        assert not work.complete


def test_without_preemption_it_does() -> None:
    """T6-4 for those that have no other way to make room."""
    for design_class in DESIGNS:
        if issubclass(design_class, PreemptingDesign):
            with Runtime(world="virtual") as rt:
                design = design_class(rt, Settings(preemptible=False))
                work = start(design, duration_us=1_000_000)
                rt.world.sleep(0.001)
                assert not design.draw("K", 10).wait(timeout_s=0.9)
                assert work.wait()


def test_work_that_cannot_leave_at_its_fault_is_reset_for_a_fence() -> None:
    """T6-12: K waits for the reset and not for the handler, whose answer comes too late."""
    with Runtime(world="virtual") as rt:
        design = FaultingQueues(rt, Settings(preemptible=False, preempt_timeout_s=0.25))
        buffer, copy = design.buffer("P"), Fence(name="copy")
        at = design.bind(buffer)
        with buffer.reservation:
            buffer.reservation.reserve()
            buffer.reservation.add(copy, Usage.KERNEL)
        work = design.start("J", 1000, [(10.0, at)])
        rt.world.sleep(0.001)
        began_ns = rt.world.now_ns()
        assert design.draw("K", 10).wait()
        assert rt.world.now_ns() - began_ns == 250_010_000
        assert (design.firmware.resets, design.firmware.dropped) == (1, 0)
        copy.signal()
        rt.world.sleep(0.001)
        assert design.firmware.dropped == 1
        assert work.wait()


@SAFE
def test_all_of_it_at_once_in_any_order(design_class: type[Design]) -> None:
    def model(rt: Runtime) -> None:
        design = design_class(rt, Settings(vram_pages=8, system_pages=16, back_off_s=0.001))
        work = start(design, pages=2, duration_us=50)
        target = design.buffer("target")
        clients = [
            rt.spawn(lambda: design.buffer("hog", 8, Placement.VRAM).free(), "hog"),
            rt.spawn(lambda: design.draw("K", 10, [target]).wait(), "client"),
        ]
        for client in clients:
            client.join()
        assert work.wait()

    report = explore(model, schedules=60)
    assert not report.found, str(report)
